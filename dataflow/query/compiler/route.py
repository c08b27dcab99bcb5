"""Routes: what the first conditions of a chain tell a router about the rows that concern it.

Used are the conjuncts that stand before every call of a user function and every select: a row that fails one of them leaves
nothing behind. One expression is chosen: a column that has to equal a constant or be one of several, else a column with bounds,
of which all count. The chain checks its conditions all the same.

    status = 'open' AND size > 3      ->  status = 'open'
    3 < size AND size <= 9 AND f(x)   ->  3 … 9 of size
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from dataflow.circuit.intervals import HIGHEST, LOWEST, above
from dataflow.circuit.router import Route
from dataflow.frozen import replace
from dataflow.query.compiler.factory import SHAPES_KEPT
from dataflow.query.compiler.keys import join_key
from dataflow.query.compiler.steps import Bind, Test
from dataflow.query.scalar import (
    Apply,
    Call,
    Column,
    Const,
    Item,
    RowOf,
    Scalar,
    conjuncts,
    contains,
    rewrite,
)
from dataflow.values.kinds import SCALARS, kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.null import is_null
from dataflow.values.order import sort_key

if TYPE_CHECKING:
    from dataflow.query.compiler.layout import Layout
    from dataflow.query.compiler.steps import Step

_FLIPPED: Final = {"eq": "eq", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_ROUTED: Final = frozenset((*_FLIPPED, "in"))
_READ: Final = (Column, Item)


def route_of(layout: Layout, steps: tuple[Step, ...]) -> Route | None:
    """Return the route of a chain, None if its conditions do not give one."""
    comparisons = _comparisons(steps)
    for name, part, value in comparisons:
        values = _values(name, value)
        if values is not None:
            return _route(layout, part, values=values)
    bounds: dict[Scalar, tuple[Any, Any]] = {}
    for name, part, value in comparisons:
        if name != "in" and kind_of(plain(value)) in SCALARS:
            low, high = bounds.get(part, (LOWEST, HIGHEST))
            end = sort_key(value)
            if name in {"le", "gt"}:
                end = above(end)
            bounds[part] = (low, min(high, end)) if name in {"lt", "le"} else (max(low, end), high)
    for part, (low, high) in bounds.items():
        return _route(layout, part, low=low, high=high)
    return None


def _comparisons(steps: tuple[Step, ...]) -> list[tuple[str, Scalar, Any]]:
    """Return (operation, column, constant) of all that compares a column with a constant before user functions and selects."""
    found: list[tuple[str, Scalar, Any]] = []
    for step in steps:
        if isinstance(step, Bind):
            continue
        if not isinstance(step, Test) or contains(step.condition, Apply):
            break
        for condition in conjuncts(step.condition):
            if isinstance(condition, Call) and condition.name in _ROUTED:
                one, other = condition.args
                if isinstance(other, Const) and isinstance(one, _READ):
                    found.append((condition.name, one, other.value))
                elif isinstance(one, Const) and isinstance(other, _READ) and condition.name != "in":
                    found.append((_FLIPPED[condition.name], other, one.value))
    return found


def _values(name: str, value: Any) -> frozenset[Any] | None:
    """Return the values that a column has to have one of, None if the comparison is another one."""
    if name == "eq":
        return frozenset() if is_null(value) else frozenset((normal(value),))
    if name == "in" and isinstance(value, tuple):
        return frozenset(normal(option) for option in value if not is_null(option))
    return None


def _route(layout: Layout, part: Scalar, **limits: Any) -> Route:
    """Return the route of rows of which a column or item has to have some value."""
    free = _unbounded(layout, part)
    return Route(free.identity, free.value_of, **limits)


@lru_cache(maxsize=SHAPES_KEPT)
def _unbounded(layout: Layout, part: Scalar) -> Route:
    """Return a route that any row with a value takes; aliases do not matter, where there is one only."""
    if layout.slots and not layout.joined:
        layout = layout.named("")
        part = rewrite(part, _anonymous)
    return Route((layout, part), join_key(layout, (part,)).of)


def _anonymous(node: Scalar) -> Scalar | None:
    return replace(node, alias="") if isinstance(node, Column | RowOf) else None
