import asyncio
import itertools
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow import Collection, PacingError, Transaction, TransactionError, batch
from dataflow.io.pacing import Pace, Paced, debounce, paced, queue, throttle
from dataflow.io.statistics import PacedStatistics
from dataflow.testing import ManualClock
from tests.dataflow.io.waiting import settle


class Notes:
    """A collection with two rows, and a mutation function that notes what it was called with."""

    def __init__(self, pace: Pace, *, is_slow: bool = False) -> None:
        self.clock = ManualClock()
        self.rows = Collection("notes", key="id")
        with self.rows.sync() as write:
            write.insert({"id": 1, "n": 0})
            write.insert({"id": 2, "n": 0})
        self.saved: list[tuple[float, dict[int, int]]] = []
        self.gates: list[asyncio.Future[None]] = []
        self.set: Paced[[int, int]] = paced(
            on_mutate=self.show,
            mutation_fn=self.save_slowly if is_slow else self.save,
            pace=pace,
            clock=self.clock,
        )

    def show(self, key: int, n: int) -> None:
        self.rows.update(key, n=n)

    def save(self, tx: Transaction) -> None:
        self.saved.append((self.clock.time(), {m.key: m.value["n"] for m in tx.mutations}))
        with self.rows.sync() as write:
            for mutation in tx.mutations:
                write.update(mutation.value)

    async def save_slowly(self, tx: Transaction) -> None:
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        await gate
        self.save(tx)

    @property
    def shown(self) -> list[int]:
        return [row["n"] for row in self.rows.rows()]


def test_debounce_persists_once_when_nothing_has_come_for_a_while() -> None:
    notes = Notes(debounce(1.0))
    first = notes.set(1, 1)
    notes.clock.advance(0.75)
    assert notes.set(1, 2) is first
    assert notes.set(2, 5) is first
    notes.clock.advance(0.75)
    assert (notes.shown, notes.saved, first.state) == ([2, 5], [], "pending")
    notes.clock.advance(0.25)
    assert (notes.saved, first.state) == ([(1.75, {1: 2, 2: 5})], "completed")
    second = notes.set(1, 3)
    notes.clock.advance(1.0)
    assert (second is first, notes.saved[1:], notes.shown) == (False, [(2.75, {1: 3})], [3, 5])
    assert notes.clock.pending == 0


def test_debounce_on_the_leading_edge_persists_the_first_call_too() -> None:
    notes = Notes(debounce(1.0, leading=True))
    for n in (1, 2, 3):
        notes.set(1, n)
        notes.clock.advance(0.5)
    notes.clock.advance(1.0)
    assert notes.saved == [(0.0, {1: 1}), (2.0, {1: 3})]


def test_without_a_trailing_edge_calls_inside_the_window_are_dropped_unseen() -> None:
    notes = Notes(debounce(1.0, leading=True, trailing=False))
    notes.set(1, 1)
    notes.clock.advance(0.625)
    with pytest.raises(PacingError, match="dropped") as caught:
        notes.set(1, 2)
    notes.clock.advance(0.625)  # the dropped call began the window anew
    with pytest.raises(PacingError):
        notes.set(1, 3)
    notes.clock.advance(1.0)
    notes.set(1, 4)
    assert (caught.value.reason, notes.saved) == ("dropped", [(0.0, {1: 1}), (2.25, {1: 4})])


def test_throttle_persists_at_once_and_then_once_per_window() -> None:
    notes = Notes(throttle(1.0))
    for n in range(1, 8):
        notes.set(1, n)
        notes.clock.advance(0.375)
    notes.clock.advance(5.0)
    notes.set(1, 9)
    assert notes.saved == [
        (0.0, {1: 1}),
        (1.0, {1: 3}),
        (2.0, {1: 6}),
        (3.0, {1: 7}),
        (7.625, {1: 9}),
    ]
    assert notes.shown == [9, 0]


def test_throttle_without_a_leading_edge_waits_from_the_start() -> None:
    notes = Notes(throttle(1.0, leading=False))
    notes.set(1, 1)
    notes.clock.advance(0.5)
    notes.set(1, 2)
    notes.clock.advance(0.5)
    assert notes.saved == [(1.0, {1: 2})]


def test_a_queue_persists_every_call_at_its_own_time() -> None:
    notes = Notes(queue(wait=1.0))
    calls = [notes.set(1, n) for n in (1, 2, 3)]
    assert [each.state for each in calls] == ["completed", "pending", "pending"]
    notes.clock.advance(0.5)
    notes.set(2, 7)
    notes.clock.advance(4.0)
    assert notes.saved == [(0.0, {1: 1}), (1.0, {1: 2}), (2.0, {1: 3}), (3.0, {2: 7})]


def test_a_full_queue_takes_nothing_and_shows_nothing() -> None:
    notes = Notes(queue(wait=1.0, max_size=2))
    for n in (1, 2, 3):
        notes.set(1, n)
    with pytest.raises(PacingError, match="the queue is full: 2 are waiting") as caught:
        notes.set(1, 4)
    assert (caught.value.reason, notes.shown) == ("full", [3, 0])
    assert notes.set.statistics() == PacedStatistics(waiting=2, persisted=1, refused=1)
    notes.clock.advance(1.0)
    notes.set(1, 5)
    notes.clock.advance(9.0)
    assert [n for _, saved in notes.saved for n in saved.values()] == [1, 2, 3, 5]


@pytest.mark.parametrize("pace", [debounce(1.0), throttle(1.0), queue(wait=1.0)])
def test_flush_persists_what_waits_now(pace: Pace) -> None:
    notes = Notes(pace)
    for n in (1, 2, 3):
        notes.set(1, n)
    notes.set.flush()
    assert (notes.saved[-1], notes.shown) == ((0.0, {1: 3}), [3, 0])
    notes.clock.advance(9.0)
    assert {time for time, _ in notes.saved} == {0.0}


@pytest.mark.parametrize("pace", [debounce(1.0), throttle(1.0), queue(wait=1.0)])
def test_closing_rolls_back_what_waits_and_takes_no_more(pace: Pace) -> None:
    notes = Notes(pace)
    first, last = notes.set(1, 1), notes.set(2, 2)
    notes.set.close()
    notes.set.close()
    with pytest.raises(PacingError, match="closed") as caught:
        notes.set(1, 3)
    persisted = pace.leading or not pace.merges
    assert (caught.value.reason, notes.shown) == ("closed", [1 if persisted else 0, 0])
    assert (first.state, last.state) == ("completed" if persisted else "failed", "failed")
    notes.clock.advance(9.0)
    assert len(notes.saved) == persisted
    assert notes.clock.pending == 0


def test_a_call_that_raises_is_not_part_of_what_waits() -> None:
    notes = Notes(debounce(1.0))
    notes.set(1, 1)
    with pytest.raises(Exception, match="no row with key 7"):
        notes.set(7, 1)
    notes.clock.advance(1.0)
    assert notes.saved == [(1.0, {1: 1})]


def test_a_subscriber_that_raises_does_not_keep_a_call_from_being_persisted() -> None:
    notes = Notes(debounce(1.0))
    with (
        notes.rows.subscribe(lambda changes: 1 // 0),
        pytest.raises(ExceptionGroup, match="subscribers raised"),
    ):
        notes.set(1, 1)
    notes.clock.advance(1.0)
    assert notes.saved == [(1.0, {1: 1})]


def test_subscribers_that_raise_do_not_stop_a_queue() -> None:
    notes = Notes(queue(wait=1.0))
    called: list[Any] = []
    save = paced(  # keeps nothing: when it returns, the old rows are seen again
        on_mutate=notes.show,
        mutation_fn=lambda tx: called.append(tx.mutations[0].value["n"]),
        pace=queue(wait=1.0),
        clock=notes.clock,
    )
    for n in (1, 2, 3):
        save(n % 2 + 1, n)
    with (
        notes.rows.subscribe(lambda changes: 1 // 0),
        pytest.raises(ExceptionGroup, match="subscribers raised") as caught,
    ):
        save.flush()
    assert (called, notes.shown) == ([1, 2, 3], [0, 0])
    assert len(caught.value.exceptions) == 2


def test_a_transaction_rolled_back_while_it_waits_is_not_persisted() -> None:
    notes = Notes(debounce(1.0))
    notes.set(1, 1).rollback()
    assert notes.shown == [0, 0]
    again = notes.set(1, 2)
    notes.clock.advance(1.0)
    assert (notes.saved, again.state) == ([(1.0, {1: 2})], "completed")


@pytest.mark.parametrize("pace", [debounce(1.0), throttle(1.0), queue()])
def test_one_is_persisted_at_a_time_in_order_and_later_calls_wait(pace: Pace) -> None:
    async def scenario() -> None:
        notes = Notes(pace, is_slow=True)
        for n in (1, 2, 3):
            notes.set(1, n)
            notes.clock.advance(2.0)
            await settle()
        assert (len(notes.gates), notes.shown) == (1, [3, 0])
        for n in range(3):
            if n < len(notes.gates):
                notes.gates[n].set_result(None)
                await settle()
        values = [saved[1] for _, saved in notes.saved]
        assert values == ([1, 3] if pace.merges else [1, 2, 3])
        assert notes.shown == [3, 0]

    asyncio.run(scenario())


def test_a_failure_takes_along_what_waits_on_its_rows_and_the_next_call_begins_anew() -> None:
    async def scenario() -> None:
        notes = Notes(debounce(1.0), is_slow=True)
        first = notes.set(1, 1)
        notes.clock.advance(1.0)
        await settle()
        second = notes.set(1, 2)
        notes.gates[0].set_exception(OSError("down"))
        with pytest.raises(TransactionError, match="OSError: down"):
            await first
        with pytest.raises(TransactionError, match="rolled back with"):
            await second
        assert notes.shown == [0, 0]
        third = notes.set(1, 3)
        notes.clock.advance(1.0)
        await settle()
        notes.gates[1].set_result(None)
        await third
        assert notes.shown == [3, 0]

    asyncio.run(scenario())


def test_leaving_the_block_waits_for_what_is_left() -> None:
    async def scenario() -> None:
        notes = Notes(queue(wait=5.0), is_slow=True)

        async def work() -> None:
            async with notes.set:
                for n in (1, 2):
                    notes.set(1, n)

        working = asyncio.ensure_future(work())
        await settle()
        notes.gates[0].set_result(None)
        await settle()
        assert not working.done()
        notes.gates[1].set_result(None)
        await working
        assert [saved for _, saved in notes.saved] == [{1: 1}, {1: 2}]

    asyncio.run(scenario())


def test_an_async_function_without_a_loop_raises_before_anything_is_shown() -> None:
    notes = Notes(debounce(1.0), is_slow=True)
    with pytest.raises(Exception, match="is async, and no event loop is running"):
        notes.set(1, 1)
    assert (notes.shown, notes.clock.pending) == ([0, 0], 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: debounce(-1),
        lambda: throttle(1, leading=False, trailing=False),
        lambda: queue(max_size=0),
    ],
)
def test_a_pace_that_means_nothing_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"a pace needs|at least 1"):
        make()


paces = st.sampled_from(
    [debounce(1.0), debounce(1.0, leading=True), throttle(1.0), queue(wait=1.0)]
)


@given(paces, st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from([0.0, 0.25, 0.75, 2.0]))))
def test_what_is_persisted_in_the_end_is_what_was_shown(
    pace: Pace, calls: list[tuple[int, float]]
) -> None:
    notes = Notes(pace)
    expected = {1: 0, 2: 0}
    for n, (key, pause) in enumerate(calls, start=1):
        notes.set(key, n)
        expected[key] = n
        assert dict(zip((1, 2), notes.shown, strict=True)) == expected
        notes.clock.advance(pause)
    notes.clock.advance(100.0)
    persisted = {1: 0, 2: 0}
    for _, saved in notes.saved:
        persisted.update(saved)
    assert persisted == expected == dict(zip((1, 2), notes.shown, strict=True))
    times = [time for time, _ in notes.saved]
    starts = times[1:] if pace.leading and pace.restarts else times
    assert all(later - earlier >= 1.0 for earlier, later in itertools.pairwise(starts))
    if not pace.merges:
        assert len(notes.saved) == len(calls)


def test_calls_in_a_batch_are_persisted_one_at_a_time_once_it_is_published() -> None:
    async def scenario() -> None:
        notes = Notes(queue(), is_slow=True)
        with batch():
            made = [notes.set(1, n) for n in (1, 2, 3)]
        for rest in (3, 2, 1):
            await settle()
            assert (len(notes.gates), notes.set.statistics().waiting) == (4 - rest, rest - 1)
            notes.gates[-1].set_result(None)
        await notes.set.drain()
        assert [tx.state for tx in made] == ["completed"] * 3
        assert [saved for _, saved in notes.saved] == [{1: 1}, {1: 2}, {1: 3}]

    asyncio.run(scenario())


@pytest.mark.parametrize("pace", [queue(), throttle(1.0), debounce(1.0)])
def test_a_call_in_a_batch_that_is_discarded_was_not_made(pace: Pace) -> None:
    notes = Notes(pace)
    with suppress(ValueError), batch():
        discarded = notes.set(1, 1)
        raise ValueError
    assert (discarded.state, notes.set.statistics()) == ("failed", PacedStatistics(0, 0, 0))
    kept = notes.set(1, 2)
    notes.clock.advance(3.0)
    assert (kept.state, [saved for _, saved in notes.saved]) == ("completed", [{1: 2}])
