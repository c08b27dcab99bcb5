"""What is read of a row: whether an update changes any of it.

The function that tells is generated, one for each set of columns, and shared by all who ask about the same. Equal values are not
enough: when 1 replaces 1.0 unsaid, a group would take out what it never took in, so they have to be `alike`. A row read as a whole
is another row if it is another object, as in every delta.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow.query import ir
from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.keys import safe_values
from dataflow.query.notation import text_of
from dataflow.query.scalar import Column, RowOf
from dataflow.values.identity import alike

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.node import Delta
    from dataflow.query.compiler.layout import Layout

Unchanged: TypeAlias = "Callable[[Any, Any], bool]"
"""Tells of two rows of one key whether they are alike as far as they are read."""


def peel(tree: ir.Node) -> tuple[ir.Node, frozenset[Column | RowOf] | None]:
    """Take the note on what is read off an input; None if there is none."""
    return (tree.input, tree.columns) if isinstance(tree, ir.Narrow) else (tree, None)


def unchanged(layout: Layout, columns: frozenset[Column | RowOf] | None) -> Unchanged | None:
    """Return what tells whether an update leaves the columns read as they are; None if everything is read."""
    return None if columns is None else _unchanged(layout, columns)


@lru_cache(maxsize=1_000)
def _unchanged(layout: Layout, columns: frozenset[Column | RowOf]) -> Unchanged:
    if not columns:
        return lambda _old, _new: True
    parts = tuple(sorted(columns, key=text_of))
    made = factory(("unchanged", layout, parts), lambda: _write(layout, parts), label="unchanged")
    safe = safe_values(layout, parts)
    same: Unchanged = made.make(lambda old, new: all(map(alike, safe(old), safe(new))))
    return same


def changed(delta: Delta, same: Unchanged) -> Delta:
    """Return a delta without the updates that leave what is read as it is."""
    return [
        entry
        for entry in delta
        if entry[1] is None or entry[2] is None or not same(entry[1], entry[2])
    ]


def _write(layout: Layout, parts: tuple[Column | RowOf, ...]) -> str:
    source = Source()
    before, after = Emitter(layout, "old"), Emitter(layout, "new")
    tests = []
    for part in parts:
        old, new = before.value(part), after.value(part)
        if isinstance(part, RowOf):
            tests.append(f"{old} is {new}")
        else:
            tests.append(f"((a := {old}) is (b := {new}) or alike(a, b))")
    with source.block("def make(safe):"):
        with source.block("def unchanged(old, new):"):
            with source.block("try:"):
                source.line(f"return {' and '.join(tests)}")
            with source.block("except MISSING:"):
                source.line("return safe(old, new)")
        source.line("return unchanged")
    return str(source)
