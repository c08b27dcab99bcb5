"""Columns: how rows become values, which set operations count, and how values become rows again.

A value is the tuple of the normal forms of some columns, nulls included; of rows without known columns, that of the whole row. Both
ways are generated for one row at a time. What takes in many rows at once reads column by column (`write_columns`): the common
classes are then tested once for a whole column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.frozen import replace
from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.keys import safe_values, write_inputs, write_parts
from dataflow.query.scalar import Column, aliases_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataflow.query.compiler.layout import Layout
    from dataflow.query.scalar import Scalar


def columns_of_rows(layout: Layout, names: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the expressions that read some columns of anonymous rows."""
    return tuple(Column(layout.slots[0].alias, name) for name in names)


def value_of_columns(layout: Layout, columns: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return row -> value of some columns."""
    if not columns:
        return lambda row: ()
    parts = columns_of_rows(layout, columns)
    made = factory(
        ("value", layout, parts), lambda: _write_value(layout, parts), label="value of columns"
    )
    value_of: Callable[[Any], Any] = made.make(safe_values(layout, parts))
    return value_of


def _write_value(layout: Layout, parts: tuple[Column, ...]) -> str:
    source = Source()
    with source.block("def make(safe_values):"):
        with source.block("def value_of(row):"):
            locals_ = write_parts(source, layout, parts)
            source.line(f"return {tuple_text(locals_)}")
        source.line("return value_of")
    return str(source)


def row_of_columns(columns: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return value -> dict row, as users see it."""
    made = factory(("rows", columns), lambda: _write_row(columns), label="row of columns")
    row_of: Callable[[Any], Any] = made.make()
    return row_of


def _write_row(columns: tuple[str, ...]) -> str:
    source = Source()
    parts = [f"part{index}" for index in range(len(columns))]
    with source.block("def make():"):
        with source.block("def row_of(value):"):
            if parts:
                source.line(f"{', '.join(parts)}, = value")
            source.line(f"return {row_text(columns, [seen(part) for part in parts])}")
        source.line("return row_of")
    return str(source)


def seen(local: str) -> str:
    """Return source for what users see of a value in normal form."""
    return f"{local} if {local}.__class__ in SEEN_AS_THEY_ARE else expose({local})"


def row_text(columns: Sequence[str], values: Sequence[str]) -> str:
    """Return source for a dict row."""
    items = (f"{name!r}: {value}" for name, value in zip(columns, values, strict=True))
    return f"{{{', '.join(items)}}}"


def tuple_text(values: Sequence[str]) -> str:
    """Return source for a tuple."""
    return f"({', '.join(values)}{',' if len(values) == 1 else ''})"


# -- many rows at once -------------------------------------------------------------------------------------------------


def write_columns(source: Source, layout: Layout, inputs: Sequence[Scalar], parts: str) -> None:
    """Write code that sets `xs0`, `xs1` … to the values of expressions of all rows, and `number` to how many there are.

    Args:
        parts: source of what yields the rows, many at a time, as `Columns`.
    """
    source.line("number = 0")
    for index in range(len(inputs)):
        source.line(f"xs{index} = []")
    with source.block(f"for columns in {parts}:"):
        source.line("number += len(columns[0])")
        if not inputs:
            return
        rows = "zip(*columns)" if layout.joined else "columns[0]"
        with source.block("try:"):
            for index, node in enumerate(inputs):
                source.line(f"part{index} = {_column(layout, node, rows)}")
        with source.block("except MISSING:  # some row lacks a field: go through them one by one"):
            for index in range(len(inputs)):
                source.line(f"part{index} = []")
            with source.block(f"for new in {rows}:"):
                write_inputs(source, layout, inputs, "new")
                for index in range(len(inputs)):
                    source.line(f"part{index}.append(x{index})")
        for index in range(len(inputs)):
            source.line(f"xs{index} += part{index}")


def _column(layout: Layout, node: Scalar, rows: str) -> str:
    """Return source for the list of the values of an expression; if it reads one alias, no other is looked at."""
    aliases = aliases_of(node)
    if layout.joined and len(aliases) == 1:
        slot = layout.slot(*aliases)
        value = Emitter(replace(layout, slots=(slot.at(None),)), "new").value(node)
        return f"[{value} for new in columns[{slot.index}]]"
    return f"[{Emitter(layout, 'new').value(node)} for new in {rows}]"


def write_normal_columns(source: Source, columns: int) -> None:
    """Write code that sets `keys0`, `keys1` … to the normal forms of `xs0`, `xs1` …"""
    for index in range(columns):
        with source.block(f"if {{*map(type, xs{index})}} <= PLAIN:"):
            source.line(f"keys{index} = xs{index}")
        with source.block("else:"):
            source.line(f"keys{index} = [normal(x) for x in xs{index}]")
