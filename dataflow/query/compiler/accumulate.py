"""Accumulators: how each aggregate keeps its cells in a group, as source text.

A group is one list: `cells[0]` counts its rows, each accumulator owns one or two cells after it. Counts, sums of ints and a few
numbers in order are updated in place; everything else is an object of `dataflow.aggregation` with `add` and `remove` (`cells`).
Aggregates over the same argument share cells: `sum_(x)` and `avg(x)`, `min_(x)` and `max_(x)`, `collect(x)` and
`string_agg(x, ', ')`.

kind                    cells                       add                               result
count()                 none                        -                                 cells[0]
count(x)                int                         += 1 where x is not null          the int
sum, avg                count of ints, total        += for ints; `Total` once widened None of nothing, else exact
any, all                two ints: true, known       += 1 where x is True or known     None of nothing known
min, max                class, values in order      in its place, or `Extremes`       None of nothing
count_distinct          Distinct                    .add(x)                           how many
median                  Median                      .add(x)                           None of nothing
variance, stddev        Moments                     .add(x)                           None of fewer than two
collect, first, last    OrderedRows                 .add(order, row key, x)           a fresh list; the first; the last
string_agg              OrderedRows                 .add(order, row key, x)           their texts, joined; None of nothing
fold                    Fold                        .add(order, row key, x)           finish(state), replayed from the edit
aggregate               Retractable                 .add(x)                           finish(state), the changes applied
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.errors import QueryError
from dataflow.query.scalar import Aggregate, Call, Const, Ordering, Scalar
from dataflow.values import kinds
from dataflow.values.order import Direction, column_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.scalar import Param


@dataclass(slots=True)
class Cells:
    """The cells of a group under construction, as source text.

    Attributes:
        inputs: expressions evaluated once per row before anything is changed, in order; local `x{i}`.
        initial: source of each cell's first value; cell 0 is the row count.
        add, remove: lines that take a row's inputs in or out.
        load: lines that take in all rows of a new group at once, given the list `xs{i}` of each input and the class `cls{i}` that
            all its values in all groups have, or None; no lines but None if there is no such way.
        loaded: which inputs those lines read.
        results: source of each aggregate's value.
        directions: of the order columns met so far; local `order{i}` is their `column_key`.
    """

    inputs: list[Scalar] = field(default_factory=list)
    initial: list[str] = field(default_factory=lambda: ["0"])
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    load: list[str] | None = field(default_factory=list)
    loaded: dict[str, None] = field(default_factory=dict)
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
        write = _WRITERS.get(node.kind)
        if write is None:
            raise QueryError(f"aggregate {node.kind!r} is not supported in a live query")
        write(self, node)

    def _argument(self, node: Aggregate) -> str:
        """Return the local of the aggregated value, null where `where` does not hold."""
        value = node.args[0] if node.args else Const(value=True)
        if node.where is not None:
            value = Call("case", (node.where, value, Const(None)))
        return self.input(value)

    def _load(self, local: str, line: str) -> None:
        """Add a line that takes in the values of an input; `{0}` stands for their list, `{1}` for their class."""
        if self.load is not None:
            self.loaded[local] = None
            self.load.append(line.format(f"xs{local[1:]}", f"cls{local[1:]}"))

    def _share(self, key: Any, make: Callable[[], int]) -> int:
        at = self._shared.get(key)
        if at is None:
            at = self._shared[key] = make()
        return at

    def _cell(self, initial: str) -> int:
        self.initial.append(initial)
        return len(self.initial) - 1

    def count(self, node: Aggregate) -> None:
        """Write count."""
        if not node.args and node.where is None:
            self.results.append("cells[0]")
            return
        local = self._argument(node)
        at = self._cell("0")
        self.add += [f"if {local} is not None:", f"    cells[{at}] += 1"]
        self.remove += [f"if {local} is not None:", f"    cells[{at}] -= 1"]
        self._load(local, f"cells[{at}] = len([x for x in {{0}} if x is not None])")
        self.results.append(f"cells[{at}]")

    def sum(self, node: Aggregate) -> None:
        """Write sum and avg, which share their cells."""
        key = ("sum", node.args, node.where)
        at = self._share(key, lambda: self._sum(self._argument(node)))
        if node.kind == "sum":
            total = f"cells[{at + 1}]"
            in_place = f"{total} if {total}.__class__ is int and cells[{at}]"
            self.results.append(
                f"{in_place} else {total}.total() if {total}.__class__ is Total else None"
            )
        else:
            self.results.append(f"mean_of(cells, {at})")

    def connective(self, node: Aggregate) -> None:
        """Write any and all, which share their cells."""
        key = ("any", node.args, node.where)
        at = self._share(key, lambda: self._truths(self._argument(node)))
        wanted = "0 < cells[{0}]" if node.kind == "any" else "cells[{0}] == cells[{1}]"
        test = wanted.format(at, at + 1)
        self.results.append(f"{test} if cells[{at + 1}] else None")

    def extreme(self, node: Aggregate) -> None:
        """Write min and max, which share a cell."""
        key = ("extremes", node.args, node.where)
        at = self._share(key, lambda: self._extremes(self._argument(node)))
        held = f"cells[{at + 1}]"
        end, slow = (0, "minimum_of") if node.kind == "min" else (-1, "maximum_of")
        self.results.append(
            f"{held}[{end}] if {held}.__class__ is list and {held} else {slow}({held})"
        )

    def multiset(self, node: Aggregate) -> None:
        """Write an aggregate that is one object, which values are added to and removed from."""
        initial, result = _MULTISETS[node.kind]
        key = (initial, node.args, node.where)
        at = self._share(key, lambda: self._object(node, initial))
        self.results.append(result.format(f"cells[{at}]"))

    def sequence(self, node: Aggregate) -> None:
        """Write collect, first, last and string_agg, which share the rows of one order."""
        key = ("rows", node.args, node.where, node.order_by)
        at = self._share(key, lambda: self._ordered(node, "OrderedRows()"))
        cell = f"cells[{at}]"
        if node.kind == "string_agg":
            self.results.append(f"joined({cell}, {_parameter(node.options[0])})")
        elif node.kind == "collect":
            self.results.append(f"{cell}.rows() or None")
        else:
            self.results.append(f"{cell}.{node.kind}()")

    def fold(self, node: Aggregate) -> None:
        """Write fold."""
        at = self._ordered(node, f"Fold({', '.join(map(_parameter, node.options))})")
        self.results.append(f"cells[{at}].result()")

    def retractable(self, node: Aggregate) -> None:
        """Write an aggregate of the user."""
        at = self._object(node, f"Retractable({', '.join(map(_parameter, node.options))})")
        self.results.append(f"cells[{at}].result()")

    def _sum(self, local: str) -> int:
        at = self._cell("0")
        self._cell("0")
        total = f"cells[{at + 1}]"
        for lines, sign, method in ((self.add, "+", "add"), (self.remove, "-", "remove")):
            lines += [
                f"if {local}.__class__ is int and {total}.__class__ is int:",
                f"    cells[{at}] {sign}= 1",
                f"    {total} {sign}= {local}",
                f"elif {local} is not None and {total}.__class__ is Total:",
                f"    {total}.{method}({local})",
                f"elif {local} is not None:",
                f"    widened(cells, {at}).{method}({local})",
            ]
        self._load(local, f"load_sum(cells, {at}, {{0}}, {{1}})")
        return at

    def _extremes(self, local: str) -> int:
        at = self._cell("None")
        self._cell("[]")
        held = f"cells[{at + 1}]"
        self.add += [
            f"if {local}.__class__ is cells[{at}] and {local} > 0 and len({held}) < LONGEST:",
            f"    insort({held}, {local})",
            f"elif {local} is not None:",
            f"    add_extreme(cells, {at}, {local})",
        ]
        self.remove += [
            f"if {held}.__class__ is not list:",
            f"    {held}.remove({local})",
            f"elif {local} is not None:",
            f"    del {held}[bisect_left({held}, {local})]",
        ]
        self._load(local, f"load_extremes(cells, {at}, {{0}}, {{1}})")
        return at

    def _truths(self, local: str) -> int:
        at = self._cell("0")
        self._cell("0")
        self.load = None
        for lines, sign in ((self.add, "+"), (self.remove, "-")):
            lines += [
                f"if {local} is True:",
                f"    cells[{at}] {sign}= 1",
                f"    cells[{at + 1}] {sign}= 1",
                f"elif {local} is False:",
                f"    cells[{at + 1}] {sign}= 1",
            ]
        return at

    def _object(self, node: Aggregate, initial: str) -> int:
        local = self._argument(node)
        at = self._cell(initial)
        self.add += [f"if {local} is not None:", f"    cells[{at}].add({local})"]
        self.remove += [f"if {local} is not None:", f"    cells[{at}].remove({local})"]
        self._load(local, f"add_each(cells[{at}], {{0}})")
        return at

    def _ordered(self, node: Aggregate, initial: str) -> int:
        local = self._argument(node)
        at = self._cell(initial)
        self.load = None  # rows of an order are told apart by their keys
        order = "".join(f"{self._order(part)}, " for part in node.order_by)
        tie = f"({kinds.TEXT}, key) if key.__class__ is str else row_sort_key(key)"
        where = f"({order.strip()}), {tie}"
        self.add += [f"if {local} is not None:", f"    cells[{at}].add({where}, {local})"]
        self.remove += [f"if {local} is not None:", f"    cells[{at}].remove({where})"]
        return at

    def _order(self, part: Ordering) -> str:
        local = self.input(part.by)
        if not part.descending and not part.nulls_last:
            return f"({kinds.NUMBER}, {local}) if {local}.__class__ is int else sort_key({local})"
        direction = Direction(part.descending, part.nulls_last)
        if direction not in self.directions:
            self.directions.append(direction)
        return f"order{self.directions.index(direction)}({local})"


_MULTISETS = {
    "count_distinct": ("Distinct()", "len({})"),
    "median": ("Median()", "{}.median()"),
    "stddev": ("Moments()", "{}.deviation()"),
    "variance": ("Moments()", "{}.variance()"),
}
"""Kind -> source of the object's first value, and of its result."""

_WRITERS: dict[str, Callable[[Cells, Aggregate], None]] = {
    "aggregate": Cells.retractable,
    "all": Cells.connective,
    "any": Cells.connective,
    "avg": Cells.sum,
    "collect": Cells.sequence,
    "count": Cells.count,
    "first": Cells.sequence,
    "fold": Cells.fold,
    "last": Cells.sequence,
    "max": Cells.extreme,
    "min": Cells.extreme,
    "string_agg": Cells.sequence,
    "sum": Cells.sum,
    **dict.fromkeys(_MULTISETS, Cells.multiset),
}


def _parameter(option: Param) -> str:
    """Return the local that holds an option, which has been lifted out of the shape."""
    return f"p{option.index}"


def column_keys(directions: list[Direction]) -> list[Callable[[object], Any]]:
    """Return the sort-key functions that the locals `order0`, `order1` … stand for."""
    return [column_key(direction) for direction in directions]
