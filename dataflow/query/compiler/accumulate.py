"""Accumulators: how each aggregate keeps its cells in a group, as source text.

A group is one list: `cells[0]` counts its rows, each accumulator owns one or two cells after it. Counts and sums of ints are
updated in place; everything else is an object of `dataflow.aggregation` with `add` and `remove`. Aggregates over the same
argument share cells: `sum_(x)` and `avg(x)`, `min_(x)` and `max_(x)`.

kind                    cells                       add                               result
count()                 none                        -                                 cells[0]
count(x)                int                         += 1 where x is not null          the int
sum, avg                count of ints, total        += for ints; `Total` once widened None of nothing, else exact
min, max                Extremes                    .add(x)                           None of nothing
collect, first, last    OrderedRows                 .add(order, row key, x)           a fresh list; the first; the last
fold                    Fold                        .add(order, row key, x)           finish(state), replayed from the edit
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.aggregation.extremes import Extremes
from dataflow.aggregation.folding import Fold
from dataflow.aggregation.sequence import OrderedRows
from dataflow.aggregation.sums import Total
from dataflow.errors import QueryError
from dataflow.query.scalar import Aggregate, Call, Const, Ordering, Scalar
from dataflow.values.order import Direction, column_key

if TYPE_CHECKING:
    from collections.abc import Callable

SUPPORTED = ("count", "sum", "avg", "min", "max", "collect", "first", "last", "fold")


def widened(cells: list[Any], at: int) -> Total:
    """Return the `Total` of a sum that has met more than ints, made from the ints so far when it is the first time."""
    total = cells[at + 1]
    if total.__class__ is int:
        total = cells[at + 1] = Total(total, cells[at])
    return total  # type: ignore[no-any-return]  # a cell


def sum_of(cells: list[Any], at: int) -> Any:
    """Return the sum kept in two cells, None if nothing contributes."""
    total = cells[at + 1]
    if total.__class__ is int:
        return total if cells[at] else None
    return total.total()


def mean_of(cells: list[Any], at: int) -> Any:
    """Return the mean kept in two cells, None if nothing contributes."""
    total = cells[at + 1]
    if total.__class__ is int:
        return total / cells[at] if cells[at] else None
    return total.mean()


NAMES: dict[str, Any] = {
    "Extremes": Extremes,
    "Fold": Fold,
    "OrderedRows": OrderedRows,
    "mean_of": mean_of,
    "sum_of": sum_of,
    "widened": widened,
}


@dataclass(slots=True)
class Cells:
    """The cells of a group under construction, as source text.

    Attributes:
        inputs: expressions evaluated once per row before anything is changed, in order; local `x{i}`.
        initial: source of each cell's first value; cell 0 is the row count.
        add, remove: lines that take a row's inputs in or out.
        results: source of each aggregate's value.
        directions: of the order columns met so far; local `order{i}` is their `column_key`.
    """

    inputs: list[Scalar] = field(default_factory=list)
    initial: list[str] = field(default_factory=lambda: ["0"])
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    directions: list[Direction] = field(default_factory=list)
    _shared: dict[Any, int] = field(default_factory=dict)

    def input(self, node: Scalar) -> str:
        """Return the local that holds an expression of the row."""
        if node not in self.inputs:
            self.inputs.append(node)
        return f"x{self.inputs.index(node)}"

    def aggregate(self, node: Aggregate) -> None:
        """Add an aggregate."""
        match node.kind:
            case "count":
                self._count(node)
            case "sum" | "avg":
                at = self._share(
                    ("sum", node.args, node.where), lambda: self._sum(self._argument(node))
                )
                self.results.append(f"{'sum_of' if node.kind == 'sum' else 'mean_of'}(cells, {at})")
            case "min" | "max":
                at = self._share(
                    ("min", node.args, node.where), lambda: self._extremes(self._argument(node))
                )
                self.results.append(f"cells[{at}].{node.kind}imum()")
            case "collect" | "first" | "last":
                key = ("rows", node.args, node.where, node.order_by)
                at = self._share(key, lambda: self._ordered(node, "OrderedRows()"))
                method = "rows" if node.kind == "collect" else node.kind
                self.results.append(
                    f"cells[{at}].{method}()" + (" or None" if method == "rows" else "")
                )
            case "fold":
                initial, step, finish = (f"p{option.index}" for option in node.options)
                at = self._ordered(node, f"Fold({initial}, {step}, {finish})")
                self.results.append(f"cells[{at}].result()")
            case kind:
                raise QueryError(f"aggregate {kind!r} is not supported in a live query")

    def _argument(self, node: Aggregate) -> str:
        """Return the local of the aggregated value, null where `where` does not hold."""
        value = node.args[0] if node.args else Const(value=True)
        if node.where is not None:
            value = Call("case", (node.where, value, Const(None)))
        return self.input(value)

    def _share(self, key: Any, make: Callable[[], int]) -> int:
        at = self._shared.get(key)
        if at is None:
            at = self._shared[key] = make()
        return at

    def _cell(self, initial: str) -> int:
        self.initial.append(initial)
        return len(self.initial) - 1

    def _count(self, node: Aggregate) -> None:
        if not node.args and node.where is None:
            self.results.append("cells[0]")
            return
        local = self._argument(node)
        at = self._cell("0")
        self.add += [f"if {local} is not None:", f"    cells[{at}] += 1"]
        self.remove += [f"if {local} is not None:", f"    cells[{at}] -= 1"]
        self.results.append(f"cells[{at}]")

    def _sum(self, local: str) -> int:
        at = self._cell("0")
        self._cell("0")
        for lines, sign, method in ((self.add, "+", "add"), (self.remove, "-", "remove")):
            lines += [
                f"if {local}.__class__ is int and cells[{at + 1}].__class__ is int:",
                f"    cells[{at}] {sign}= 1",
                f"    cells[{at + 1}] {sign}= {local}",
                f"elif {local} is not None:",
                f"    widened(cells, {at}).{method}({local})",
            ]
        return at

    def _extremes(self, local: str) -> int:
        at = self._cell("Extremes()")
        self.add += [f"if {local} is not None:", f"    cells[{at}].add({local})"]
        self.remove += [f"if {local} is not None:", f"    cells[{at}].remove({local})"]
        return at

    def _ordered(self, node: Aggregate, initial: str) -> int:
        local = self._argument(node)
        at = self._cell(initial)
        order = "".join(f"{self._order(part)}, " for part in node.order_by)
        where = f"({order.strip()}), row_sort_key(key)"
        self.add += [f"if {local} is not None:", f"    cells[{at}].add({where}, {local})"]
        self.remove += [f"if {local} is not None:", f"    cells[{at}].remove({where})"]
        return at

    def _order(self, part: Ordering) -> str:
        local = self.input(part.by)
        if not part.descending and not part.nulls_last:
            return f"sort_key({local})"
        direction = Direction(part.descending, part.nulls_last)
        if direction not in self.directions:
            self.directions.append(direction)
        return f"order{self.directions.index(direction)}({local})"


def column_keys(directions: list[Direction]) -> list[Callable[[object], Any]]:
    """Return the sort-key functions that the locals `order0`, `order1` … stand for."""
    return [column_key(direction) for direction in directions]
