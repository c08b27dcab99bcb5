"""Conditions and choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dataflow.query.expr import Expr, as_condition, call, operand
from dataflow.query.functions.argument import argument
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from dataflow.query.alias import Alias

_CASE: Final = "write case((x > 9, 'many'), (x > 0, 'some'), else_='none')"


def and_(*conditions: Expr[Any]) -> Expr[bool]:
    """Test whether all conditions are true; the same as `a & b`."""
    return _connective("and", conditions)


def or_(*conditions: Expr[Any]) -> Expr[bool]:
    """Test whether any condition is true; the same as `a | b`."""
    return _connective("or", conditions)


def not_(condition: Expr[Any]) -> Expr[bool]:
    """Negate a condition; unknown stays unknown. The same as `~a`."""
    return ~as_condition(condition, "not_")


def is_null(value: Expr[Any] | Alias[Any]) -> Expr[bool]:
    """Test whether a value is null, or an alias the unmatched side of an outer join."""
    return call("is_null", argument(value, "is_null"))


def coalesce(*values: object) -> Expr[Any]:
    """Return the first value that is not null."""
    if not values:
        raise refusal("coalesce needs at least one value", "write coalesce(x, 'none')")
    return call("coalesce", *[argument(value, "coalesce") for value in values])


def case(*branches: tuple[Expr[Any], object], else_: object = None) -> Expr[Any]:
    """Return the value of the first branch whose condition is true.

    >>> from dataflow.query.functions.references import lit
    >>> case((lit(True), "yes"), else_="no")
    <Expr case((True, 'yes'), else_='no')>

    Args:
        branches: Pairs of a condition and a value.
        else_: The value if no condition is true; null by default.
    """
    if not branches:
        raise refusal("case needs at least one (condition, value)", _CASE)
    args: list[Expr[Any]] = []
    pairs: tuple[object, ...] = branches
    for branch in pairs:
        if not isinstance(branch, tuple) or len(branch) != 2:
            raise refusal(f"case takes pairs (condition, value), not {branch!r}", _CASE)
        args += [as_condition(branch[0], "case"), argument(branch[1], "case")]
    return call("case", *args, argument(else_, "case"))


def nullif(value: Expr[Any], other: object) -> Expr[Any]:
    """Return null in place of a value that equals another one.

    >>> from dataflow.query.functions.references import lit
    >>> nullif(lit("n/a"), "n/a")
    <Expr nullif('n/a', 'n/a')>
    """
    return call("nullif", operand(value, "nullif"), operand(other, "nullif"))


def least(*values: object) -> Expr[Any]:
    """Return the smallest of several values, nulls aside.

    Values of different kinds sort by kind.
    """
    return _extreme("least", values)


def greatest(*values: object) -> Expr[Any]:
    """Return the largest of several values, nulls aside; values of different kinds sort by kind."""
    return _extreme("greatest", values)


def _extreme(name: str, values: tuple[object, ...]) -> Expr[Any]:
    if not values:
        raise refusal(f"{name} needs at least one value", f"write {name}(x, y)")
    return call(name, *[operand(value, name) for value in values])


def _connective(name: str, conditions: tuple[Expr[Any], ...]) -> Expr[bool]:
    if not conditions:
        raise refusal(f"{name}_ needs at least one condition", "always true is lit(True)")
    parts = [as_condition(condition, f"{name}_") for condition in conditions]
    return parts[0] if len(parts) == 1 else call(name, *parts)
