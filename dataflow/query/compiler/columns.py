"""Columns: how rows become values, which set operations count, and how values become rows again.

A value is the tuple of the normal forms of some columns, nulls included; of rows without known columns, that of the whole row. Both
ways are generated: for one row at a time, and for many, where the common classes are tested once for a whole column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.keys import safe_values, write_parts
from dataflow.query.scalar import Column
from dataflow.values.normal import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.query.compiler.layout import Layout


class Values(NamedTuple):
    """How the values of rows are read.

    Attributes:
        one: row -> its value.
        many: rows -> the value of each.
    """

    one: Callable[[Any], Any]
    many: Callable[[list[Any]], Iterable[Any]]


class Shown(NamedTuple):
    """How values become rows that users see.

    Attributes:
        one: value -> its row.
        many: values -> value -> row.
    """

    one: Callable[[Any], Any]
    many: Callable[[Iterable[Any]], dict[Any, Any]]


WHOLE_ROWS: Final = Values(normal, lambda rows: map(normal, rows))


def value_of_columns(layout: Layout, columns: tuple[str, ...]) -> Values:
    """Return how the values of some columns are read."""
    if not columns:
        return Values(lambda row: (), lambda rows: [()] * len(rows))
    alias = layout.slots[0].alias
    parts = tuple(Column(alias, name) for name in columns)
    made = factory(
        ("value", layout, parts), lambda: _write_value(layout, parts), label="value of columns"
    )
    return Values(*made.make(safe_values(layout, parts)))


def _write_value(layout: Layout, parts: tuple[Column, ...]) -> str:
    source = Source()
    emit = Emitter(layout, "row")
    locals_ = "".join(f"part{index}, " for index in range(len(parts)))
    with source.block("def make(safe):"):
        with source.block("def value_of(row):"):
            write_parts(source, emit, parts)
            source.line(f"return ({locals_})")
        with source.block("def values_of(rows):"):
            with source.block("try:"):
                for index, part in enumerate(parts):
                    source.line(f"part{index} = [{emit.value(part)} for row in rows]")
            with source.block("except MISSING:  # some row lacks a field: one by one"):
                source.line("return map(value_of, rows)")
            for index in range(len(parts)):
                with source.block(f"if not PLAIN.issuperset(map(type, part{index})):"):
                    source.line(f"part{index} = map(normal, part{index})")
            source.line(f"return zip({locals_})")
        source.line("return value_of, values_of")
    return str(source)


def row_of_columns(columns: tuple[str, ...]) -> Shown:
    """Return what makes dict rows of values, as users see them."""
    made = factory(("rows", columns), lambda: _write_row(columns), label="row of columns")
    return Shown(*made.make())


def _write_row(columns: tuple[str, ...]) -> str:
    source = Source()
    parts = [f"part{index}" for index in range(len(columns))]
    exposed = [
        f"{part} if {part}.__class__ in SEEN_AS_THEY_ARE else expose({part})" for part in parts
    ]
    cells = [f"value[{index}]" for index in range(len(columns))]
    with source.block("def make():"):
        with source.block("def row_of(value):"):
            if parts:
                source.line(f"{', '.join(parts)}, = value")
            source.line(f"return {{{_items(columns, exposed)}}}")
        with source.block("def rows_of(values):"):
            with source.block("if SEEN_AS_THEY_ARE.issuperset(map(type, flat(values))):"):
                source.line(f"return {{value: {{{_items(columns, cells)}}} for value in values}}")
            source.line("return {value: row_of(value) for value in values}")
        source.line("return row_of, rows_of")
    return str(source)


def _items(columns: tuple[str, ...], values: list[str]) -> str:
    return ", ".join(f"{name!r}: {value}" for name, value in zip(columns, values, strict=True))
