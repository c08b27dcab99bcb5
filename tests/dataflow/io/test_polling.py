import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow import Change, Collection, CollectionError, count, live, query
from dataflow.io.polling import Polled, polled, write_rows
from dataflow.io.statistics import PolledStatistics
from dataflow.testing import ManualClock
from tests.dataflow.io.waiting import settle

Row = dict[str, Any]


def collection() -> Collection[Row]:
    return Collection("items", key="id", ready=False)


def followed(items: Collection[Row]) -> list[list[tuple[str, Any]]]:
    seen: list[list[tuple[str, Any]]] = []
    items.subscribe(lambda changes: seen.append([(change.op, change.key) for change in changes]))
    return seen


class Server:
    """Rows that can be asked for; each question may be held up, and may fail."""

    def __init__(self, *rows: Row) -> None:
        self.rows: Iterable[Row] | None = rows
        self.failure: Exception | None = None
        self.asked = 0
        self.gates: list[asyncio.Event] = []

    def read(self) -> Iterable[Row] | None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.rows

    async def read_slowly(self) -> Iterable[Row] | None:
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return self.read()


rows = st.lists(
    st.builds(lambda key, n: {"id": key, "n": n}, st.integers(0, 5), st.integers(0, 2)),
    unique_by=lambda row: row["id"],
)


@given(st.lists(rows))
def test_each_snapshot_arrives_as_its_difference_to_the_one_before(
    snapshots: list[list[Row]],
) -> None:
    items = Collection("items", key="id")
    folded: dict[Any, Row] = {}

    def fold(changes: list[Change[Row]]) -> None:
        for change in changes:
            assert change.old == folded.get(change.key) if change.op != "delete" else True
            assert change.op == "insert" or change.key in folded
            assert change.op != "update" or change.value != change.old
            if change.op == "delete":
                del folded[change.key]
            else:
                folded[change.key] = change.value

    items.subscribe(fold)
    for snapshot in snapshots:
        write_rows(items, snapshot)
        assert folded == dict(items) == {row["id"]: row for row in snapshot}


def test_two_rows_with_one_key_are_refused_and_nothing_is_written() -> None:
    items = collection()
    write_rows(items, [{"id": 1}])
    with pytest.raises(CollectionError, match="two rows with the key 2"):
        write_rows(items, [{"id": 2, "n": 1}, {"id": 2, "n": 2}])
    assert items.rows() == [{"id": 1}]


def test_statistics_count_reads_and_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    items, server = collection(), Server({"id": 1})
    source = polled(items, server.read)
    source.refetch_now()
    server.rows = None
    source.refetch_now()
    server.failure = OSError("down")
    with caplog.at_level("WARNING", logger="dataflow"), pytest.raises(OSError, match="down"):
        source.refetch_now()
    assert source.statistics() == PolledStatistics(reads=1, skipped=1, failures=1)
    assert caplog.messages == ["the source of collection 'items' failed: OSError('down')"]


def test_insert_update_delete_failure_and_recovery_without_an_event_loop() -> None:
    items, server = collection(), Server({"id": 1, "n": 1}, {"id": 2, "n": 1})
    seen = followed(items)
    source = polled(items, server.read)
    assert items.status == "idle"
    source.refetch_now()
    source.refetch_now()
    server.rows = [{"id": 2, "n": 2}, {"id": 3, "n": 1}]
    source.refetch_now()
    server.failure = OSError("down")
    with pytest.raises(OSError, match="down"):
        source.refetch_now()
    assert (items.status, items.error, len(items)) == ("error", server.failure, 2)
    server.failure = None
    source.refetch_now()
    assert (items.status, items.error) == ("ready", None)
    assert seen == [
        [("insert", 1), ("insert", 2)],
        [("update", 2), ("insert", 3), ("delete", 1)],
    ]


def test_rows_that_do_not_fit_are_a_failure_until_others_come() -> None:
    items, server = collection(), Server({"id": 1})
    source = polled(items, server.read)
    source.refetch_now()
    server.rows = [{"id": 2}, {"id": 2}]
    with pytest.raises(CollectionError, match="two rows"):
        source.refetch_now()
    server.rows = None  # "as before": still two rows with one key
    with pytest.raises(CollectionError, match="two rows"):
        source.refetch_now()
    assert (items.status, items.rows()) == ("error", [{"id": 1}])
    server.rows = [{"id": 2}]
    source.refetch_now()
    assert (items.status, items.rows()) == ("ready", [{"id": 2}])


def test_the_first_rows_and_what_waits_for_them_are_one_epoch() -> None:
    items, server = collection(), Server({"id": 1}, {"id": 2})
    row = items.alias("row")
    total = live(query(row).select(n=count()))
    seen: list[tuple[str, Any]] = []
    items.subscribe(lambda changes: seen.append((items.status, total.rows())))
    total.subscribe(lambda changes: seen.append((total.status, total.rows())))
    polled(items, server.read).refetch_now()
    assert seen == [("ready", [{"n": 2}])] * 2


def test_none_means_that_nothing_has_changed() -> None:
    items, server = collection(), Server({"id": 1})
    source = polled(items, server.read)
    source.refetch_now()
    server.rows = None
    source.refetch_now()
    assert (items.status, items.rows()) == ("ready", [{"id": 1}])


def test_what_subscribers_raise_is_no_failure_of_the_source() -> None:
    items, server = collection(), Server({"id": 1})
    source = polled(items, server.read)
    items.subscribe(lambda changes: 1 // 0)
    with pytest.raises(ExceptionGroup, match="subscribers raised"):
        source.refetch_now()
    assert (items.status, items.rows()) == ("ready", [{"id": 1}])


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_it_polls_from_entering_to_leaving() -> None:
    async def scenario() -> None:
        items, server, clock = collection(), Server({"id": 1}), ManualClock()
        source = polled(items, server.read, every=10.0, clock=clock)
        async with source:
            assert (items.status, items.rows(), server.asked) == ("ready", [{"id": 1}], 1)
            await settle()
            clock.advance(9.5)
            await settle()
            assert server.asked == 1
            server.failure = OSError("down")
            clock.advance(0.5)
            await settle()
            assert (server.asked, items.status, items.rows()) == (2, "error", [{"id": 1}])
            server.failure, server.rows = None, [{"id": 2}]
            clock.advance(10.0)
            await settle()
            assert (server.asked, items.status, items.rows()) == (3, "ready", [{"id": 2}])
        assert clock.pending == 0
        with pytest.raises(CollectionError, match="is closed"):
            await source.refetch()
        await source.close()
        assert (items.status, items.rows()) == ("ready", [{"id": 2}])

    run(scenario)


def test_entering_raises_when_the_first_read_fails() -> None:
    async def scenario() -> None:
        server = Server()
        server.failure = OSError("down")
        with pytest.raises(CollectionError, match="status 'error'") as caught:
            async with polled(collection(), server.read):
                pytest.fail("entered")
        assert caught.value.__cause__ is server.failure

    run(scenario)


def test_who_asks_while_a_read_runs_gets_one_that_began_afterwards() -> None:
    async def scenario() -> None:
        items, server = collection(), Server({"id": 1})
        source = polled(items, server.read_slowly)
        first = asyncio.ensure_future(source.refetch())
        await settle()
        others = [asyncio.ensure_future(source.refetch()) for _ in range(3)]
        await settle()
        assert len(server.gates) == 1
        server.gates[0].set()
        await first
        await settle()
        assert ([each.done() for each in others], len(server.gates)) == ([False] * 3, 2)
        server.rows = [{"id": 2}]
        server.gates[1].set()
        await asyncio.gather(*others)
        assert (items.rows(), server.asked) == ([{"id": 2}], 2)

    run(scenario)


def test_who_stops_waiting_does_not_stop_the_read() -> None:
    async def scenario() -> None:
        items, server = collection(), Server({"id": 1})
        source = polled(items, server.read_slowly)
        asking = asyncio.ensure_future(source.refetch())
        await settle()
        asking.cancel()
        await settle()
        server.gates[0].set()
        await settle()
        assert items.rows() == [{"id": 1}]

    run(scenario)


def test_closing_before_the_first_rows_tells_those_who_wait() -> None:
    async def scenario() -> None:
        items, server = collection(), Server({"id": 1})
        source = polled(items, server.read_slowly)
        waiting = asyncio.ensure_future(items.preload())
        await settle()
        await source.close()
        with pytest.raises(CollectionError) as caught:
            await waiting
        assert str(caught.value.__cause__) == "the source was closed before the first rows came"

    run(scenario)


def test_an_async_function_cannot_be_read_without_an_event_loop() -> None:
    source: Polled[Row] = polled(collection(), Server().read_slowly)
    with pytest.raises(CollectionError, match="is async: await refetch"):
        source.refetch_now()


def test_a_blocking_function_may_run_in_a_thread_while_rows_stay_in_theirs() -> None:
    async def scenario() -> None:
        items = collection()
        threads = []

        def read() -> Iterable[Row]:
            threads.append(threading.current_thread())
            yield {"id": 1}

        await polled(items, read, thread=True).refetch()
        assert (items.rows(), threads == [threading.current_thread()]) == ([{"id": 1}], False)

    run(scenario)


def test_what_subscribers_raise_while_polling_goes_to_the_event_loop() -> None:
    async def scenario() -> None:
        reported: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: reported.append(told))
        items = collection()
        items.subscribe(lambda changes: 1 // 0)
        async with polled(items, Server({"id": 1}).read):
            assert items.status == "ready"
            await settle()
        assert [told["message"] for told in reported] == [
            "subscribers of collection 'items' raised"
        ]

    run(scenario)


def test_polling_survives_a_read_in_which_something_was_cancelled() -> None:
    async def scenario() -> None:
        answers: list[BaseException | None] = [None, asyncio.CancelledError()]

        async def read() -> list[Any]:
            await asyncio.sleep(0)
            if answers and (failure := answers.pop(0)):
                raise failure
            return [{"id": len(answers)}]

        clock, rows = ManualClock(), Collection("rows", key="id", ready=False)
        async with polled(rows, read, every=1.0, clock=clock):
            await settle()
            clock.advance(1.0)
            await settle()
            assert (rows.status, rows.rows()) == ("error", [{"id": 1}])
            clock.advance(1.0)
            await settle()
            assert (rows.status, rows.rows()) == ("ready", [{"id": 0}])

    asyncio.run(scenario())


def test_polling_ends_when_the_collection_is_closed() -> None:
    async def scenario() -> None:
        reports: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        clock, rows, reads = ManualClock(), collection(), []

        def read() -> list[Row]:
            reads.append(clock.time())
            return [{"id": len(reads)}]

        async with polled(rows, read, every=1.0, clock=clock):
            await settle()
            rows.close()
            for _ in range(3):
                clock.advance(1.0)
                await settle()
        assert (reads, reports, clock.pending) == ([0.0], [], 0)

    asyncio.run(scenario())
