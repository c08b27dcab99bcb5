"""Separate the shape of an expression from its constants and user functions.

`role == "user"` and `role == "agent"` have one shape, and therefore one generated function; what differs is passed in. The
class of a constant stays in the shape, because generated code relies on it: it compares a column with a text by `==` behind
a test for `str`, and with a number behind a test for numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dataflow.query.scalar import (
    Apply,
    Call,
    Column,
    Const,
    Ordering,
    Param,
    Scalar,
    call_of,
    rewrite,
)

_KINDS = {str: "str", int: "int", float: "float", bool: "bool"}


def kind_of_constant(value: object) -> str:
    """Return what generated code may rely on: str, int, float, bool, or other (NaN, None, lists, dates …)."""
    kind = _KINDS.get(value.__class__, "other")
    return "other" if kind == "float" and value != value else kind


class Lifter:
    """Collects the parameters of one generated function, in order of appearance.

    Equal constants are one parameter, so that expressions that are equal before lifting are equal after it.
    """

    __slots__ = ("_known", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._known: dict[Const, Param] = {}

    def parameter(self, value: Any, kind: str = "other") -> Param:
        """Add a parameter."""
        self.values.append(value)
        return _parameter(len(self.values) - 1, kind)

    def lift(self, node: Scalar) -> Scalar:
        """Return the shape of an expression."""
        if isinstance(node, Call):
            lift = self.lift
            args = [arg if arg.__class__ is Column else lift(arg) for arg in node.args]
            return call_of(node.name, tuple(args))
        if isinstance(node, Const):
            return self._constant(node, kind_of_constant(node.value))
        return node if isinstance(node, Column) else rewrite(node, self._replace)

    def lift_order(self, parts: tuple[Ordering, ...]) -> tuple[Ordering, ...]:
        """Return the shapes of the parts of an order."""
        return tuple(Ordering(self.lift(p.by), p.descending, p.nulls_last) for p in parts)

    def _replace(self, node: Scalar) -> Scalar | None:
        if isinstance(node, Const):
            return self._constant(node, kind_of_constant(node.value))
        if isinstance(node, Apply):
            function = self._constant(Const(node.function), "function")
            return Call("apply", (function, *map(self.lift, node.args)))
        return None

    def _constant(self, node: Const, kind: str) -> Param:
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = self.parameter(node.value, kind)
        return known


@lru_cache(maxsize=1_000)
def _parameter(index: int, kind: str) -> Param:
    """Return the one node of a parameter, so that its hash is computed once."""
    return Param(index, kind)
