"""Segments: a chain of steps split where user functions are called.

Library expressions of neighbouring steps are one segment: some conditions, then perhaps a new row. Calls of user functions stand
between segments, outside every `try`; they run at most once for a row, and never again in a fallback. A function inside an
expression (`fn(f, x) > 3`) is called before its segment, so for every row that passes the steps before, and the conditions that
stand before its own, whatever branch of a `case` it stands in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.frozen import frozen
from dataflow.query.compiler.steps import Bind, Select, Step, Test, output_layout
from dataflow.query.scalar import Apply, Call, Scalar, children, conjuncts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dataflow.query.compiler.layout import Layout


@frozen
class Segment:
    """Neighbouring library steps over one row: conditions, then perhaps a new row."""

    layout: Layout
    conditions: tuple[Scalar, ...]
    row: Scalar | None

    def applied(self) -> list[Scalar]:
        """Return the calls of user functions inside, innermost first, each once."""
        found: dict[Scalar, None] = {}
        for part in (*self.conditions, *(() if self.row is None else (self.row,))):
            collect_applied(part, found)
        return list(found)


def collect_applied(node: Scalar, found: dict[Scalar, None]) -> None:
    """Add every call of a user function below a node, operands before the calls they feed."""
    for child in children(node):
        collect_applied(child, found)
    if isinstance(node, Apply) or (isinstance(node, Call) and node.name == "apply"):
        found.setdefault(node)


def segments(layout: Layout, steps: Iterable[Step]) -> list[tuple[Segment | Step, Layout]]:
    """Split a chain into library segments and user calls, each with the layout of the row it starts from."""
    parts: list[tuple[Segment | Step, Layout]] = []
    conditions: list[Scalar] = []
    here = layout

    def close(row: Scalar | None) -> None:
        if conditions or row is not None:
            parts.append((Segment(here, tuple(conditions), row), here))
            conditions.clear()

    for step in _one_by_one(steps):
        match step:
            case Test(condition=condition):
                if contains_call(condition):  # those before decide for which rows it is called
                    close(None)
                conditions.append(condition)
            case Select(row=row):
                if contains_call(row):
                    close(None)
                close(row)
            case Bind():
                close(None)
            case _:
                close(None)
                parts.append((step, here))
        here = output_layout(here, (step,))
    close(None)
    return parts


def _one_by_one(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps, conditions that are ANDed each as a step of its own."""
    for step in steps:
        if isinstance(step, Test):
            yield from map(Test, conjuncts(step.condition))
        else:
            yield step


def contains_call(node: Scalar) -> bool:
    """Tell whether an expression calls a user function."""
    found: dict[Scalar, None] = {}
    collect_applied(node, found)
    return bool(found)
