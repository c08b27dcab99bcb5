"""Generated key functions: from a row to the values of several expressions, as they are or in normal form.

Join keys go through here, and parts of what groups, windows and set operations read. The common classes (`PLAIN`: str, int …) are
their own normal form and pay one set look-up. A join key with a null part is None, because a null never matches; a group key keeps
its nulls, because grouping puts them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.evaluate import evaluator
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.lift import Lifter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataflow.query.compiler.layout import Layout
    from dataflow.query.scalar import Scalar


class JoinKey(NamedTuple):
    """Join keys of rows, in normal form: the value of one part, a tuple of several, None if any is null.

    Attributes:
        of: row -> its key.
        of_all: rows -> the list of their keys.
    """

    of: Callable[[Any], Any]
    of_all: Callable[[Sequence[Any]], list[Any]]


def join_key(layout: Layout, parts: tuple[Scalar, ...]) -> JoinKey:
    """Return the join key made of some expressions.

    Without parts all rows have the same key: every row matches every row.
    """
    if not parts:
        return JoinKey(lambda row: (), lambda rows: [()] * len(rows))
    lifter = Lifter()
    shape = tuple(lifter.lift(part) for part in parts)
    made = factory(
        ("join key", layout, shape),
        lambda: _write(layout, shape, len(lifter.values)),
        label="join key",
    )
    return JoinKey(*made.make(*lifter.values, _Safe(layout, parts)))


def _write(layout: Layout, parts: tuple[Scalar, ...], parameters: int) -> str:
    source = Source()
    names = "".join(f"p{index}, " for index in range(parameters))
    with source.block(f"def make({names}safe_values):"):
        with source.block("def key_of(row):"):
            _write_body(source, layout, parts)
        with source.block("def keys_of(rows):"):
            if len(parts) == 1:
                _write_column(source, layout, parts[0])
            source.line("return [*map(key_of, rows)]")
        source.line("return key_of, keys_of")
    return str(source)


def write_inputs(
    source: Source, layout: Layout, inputs: Sequence[Scalar], row: str, local: str = "x"
) -> None:
    """Write code that sets `x0`, `x1` … to the values of expressions of a row; `safe_values` does so if a field is missing."""
    if not inputs:
        return
    emit = Emitter(layout, row)
    with source.block("try:"):
        for index, node in enumerate(inputs):
            source.line(f"{local}{index} = {emit.value(node)}")
    with source.block("except MISSING:"):
        targets = "".join(f"{local}{index}, " for index in range(len(inputs))).rstrip()
        source.line(f"{targets} *_ = safe_values({row})")


def write_parts(
    source: Source, layout: Layout, parts: Sequence[Scalar], row: str = "row", local: str = "part"
) -> list[str]:
    """Write code that sets locals to the normal forms of the parts of a row, and return their names."""
    write_inputs(source, layout, parts, row, local)
    locals_ = [f"{local}{index}" for index in range(len(parts))]
    for target in locals_:
        with source.block(f"if {target}.__class__ not in PLAIN:"):
            source.line(f"{target} = normal({target})")
    return locals_


def _write_body(source: Source, layout: Layout, parts: tuple[Scalar, ...]) -> None:
    locals_ = write_parts(source, layout, parts)
    if len(parts) == 1:
        source.line("return part0")
    else:
        some_null = " or ".join(f"{local} is None" for local in locals_)
        source.line(f"return None if {some_null} else ({', '.join(locals_)})")


def _write_column(source: Source, layout: Layout, part: Scalar) -> None:
    """Write code that returns the values of a part if no field is missing and all are their own normal form."""
    with source.block("try:"):
        source.line(f"part0 = [{Emitter(layout, 'row').value(part)} for row in rows]")
        with source.block("if {*map(type, part0)} <= PLAIN:"):
            source.line("return part0")
    with source.block("except MISSING:"):
        source.line("pass  # some row lacks a field: go through them one by one")


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
        with source.block(f"def make({names}safe_values):"):
            with source.block("def values_of(row):"):
                with source.block("try:"):
                    source.line(f"return ({values})")
                with source.block("except MISSING:"):
                    source.line("return safe_values(row)")
            source.line("return values_of")
        return str(source)

    made = factory(("values", layout, shape), write, label="values")
    values_of: Callable[[Any], tuple[Any, ...]] = made.make(
        *lifter.values, safe_values(layout, parts)
    )
    return values_of
