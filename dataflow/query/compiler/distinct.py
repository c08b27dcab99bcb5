"""Distinct: each value that the rows of one input have, once.

Law         rows == {value: its row} of the values that some row of the input has, after every epoch
Delta rule  a value comes with the first row that has it and goes with the last; what went and came back in one epoch never left
State       value -> row shown; value -> how many rows have it beside the first, if any do. O(distinct values)
Cost        O(delta) per epoch, plus reading what makes up the value of a changed row
Edges       as in `setops`, where the operations with several inputs are: nulls are equal, a value is known under the tuple of its
            columns and shown in normal form; rows without known columns are known under their whole value
Source      DBSP, VLDB 2023 (distinct by sign of the weight)

A select that follows from the rows of the input alone is part of the generated functions: no selected row is made but the one that
is shown for a new value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, restore
from dataflow.query.compiler.columns import (
    row_text,
    seen,
    tuple_text,
    write_columns,
    write_normal_columns,
)
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.keys import safe_values, write_parts
from dataflow.query.compiler.lift import Lifter

if TYPE_CHECKING:
    from dataflow.query.compiler.layout import Layout
    from dataflow.query.scalar import Scalar


class Distinct(Node):
    """Distinct values of its input.

    Args:
        upstream: the input.
        layout: of the input's rows.
        parts: the expressions whose values make up the value of a row; None for the row as a whole.
        columns: their names in the dict row that is shown for a value; None shows a row that has it as it came.
    """

    __slots__ = ("_before", "_count", "_load", "_repeats")

    def __init__(
        self,
        upstream: Node,
        layout: Layout,
        parts: tuple[Scalar, ...] | None,
        columns: tuple[str, ...] | None,
    ) -> None:
        super().__init__((upstream,), label="distinct")
        lifter = Lifter()
        shape = None if parts is None else tuple(lifter.lift(part) for part in parts)
        made = factory(
            ("distinct", layout, shape, columns),
            lambda: _write(layout, shape, columns, len(lifter.values)),
            label="distinct",
        )
        self.source: str = made.source
        self._count, self._load = made.make(*lifter.values, safe_values(layout, parts or ()))
        self._repeats: dict[Any, int] = {}
        self._before: dict[Any, Any] = {}  # value -> row before this epoch, if it came or went
        self.rows = {}

    def step(self) -> Delta:
        delta = self.inputs[0].out
        self.touched += len(delta)
        rows = self.rows
        assert rows is not None
        before = self._before = {}
        self._count(delta, self._repeats, rows, before)
        return [
            (value, old, row)
            for value, old in before.items()
            if (row := rows.get(value)) is not old
        ]

    def hydrate(self) -> None:
        self.rows, counts = self._load(self.inputs[0].scan())
        self._repeats = {value: count - 1 for value, count in counts.items() if count > 1}

    def undo(self) -> None:
        assert self.rows is not None
        restore(self.rows, self._before.items())
        self._before = {}


def _write(
    layout: Layout,
    parts: tuple[Scalar, ...] | None,
    columns: tuple[str, ...] | None,
    parameters: int,
) -> str:
    source = Source()
    names = "".join(f"p{index}, " for index in range(parameters))
    with source.block(f"def make({names}safe_values):"):
        _write_count(source, layout, parts, columns)
        _write_load(source, layout, parts, columns)
        source.line("return count, load")
    return str(source)


def _write_count(
    source: Source,
    layout: Layout,
    parts: tuple[Scalar, ...] | None,
    columns: tuple[str, ...] | None,
) -> None:
    """Write how a delta changes the rows shown: `repeats` and `rows` follow it, `before` takes what was shown for what changed."""
    with (
        source.block("def count(delta, repeats, rows, before):"),
        source.block("for _, old, new in delta:"),
    ):
        with source.block("if new is not None:"):
            locals_ = _write_value(source, layout, parts, "new", "come")
        with source.block("if old is not None:"):
            _write_value(source, layout, parts, "old", "gone")
            with source.block("if new is not None and gone == come:"):
                source.line("continue")
            with source.block("if gone not in repeats:"):
                source.line("before.setdefault(gone, rows.pop(gone))")
            with source.block("elif repeats[gone] > 1:"):
                source.line("repeats[gone] -= 1")
            with source.block("else:"):
                source.line("del repeats[gone]")
        with source.block("if new is not None:"):
            with source.block("if come in rows:"):
                source.line("repeats[come] = repeats.get(come, 0) + 1")
            with source.block("else:"):
                source.line("row = before.setdefault(come, None)")
                with source.block("if row is None:"):
                    shown = "new" if columns is None else row_text(columns, [*map(seen, locals_)])
                    source.line(f"row = {shown}")
                source.line("rows[come] = row")


def _write_value(
    source: Source, layout: Layout, parts: tuple[Scalar, ...] | None, row: str, target: str
) -> list[str]:
    """Write code that sets a local to the value of a row; return the locals of its parts."""
    if parts is None:
        source.line(f"{target} = normal({row})")
        return []
    locals_ = write_parts(source, layout, parts, row, f"{row}_")
    source.line(f"{target} = {tuple_text(locals_)}")
    return locals_


def _write_load(
    source: Source,
    layout: Layout,
    parts: tuple[Scalar, ...] | None,
    columns: tuple[str, ...] | None,
) -> None:
    """Write how all rows are taken in: what is shown for each value, and how many rows have it."""
    with source.block("def load(pairs):"):
        if columns is None:
            source.line("pairs = list(pairs)")
        if parts is None:
            source.line("values = [normal(row) for _, row in pairs]")
        else:
            write_columns(source, layout, parts, f"in_columns(pairs, joined={layout.joined})")
            write_normal_columns(source, len(parts))
            keys = ", ".join(f"keys{index}" for index in range(len(parts)))
            source.line(f"values = zip({keys})" if parts else "values = [()] * number")
        if columns is None:
            source.line("values = list(values)")
        source.line("counts = Counter(values)")
        if columns is None:
            # the first row of each value, as the last one to be put under a key stays
            source.line(
                "first = {value: row for value, (_, row) in zip(values[::-1], pairs[::-1])}"
            )
            source.line("return {value: first[value] for value in counts}, counts")
            return
        cells = [f"value[{index}]" for index in range(len(columns))]
        with source.block("if SEEN_AS_THEY_ARE.issuperset(map(type, flat(counts))):"):
            source.line(f"return {{value: {row_text(columns, cells)} for value in counts}}, counts")
        shown = row_text(columns, [f"expose({cell})" for cell in cells])
        source.line(f"return {{value: {shown} for value in counts}}, counts")
