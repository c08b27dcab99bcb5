"""Window: values computed over the rows of a partition, appended to each of its rows.

Law         rows == each input row with the values of the functions over its partition, recomputed, after every epoch
Delta rule  take `old` out of its partition and `new` into its own; each touched partition computes again what may have changed;
            one change per row that is new or whose values are
State       per partition its rows, in order where there is one (`aggregation.partitions`), and the output. O(input)
Cost        O(log partition) per changed row, plus the rows of its partition from the lowest place touched: never the other partitions
Edges       null partition keys are one partition; ties by row key, ascending; a row that changes in neither place nor arguments
            disturbs no other; user functions run before, once per version of a row (`plan_windows`)
Source      SQL:2003, window functions; partition-wise maintenance as for groups

A row of the output is a tuple: the rows of the aliases, or the cells of a group, and then the values.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dataflow.aggregation.partitions import Sequence, Unordered
from dataflow.aggregation.positions import (
    Member,
    Rank,
    RowNumber,
    RunningCount,
    RunningExtreme,
    RunningTotal,
    Shift,
    Whole,
)
from dataflow.circuit.node import Delta, Node, StepError
from dataflow.query.compiler.keys import row_values
from dataflow.query.compiler.reads import changed
from dataflow.query.scalar import Call, Const
from dataflow.values.equality import equal
from dataflow.values.normal import normal
from dataflow.values.order import Direction, order_key, row_sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.query.compiler.layout import Layout
    from dataflow.query.compiler.reads import Unchanged
    from dataflow.query.scalar import Scalar
    from dataflow.query.scalar import Window as Spec


class Edit(NamedTuple):
    """What an epoch does to one partition."""

    gone: list[Member]
    come: list[Member]


class Window(Node):
    """Window functions that share partition and order.

    Args:
        layout: of the input's rows.
        head: what the row begins with; one expression for each part.
        windows: the functions; all with the same partition and order.
        same: tells that an update concerns nothing that is read of a row; None if all is read.
    """

    __slots__ = (
        "_functions",
        "_head",
        "_members",
        "_order_key",
        "_ordered",
        "_partitioned",
        "_partitions",
        "_read",
        "_same",
    )

    def __init__(
        self,
        upstream: Node,
        layout: Layout,
        head: tuple[Scalar, ...],
        windows: tuple[Spec, ...],
        same: Unchanged | None = None,
    ) -> None:
        super().__init__((upstream,), label="window")
        first = windows[0]
        self._same = same
        self._head = len(head)
        self._partitioned = len(head) + len(first.partition_by)
        self._ordered = self._partitioned + len(first.order_by)
        self._order_key = order_key(
            Direction(part.descending, part.nulls_last) for part in first.order_by
        )
        arguments: list[Scalar] = []
        self._functions = tuple(
            _function(window, at, arguments) for at, window in enumerate(windows)
        )
        orders = tuple(part.by for part in first.order_by)
        self._read = row_values(layout, (*head, *first.partition_by, *orders, *arguments))
        self._members: dict[Any, Member] = {}
        self._partitions: dict[Any, Sequence | Unordered] = {}
        self.rows = {}

    def step(self) -> Delta:
        delta, same = self.inputs[0].out, self._same
        if same is not None:
            delta = changed(delta, same)
        edits: dict[Any, Edit] = {}
        renewed: dict[Any, Member] = {}
        for key, _, new in delta:
            before = self._members.pop(key, None)
            after = None if new is None else self._member(key, new)
            if after is not None:
                self._members[key] = after
            if before is not None and after is not None and _is_in_place(before, after):
                after.arguments, after.values = before.arguments, before.values
                self._partitions[after.partition].replace(after)
                renewed[key] = after
                continue
            if before is not None:
                edits.setdefault(before.partition, Edit([], [])).gone.append(before)
            if after is not None:
                edits.setdefault(after.partition, Edit([], [])).come.append(after)
        self.touched += len(self.inputs[0].out)
        renewed |= {member.key: member for member in self._edit(edits)}
        return self._publish(delta, renewed.values())

    def hydrate(self) -> None:
        self._partitions = {}
        self._members = {key: self._member(key, row) for key, row in self.inputs[0].scan()}
        edits: dict[Any, Edit] = {}
        for member in self._members.values():
            edits.setdefault(member.partition, Edit([], [])).come.append(member)
        self._edit(edits)
        self.rows = {key: (*m.head, *(m.values or ())) for key, m in self._members.items()}

    def reaches(self, key: Any) -> bool:
        return any(
            row is not None and self._partition_of(self._read(row)) == key
            for _, old, new in self.inputs[0].out
            for row in (old, new)
        )

    def _member(self, key: Any, row: Any) -> Member:
        values = self._read(row)
        place = (
            self._order_key(values[self._partitioned : self._ordered]),
            row_sort_key(key),
        )
        member = Member(key, self._partition_of(values), place, values[self._ordered :])
        member.head = values[: self._head]
        return member

    def _partition_of(self, values: tuple[Any, ...]) -> Any:
        return tuple(map(normal, values[self._head : self._partitioned]))

    def _edit(self, edits: dict[Any, Edit]) -> list[Member]:
        """Edit the touched partitions; return the rows whose values are new."""
        renewed: list[Member] = []
        for key, edit in edits.items():
            partition = self._partitions.get(key)
            if partition is None:
                partition = self._partitions[key] = self._partition()
            walked = partition.walked
            try:
                renewed += partition.edit(edit.gone, edit.come)
            except Exception as error:
                raise StepError(key) from error
            self.touched += partition.walked - walked
            if not len(partition):
                del self._partitions[key]
        return renewed

    def _partition(self) -> Sequence | Unordered:
        functions = [make() for make in self._functions]
        if isinstance(functions[0], Whole):
            return Unordered(functions)
        return Sequence(functions)

    def _publish(self, delta: Delta, renewed: Iterable[Member]) -> Delta:
        """Apply the changes to the rows; nothing raises from here on."""
        rows = self.rows
        assert rows is not None
        changes: Delta = [(key, rows.pop(key), None) for key, _, new in delta if new is None]
        for member in renewed:
            row = (*member.head, *(member.values or ()))
            changes.append((member.key, rows.get(member.key), row))
            rows[member.key] = row
        return changes


def _is_in_place(before: Member, after: Member) -> bool:
    """Tell whether a row stays where it is and means the same to every function.

    Equal arguments of two classes are different ones: 1 and 1.0 count differently in a sum.
    """
    return (
        before.partition == after.partition
        and before.place == after.place
        and all(
            a is b or (a.__class__ is b.__class__ and equal(a, b))
            for a, b in zip(before.arguments, after.arguments, strict=True)
        )
    )


def _function(window: Spec, at: int, arguments: list[Scalar]) -> Callable[[], Any]:
    """Return what makes a function for a partition; add its arguments to those read of a row.

    Args:
        at: The position of its value.
    """

    def argument(value: Scalar) -> int:
        if window.where is not None:
            value = Call("case", (window.where, value, Const(None)))
        if value not in arguments:
            arguments.append(value)
        return arguments.index(value)

    kind = window.kind
    if kind in _RANKINGS:
        return partial(_RANKINGS[kind], at)
    if kind in ("lag", "lead"):
        rows = window.offset if kind == "lag" else -window.offset
        value, default = map(argument, window.args)
        return partial(Shift, value, default, rows)
    value = argument(window.args[0] if window.args else Const(value=True))
    if not window.order_by:
        return partial(Whole, value, kind)
    match kind:
        case "count":
            return partial(RunningCount, at, value)
        case "min" | "max":
            return partial(RunningExtreme, at, value, largest=kind == "max")
        case _:
            return partial(RunningTotal, value, mean=kind == "avg")


_RANKINGS: Final[dict[str, Callable[[int], Any]]] = {
    "row_number": RowNumber,
    "rank": partial(Rank, dense=False),
    "dense_rank": partial(Rank, dense=True),
}
