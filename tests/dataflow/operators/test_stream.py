"""Building circuits: what may be connected, and what is refused when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow.errors import CollectionError, QueryError
from dataflow.operators.circuit import Circuit
from dataflow.operators.stream import DeltaStream
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable

Stream = DeltaStream[Any]


def itself(row: Any) -> Any:
    return row


NOT_MONOTONE: dict[str, Callable[[Stream, Stream], object]] = {
    "negate": lambda found, _: found.negate(),
    "antijoin": lambda found, other: found.antijoin(other, left_key=itself, right_key=itself),
    "count": lambda found, _: found.count(),
    "reduce": lambda found, _: found.reduce(lambda _, rows: rows),
    "topk": lambda found, _: found.topk(1),
    "inspect": lambda found, _: found.inspect(print),
    "output": lambda found, _: found.output(),
    "iterate": lambda found, _: found.iterate(itself),
}


@pytest.mark.parametrize("method", NOT_MONOTONE)
def test_a_loop_refuses_what_is_not_monotone_in_it(method: str) -> None:
    circuit = Circuit()
    seed, other = circuit.source(), circuit.source()
    refused: Any = NOT_MONOTONE[method]
    with pytest.raises(QueryError, match=f"{method} cannot depend on the variable of a loop"):
        seed.iterate(lambda found: refused(found.map(itself), other))


def test_a_loop_refuses_an_antijoin_with_the_rows_found_on_the_right() -> None:
    circuit = Circuit()
    seed, other = circuit.source(), circuit.source()
    with pytest.raises(QueryError, match="antijoin cannot depend on the variable of a loop"):
        seed.iterate(lambda found: other.antijoin(found, left_key=itself, right_key=itself))


def test_what_does_not_depend_on_the_rows_found_is_outside_of_the_loop() -> None:
    circuit = Circuit()
    seed, other = circuit.source(), circuit.source()
    found = seed.iterate(lambda found: found.concat(other.topk(1))).output()
    other.push(ZSet.from_rows([3, 2]))
    other.push(ZSet.from_rows([1]))
    assert found.rows == ZSet.from_rows([1])


def test_the_inside_of_a_loop_cannot_be_read_from_outside() -> None:
    circuit = Circuit()
    seed = circuit.source()
    leaked: list[Stream] = []

    def step(found: Stream) -> Stream:
        leaked.append(found.map(itself))
        return leaked[0]

    seed.iterate(step)
    message = "stream of 'map 5' is inside a loop and cannot be read from outside"
    reads: list[Callable[[], object]] = [
        lambda: leaked[0].map(itself),
        lambda: seed.iterate(lambda _: leaked[0]),
    ]
    for read in reads:
        with pytest.raises(QueryError, match=message):
            read()
    with pytest.raises(QueryError, match=message):
        seed.iterate(lambda found: found.concat(leaked[0]))


def test_streams_of_two_circuits_do_not_meet() -> None:
    one, two = Circuit("one").source("left"), Circuit("two").source("right")
    with pytest.raises(QueryError, match="stream of 'right 1' belongs to circuit 'two', not 'one'"):
        one.concat(two)


def test_a_circuit_that_has_run_takes_no_new_operator() -> None:
    circuit = Circuit("sealed")
    source = circuit.source()
    source.push(ZSet.from_rows([1]))
    for build in (circuit.source, source.output, source.negate, source.distinct):
        with pytest.raises(CollectionError, match="circuit 'sealed' has run"):
            build()


def test_a_stream_shows_its_operator_and_what_that_did() -> None:
    circuit = Circuit()
    words = circuit.source("words")
    unique = words.distinct()
    assert repr(unique) == "<DeltaStream of 'distinct 2'>"
    words.push(ZSet.from_rows(["to", "be", "to"]))
    words.push(ZSet([("be", -1)]))
    found = unique.statistics()
    assert (found.name, found.steps, found.rows_held, found.rows_touched) == ("distinct 2", 2, 1, 3)
