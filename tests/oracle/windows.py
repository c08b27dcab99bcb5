"""Window functions by their definition: for every row, its partition is sorted anew.

Rows come as (key, environment) pairs; `windowed` answers them with one more cell for each function
in the anonymous row `""`, after the cells of a group or one for the row of each alias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query import ir
from dataflow.query.scalar import Aggregate, Window
from tests.oracle.aggregates import Entry, aggregate, compare_orders, ordered
from tests.oracle.scalars import value_of
from tests.oracle.semantics import normal, same

if TYPE_CHECKING:
    from collections.abc import Sequence


def windowed(node: ir.Windowed, entries: Sequence[Entry]) -> list[Entry]:
    """Append the value of each window function to every row."""
    aliases = ir.scope(node)
    result: list[Entry] = []
    for key, env in entries:
        cells = env.get("", (None,) * len(aliases))
        values = [_value(window, (key, env), entries) for window in node.windows]
        result.append((key, {**env, "": (*cells, *values)}))
    return result


def _value(window: Window, entry: Entry, entries: Sequence[Entry]) -> Any:
    def partition_of(env: Any) -> list[Any]:
        return [normal(value_of(part, env)) for part in window.partition_by]

    mine = partition_of(entry[1])
    rows = ordered([e for e in entries if same(partition_of(e[1]), mine)], window.order_by)
    here = next(n for n, (key, _) in enumerate(rows) if same(key, entry[0]))
    if window.kind == "row_number":
        return here + 1
    if window.kind in ("rank", "dense_rank"):
        before = [row for row in rows if compare_orders(row, entry, window.order_by) < 0]
        return 1 + (len(before) if window.kind == "rank" else _different(before, window))
    if window.kind in ("lag", "lead"):
        there = here - window.offset if window.kind == "lag" else here + window.offset
        value, default = window.args
        if 0 <= there < len(rows):
            return value_of(value, rows[there][1])
        return value_of(default, entry[1])
    seen = rows[: here + 1] if window.order_by else rows
    return aggregate(Aggregate(window.kind, window.args, window.where), seen)


def _different(rows: Sequence[Entry], window: Window) -> int:
    """Count the rows whose order is another than that of the row before."""
    return sum(
        n == 0 or compare_orders(rows[n - 1], row, window.order_by) != 0
        for n, row in enumerate(rows)
    )
