"""Epochs: atomic, in order, and only when something changes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.errors import CollectionError
from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.running import Epoch, histories, key_of

if TYPE_CHECKING:
    from dataflow.operators.output import Output


class Fuse:
    """Functions that fail once in a while, wrapped around those of a circuit."""

    def __init__(self) -> None:
        self.calls_left: int | None = None

    def burn(self, answer: Any) -> Any:
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise RuntimeError("the fuse has blown")
        return answer


class Everything:
    """A circuit with every operator, all of whose functions go through one fuse."""

    def __init__(self) -> None:
        self.fuse = Fuse()
        self.circuit = Circuit()
        self.one, self.two = self.circuit.source("one"), self.circuit.source("two")
        burn = self.fuse.burn

        def key(row: Any) -> Any:
            return burn(row[0])

        keys = {"left_key": key, "right_key": key}
        one = self.one.filter(lambda row: burn(row[1] != "b"))
        two = self.two.map(lambda row: burn((row[0], row[1])))
        found = one.iterate(
            lambda found: found.join(two, **keys, into=lambda a, b: burn((b[1], a[1])))
        )
        streams = (
            one.join(two, **keys),
            one.semijoin(two, **keys).distinct(),
            one.antijoin(two, **keys).negate().concat(two),
            found.flat_map(lambda row: burn([row, row[1]])),
            one.reduce(lambda key, rows: burn([(key, rows)]), key=key),
            found.count(key=key),
            two.topk(2, key=key, order=lambda row: burn(row[1])),
        )
        self.outputs: list[Output[Any]] = [stream.output() for stream in streams]

    def push(self, epoch: Epoch) -> None:
        with self.circuit.batch():
            self.one.push(ZSet(epoch[0]))
            self.two.push(ZSet(epoch[1]))

    def attempt(self, epoch: Epoch) -> RuntimeError | None:
        try:
            self.push(epoch)
        except RuntimeError as error:
            return error
        return None

    def shown(self) -> tuple[Any, ...]:
        held = [each.rows_held for each in self.circuit.statistics().operators]
        return self.circuit.epoch, held, [(out.rows, out.delta) for out in self.outputs]


@given(histories(sources=2), st.integers(0, 2**32 - 1))
def test_an_epoch_in_which_a_function_fails_changes_nothing(
    history: list[Epoch], seed: int
) -> None:
    rng = random.Random(seed)
    failing, sound = Everything(), Everything()
    for epoch in history:
        before = failing.shown()
        failing.fuse.calls_left = rng.randint(0, 40)
        error = failing.attempt(epoch)
        failing.fuse.calls_left = None
        if error is not None:
            notes = [note.partition(" ")[0] for note in error.__notes__]
            assert notes in (["raised", "circuit"], ["raised", "raised", "circuit"])
            assert failing.shown() == before
            failing.circuit._check()
            failing.push(epoch)
        sound.push(epoch)
        assert failing.shown() == sound.shown()
        failing.circuit._check()


def test_a_failure_names_the_operator_and_the_epoch_that_still_stands() -> None:
    circuit = Circuit("ratios")
    numbers = circuit.source("numbers")
    ratios = numbers.map(lambda number: 1 / number).output()
    numbers.push(ZSet.from_rows([2]))
    with pytest.raises(ZeroDivisionError) as raised:
        numbers.push(ZSet.from_rows([4, 0]))
    assert raised.value.__notes__ == [
        "raised by operator 'map 2'",
        "circuit 'ratios' is as it was after epoch 1",
    ]
    assert (circuit.epoch, ratios.rows) == (1, ZSet.from_rows([0.5]))


def test_an_interrupt_discards_the_epoch_too() -> None:
    circuit = Circuit()
    source = circuit.source()
    interrupts = [KeyboardInterrupt()]

    def interrupted(row: Any) -> Any:
        if interrupts and row == 2:
            raise interrupts.pop()
        return row

    found = source.iterate(lambda found: found.map(interrupted)).output()
    source.push(ZSet.from_rows([1]))
    with pytest.raises(KeyboardInterrupt):
        source.push(ZSet.from_rows([2]))
    circuit._check()
    assert found.rows == ZSet.from_rows([1])
    source.push(ZSet.from_rows([2]))
    assert found.rows == ZSet.from_rows([1, 2])


def test_a_batch_is_one_epoch_and_shows_nothing_before_its_end() -> None:
    circuit = Circuit()
    one, two = circuit.source(), circuit.source()
    total = one.concat(two).output()
    with circuit.batch():
        one.push(ZSet.from_rows("a"))
        with circuit.batch():
            two.push(ZSet.from_rows("ab"))
        assert (circuit.epoch, total.rows) == (0, ZSet())
    assert (circuit.epoch, total.rows) == (1, ZSet([("a", 2), ("b", 1)]))


def test_a_batch_left_by_an_exception_is_discarded() -> None:
    circuit = Circuit()
    source = circuit.source()
    rows = source.output()

    def fail() -> None:
        with circuit.batch():
            source.push(ZSet.from_rows("a"))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    source.push(ZSet.from_rows("b"))
    assert (circuit.epoch, rows.rows) == (1, ZSet.from_rows("b"))


def test_pushes_that_sum_up_to_nothing_are_no_epoch() -> None:
    circuit = Circuit()
    source = circuit.source()
    rows = source.output()
    source.push(ZSet.from_rows("a"))
    source.push(ZSet())
    with circuit.batch():
        source.push(ZSet.from_rows("b"))
        source.push(-ZSet.from_rows("b"))
    assert (circuit.epoch, rows.delta) == (1, ZSet.from_rows("a"))


def test_a_pushed_zset_still_belongs_to_its_owner() -> None:
    circuit = Circuit()
    source = circuit.source()
    rows = source.output()
    delta = ZSet.from_rows("a")
    with circuit.batch():
        source.push(delta)
        delta.add("b")
    delta.add("c")
    assert rows.rows == ZSet.from_rows("a")


def test_only_zsets_are_pushed() -> None:
    numbers: Any = Circuit().source("numbers")
    with pytest.raises(CollectionError, match="'numbers 1' takes a ZSet, not a list"):
        numbers.push([1])


def test_a_function_that_the_circuit_calls_cannot_push() -> None:
    circuit = Circuit("loop")
    source = circuit.source()
    rows = source.map(lambda row: source.push(ZSet.from_rows([row + 1]))).output()
    with pytest.raises(CollectionError, match="cannot push into circuit 'loop' inside a function"):
        source.push(ZSet.from_rows([1]))
    assert (circuit.epoch, rows.rows) == (0, ZSet())


class Treacherous:
    """A row whose hash raises when it is asked for it the n-th time."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        self.times -= 1
        if not self.times:
            raise RuntimeError("no more")
        return 1


def test_a_circuit_torn_in_the_middle_of_a_commit_refuses_to_go_on() -> None:
    for times in range(1, 40):
        circuit = Circuit("torn")
        source = circuit.source()
        rows = source.distinct().output()
        row = Treacherous(times)
        try:
            source.push(ZSet.from_rows([row]))
        except RuntimeError:
            pass
        else:
            break
        if circuit.epoch:
            with pytest.raises(CollectionError, match="circuit 'torn' was interrupted"):
                source.push(ZSet.from_rows(["sound"]))
        else:
            source.push(ZSet.from_rows(["sound"]))
            assert rows.rows == ZSet.from_rows(["sound"])
    else:
        pytest.fail("the hash was never asked for often enough")


def test_statistics_count_rows_held_and_touched() -> None:
    circuit = Circuit()
    source = circuit.source("edges")
    source.count(key=key_of).output()
    source.push(ZSet.from_rows([("a", 1), ("a", 2), ("b", 1)]))
    found = circuit.statistics()
    held = {each.name: (each.steps, each.rows_held, each.rows_touched) for each in found.operators}
    assert held == {"edges 1": (1, 0, 3), "count 2": (1, 2, 5), "output 3": (1, 2, 2)}
    assert (found.epochs, found.rows_held, found.rows_touched) == (1, 4, 10)
