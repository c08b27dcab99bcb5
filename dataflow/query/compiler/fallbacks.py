"""Fallbacks: the safe counterparts of the `try` blocks that `write_steps` writes.

Most rows never need them, so they are built when the first row does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.compiler.evaluate import Evaluator, evaluator
from dataflow.query.compiler.segments import Segment, segments
from dataflow.query.scalar import Apply, Scalar
from dataflow.values.logic import truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.layout import Layout
    from dataflow.query.compiler.steps import Step


class Fallbacks:
    """The safe counterparts of a chain's `try` blocks, in the order in which `StepWriter` writes them; built when first needed."""

    __slots__ = ("_built", "_layout", "_steps")

    def __init__(self, layout: Layout, steps: tuple[Step, ...]) -> None:
        self._layout = layout
        self._steps = steps
        self._built: list[Callable[..., Any]] | None = None

    def __getitem__(self, index: int) -> Callable[..., Any]:
        if self._built is None:
            parts = segments(self._layout, self._steps)
            self._built = [
                safe
                for part, _ in parts
                if isinstance(part, Segment)
                for safe in _safe_segment(part)
            ]
        return self._built[index]


def _safe_segment(part: Segment) -> list[Callable[..., Any]]:
    calls: list[Scalar] = part.applied()
    results: list[Any] = []  # of the calls so far, for the row being evaluated

    def called(node: Apply) -> Evaluator:
        position = calls.index(node)
        return lambda row: results[position]

    def safe(node: Scalar) -> Evaluator:
        return evaluator(node, part.layout, called)

    def arguments(args: tuple[Scalar, ...]) -> Callable[..., Any]:
        values = [safe(arg) for arg in args]

        def evaluate(row: Any, *known: Any) -> tuple[Any, ...]:
            results[:] = known
            return tuple([value(row) for value in values])

        return evaluate

    conditions = [safe(condition) for condition in part.conditions]
    made: Evaluator = (lambda row: row) if part.row is None else safe(part.row)

    def whole(row: Any, *known: Any) -> Any:
        results[:] = known
        return made(row) if all(truth(condition(row)) for condition in conditions) else None

    return [arguments(call.args) for call in calls if isinstance(call, Apply)] + [whole]
