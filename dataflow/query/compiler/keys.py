"""Generated key functions: from a row to the normal form of one or several of its expressions.

Join keys and group keys go through here. The common classes (`PLAIN`: str, int …) are their own normal form and pay one set look-up.
A join key with a null part is None, because a null never matches; a group key keeps its nulls, because grouping puts them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dataflow.query.compiler.bulk_order import Leading
from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.evaluate import evaluator
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.lift import Lifter
from dataflow.query.scalar import Cell, Ordering
from dataflow.values import kinds
from dataflow.values.order import Direction, column_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.layout import Layout
    from dataflow.query.scalar import Scalar


def join_key(layout: Layout, parts: tuple[Scalar, ...]) -> Callable[[Any], Any]:
    """Return row -> normal form of the join key: the value of one part, a tuple of several, None if any is null.

    Without parts all rows have the same key: every row matches every row.
    """
    if not parts:
        return lambda row: ()
    lifter = Lifter()
    shape = tuple(lifter.lift(part) for part in parts)
    made = factory(
        ("join key", layout, shape),
        lambda: _write(layout, shape, len(lifter.values)),
        label="join key",
    )
    key_of: Callable[[Any], Any] = made.make(*lifter.values, _Safe(layout, parts))
    return key_of


def _write(layout: Layout, parts: tuple[Scalar, ...], parameters: int) -> str:
    source = Source()
    names = "".join(f"p{index}, " for index in range(parameters))
    emit = Emitter(layout, "row")
    with source.block(f"def make({names}safe):"):
        with source.block("def key_of(row):"):
            _write_body(source, emit, parts)
        source.line("return key_of")
    return str(source)


def write_parts(source: Source, emit: Emitter, parts: tuple[Scalar, ...]) -> list[str]:
    """Write code that sets a local to the normal form of each part, and return their names."""
    locals_ = [f"part{index}" for index in range(len(parts))]
    with source.block("try:"):
        for local, part in zip(locals_, parts, strict=True):
            source.line(f"{local} = {emit.value(part)}")
    with source.block("except MISSING:"):
        source.line(f"{', '.join(locals_)}{',' if len(parts) == 1 else ''} = safe(row)")
    for local in locals_:
        with source.block(f"if {local}.__class__ not in PLAIN:"):
            source.line(f"{local} = normal({local})")
    return locals_


def _write_body(source: Source, emit: Emitter, parts: tuple[Scalar, ...]) -> None:
    locals_ = write_parts(source, emit, parts)
    if len(parts) == 1:
        source.line("return part0")
    else:
        some_null = " or ".join(f"{local} is None" for local in locals_)
        source.line(f"return None if {some_null} else ({', '.join(locals_)})")


class _Safe:
    """The safe evaluation of all parts of a key; built when first needed."""

    __slots__ = ("_built", "_layout", "_parts")

    def __init__(self, layout: Layout, parts: tuple[Scalar, ...]) -> None:
        self._layout = layout
        self._parts = parts
        self._built: list[Callable[[Any], Any]] | None = None

    def __call__(self, row: Any) -> tuple[Any, ...]:
        if self._built is None:
            self._built = [evaluator(part, self._layout) for part in self._parts]
        return tuple([part(row) for part in self._built])


def safe_values(layout: Layout, parts: tuple[Scalar, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return the safe evaluation of several expressions of one row, as a tuple."""
    return _Safe(layout, parts)


def row_values(layout: Layout, parts: tuple[Scalar, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return row -> tuple of the values of several expressions, as they are."""
    lifter = Lifter()
    shape = tuple(lifter.lift(part) for part in parts)

    def write() -> str:
        source = Source()
        emit = Emitter(layout, "row")
        names = "".join(f"p{index}, " for index in range(len(lifter.values)))
        values = "".join(f"{emit.value(part)}, " for part in shape)
        with source.block(f"def make({names}safe):"):
            with source.block("def values_of(row):"):
                with source.block("try:"):
                    source.line(f"return ({values})")
                with source.block("except MISSING:"):
                    source.line("return safe(row)")
            source.line("return values_of")
        return str(source)

    made = factory(("values", layout, shape), write, label="values")
    values_of: Callable[[Any], tuple[Any, ...]] = made.make(
        *lifter.values, safe_values(layout, parts)
    )
    return values_of


class MakeEntries(NamedTuple):
    """How rows get the entries that sort them; see `entries`.

    Attributes:
        one: (row key, row) -> entry.
        many: row keys and their rows -> entries; of plain values without a call per row.
    """

    one: Callable[[Any, Any], tuple[Any, ...]]
    many: Callable[[list[Any], list[Any]], list[tuple[Any, ...]]]


def order_entry(layout: Layout, by: tuple[Ordering, ...]) -> MakeEntries:
    """Return how rows are sorted by an order, ties by row key."""
    lifter = Lifter()
    shape = lifter.lift_order(by)
    made = factory(
        ("order", layout, shape),
        lambda: _write_order(layout, shape, len(lifter.values)),
        label="order",
    )
    columns = [column_key(Direction(part.descending, part.nulls_last)) for part in by]
    safe = _Safe(layout, tuple(part.by for part in by))
    return MakeEntries(*made.make(*lifter.values, safe, *columns))


def leading_column(layout: Layout, by: tuple[Ordering, ...]) -> Leading | None:
    """Return the first column of an order, None if there is none."""
    if not by:
        return None
    lifter = Lifter()
    shape = lifter.lift(by[0].by)

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
    return Leading(made.make(*lifter.values), by[0].descending)


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
                columns = "".join(
                    f"({part}, {ordering.descending}), "
                    for part, ordering in zip(parts, by, strict=True)
                )
                source.line(f"entries = plain_entries([{columns}], keys)")
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
