"""Generated functions that make the entries of rows, by which an order sorts them; see `entries`.

Where all values of an order are of the common classes (int, ascending str), the parts of an entry stand in the code; elsewhere each
column is asked for its sort key. Many rows are read column by column, so that plain ones take no call each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dataflow.query.compiler.bulk_order import Leading
from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.factory import SHAPES_KEPT, Source, factory
from dataflow.query.compiler.keys import safe_values
from dataflow.query.compiler.lift import Lifter
from dataflow.query.scalar import Cell, Column, Ordering
from dataflow.values import kinds
from dataflow.values.order import Direction, column_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.entries import Entry
    from dataflow.query.compiler.layout import Layout


class MakeEntries(NamedTuple):
    """How rows get the entries that sort them; see `entries`.

    Attributes:
        one: (row key, row) -> entry.
        many: row keys and their rows -> entries; of plain values without a call per row.
    """

    one: Callable[[Any, Any], Entry]
    many: Callable[[list[Any], list[Any]], list[Entry]]


def order_entries(layout: Layout, by: tuple[Ordering, ...]) -> MakeEntries:
    """Return how rows are sorted by an order, ties by row key."""
    return (_entries_by_columns if _is_kept(by) else _entries)(layout, by)


def leading_column(layout: Layout, by: tuple[Ordering, ...]) -> Leading | None:
    """Return the first column of an order, None if there is none."""
    if not by:
        return None
    return (_leading_by_columns if _is_kept(by) else _leading)(layout, by[0])


def _is_kept(by: tuple[Ordering, ...]) -> bool:
    """Tell whether an order speaks of columns alone; constants and functions may hold on to anything."""
    return all(isinstance(part.by, _COLUMNS) for part in by)


_COLUMNS: Final = (Column, Cell)


def _entries(layout: Layout, by: tuple[Ordering, ...]) -> MakeEntries:
    lifter = Lifter()
    shape = lifter.lift_order(by)
    made = factory(
        ("order", layout, shape),
        lambda: _write_order(layout, shape, len(lifter.values)),
        label="order",
    )
    columns = [column_key(Direction(part.descending, part.nulls_last)) for part in by]
    safe = safe_values(layout, tuple(part.by for part in by))
    return MakeEntries(*made.make(*lifter.values, safe, *columns))


_entries_by_columns = lru_cache(maxsize=SHAPES_KEPT)(_entries)


def _leading(layout: Layout, first: Ordering) -> Leading:
    lifter = Lifter()
    shape = lifter.lift(first.by)

    def write() -> str:
        source = Source()
        names = "".join(f"p{index}, " for index in range(len(lifter.values)))
        with source.block(f"def make({names}):"):
            with source.block("def values_of(rows):"):
                with source.block("try:"):
                    source.line(f"return [{Emitter(layout, 'row').value(shape)} for row in rows]")
                with source.block("except MISSING:"):
                    source.line("return None")
            source.line("return values_of")
        return str(source)

    made = factory(("column", layout, shape), write, label="column")
    return Leading(made.make(*lifter.values), first.descending)


_leading_by_columns = lru_cache(maxsize=SHAPES_KEPT)(_leading)


def _write_order(layout: Layout, by: tuple[Ordering, ...], parameters: int) -> str:
    """Write how entries are made: in place where all values are plain, else with a call for each."""
    source = Source()
    emit = Emitter(layout, "row")
    parts = [f"part{index}" for index in range(len(by))]
    values = [emit.value(ordering.by) for ordering in by]
    plain = [*map(_plain_key, parts, by), _plain_key("key", Ordering(Cell(0)))]
    entry = f"({', '.join(key for _, key in plain)}, key)"
    bound = [f"({part} := {value})" for part, value in zip(parts, values, strict=True)]
    tests = " and ".join(
        test.format(bind) for (test, _), bind in zip(plain, [*bound, "key"], strict=True)
    )
    columns = "".join(f"column{index}, " for index in range(len(by)))
    names = "".join(f"p{index}, " for index in range(parameters))
    with source.block(f"def make({names}safe, {columns}):"):
        with source.block("def entry_of(key, row):"):
            with source.block("try:"):
                source.line(f"if {tests}:")
                source.line(f"    return {entry}")
                for part, value in zip(parts, values, strict=True):
                    source.line(f"{part} = {value}")
            with source.block("except MISSING:"):
                source.line(f"[{''.join(f'{part}, ' for part in parts)}*_] = safe(row)")
            keys = "".join(f"*column{index}({part}), " for index, part in enumerate(parts))
            source.line(f"return ({keys}*row_sort_key(key), key)")
        with source.block("def entries_of(keys, rows):"):
            with source.block("try:"):
                for part, value in zip(parts, values, strict=True):
                    source.line(f"{part} = [{value} for row in rows]")
                read = "".join(
                    f"({part}, {ordering.descending}), "
                    for part, ordering in zip(parts, by, strict=True)
                )
                source.line(f"entries = plain_entries([{read}], keys)")
            with source.block("except MISSING:"):
                source.line("entries = None")
            source.line("return list(map(entry_of, keys, rows)) if entries is None else entries")
        source.line("return entry_of, entries_of")
    return str(source)


def _plain_key(local: str, ordering: Ordering) -> tuple[str, str]:
    """Return source that tells that a local is plain, `{}` standing for it when first read, and its flat sort key then."""
    if ordering.descending:
        return "{}.__class__ is int", f"{-kinds.NUMBER}, -{local}"
    rank = f"{kinds.NUMBER} if {local}.__class__ is int else {kinds.TEXT}"
    return f"({{}}.__class__ is int or {local}.__class__ is str)", f"{rank}, {local}"
