"""Law 9 for every operator: the rows touched by a delta do not grow with the rows that are there.

The same small changes are made to a circuit of 100 and to one of 5,000 rows. Groups, join partners and components of the
graph have a fixed size; `statistics()` counts, no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.running import key_of, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.operators.stream import DeltaStream

SMALL, LARGE = 100, 5_000
GROUP = 5


def reachable(roots: DeltaStream[Any], edges: DeltaStream[Any]) -> DeltaStream[Any]:
    return roots.iterate(
        lambda found: found.join(
            edges, left_key=value_of, right_key=key_of, into=lambda _, edge: edge
        )
    )


CIRCUITS: dict[str, Callable[[DeltaStream[Any], DeltaStream[Any]], DeltaStream[Any]]] = {
    "map": lambda one, _: one.map(value_of),
    "filter": lambda one, _: one.filter(value_of),
    "flat_map": lambda one, _: one.flat_map(list),
    "concat": lambda one, two: one.concat(two),
    "negate": lambda one, _: one.negate(),
    "join": lambda one, two: one.join(two, left_key=key_of, right_key=key_of),
    "semijoin": lambda one, two: one.semijoin(two, left_key=key_of, right_key=value_of),
    "antijoin": lambda one, two: one.antijoin(two, left_key=key_of, right_key=value_of),
    "reduce": lambda one, _: one.reduce(lambda _, rows: [rows[0]], key=key_of),
    "count": lambda one, _: one.count(key=key_of),
    "count of all": lambda one, _: one.count(),
    "distinct": lambda one, _: one.distinct(),
    "topk": lambda one, _: one.topk(2, key=key_of, order=value_of),
    "topk of all": lambda one, _: one.topk(10, offset=5, order=value_of, descending=True),
    "inspect": lambda one, _: one.inspect(lambda _: None),
    "iterate": reachable,
}


def touched(build: Callable[..., DeltaStream[Any]], size: int) -> list[int]:
    """Load rows, change a few; return the rows touched by each change."""
    circuit = Circuit()
    one, two = circuit.source(), circuit.source()
    build(one, two).output()
    loaded = [(n // GROUP * GROUP, n) for n in range(size)]
    with circuit.batch():
        one.push(ZSet.from_rows(loaded))
        two.push(ZSet.from_rows((a + GROUP - 1, b) for a, b in loaded))
        two.push(ZSet.from_rows(loaded))
    counts = []
    for source, change in (
        (one, ZSet([((10, 11), -1)])),
        (one, ZSet([((10, 11), 1), ((20, 21), -1), ((20, -5), 2)])),
        (two, ZSet([((14, 11), -1), ((14, 12), -1)])),
        (two, ZSet([((10, 14), -1), ((14, 10), 1), ((0, 3), -1)])),
        (one, ZSet([((0, 0), -1), ((0, "new"), 1)])),
    ):
        before = circuit.statistics().rows_touched
        source.push(change)
        counts.append(circuit.statistics().rows_touched - before)
    return counts


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_rows_touched_by_a_change_do_not_depend_on_the_size(name: str) -> None:
    small = touched(CIRCUITS[name], SMALL)
    assert small == touched(CIRCUITS[name], LARGE)
    assert all(small[i] > 0 for i in (0, 1, 4))
