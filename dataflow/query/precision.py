"""Decimals and floats in one comparison, which is hardly ever what was meant.

Numbers compare by their exact value, as they must if equal values are to be one group. The float
9.99 is a little more than Decimal("9.99"), so `price == 9.99` is never true of a decimal price.
Where the declared types tell, such a comparison is refused; a float with an exact value (0.5, 10.0)
is welcome. Where nothing is declared the rule applies as it stands.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from dataflow.query import ir
from dataflow.query.notation import text_of
from dataflow.query.scalar import Column, Const, Scalar
from dataflow.query.traps import refusal
from dataflow.values.fields import declared_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataflow.errors import QueryError


_BOTH: Final = (Decimal, float)


def check_comparable(
    one: Scalar, other: Scalar, origins: Mapping[str, ir.Scan | ir.Named], symbol: str
) -> None:
    """Refuse to compare a decimal and a float, one of which cannot have the value of the other.

    Args:
        origins: What the aliases in both stand for.
        symbol: The operator, for the error.
    """
    if _is_another(one) or _is_another(other):
        return
    kind = _kind(one, origins)
    kinds = {kind, kind and _kind(other, origins)}
    if kinds != {Decimal, float} or _is_exact(one) or _is_exact(other):
        return
    raise _mixed(f"{text_of(one)} {symbol} {text_of(other)}", one, other)


def _is_another(node: Scalar) -> bool:
    """Tell whether an expression is a constant that is neither a decimal nor a float."""
    return isinstance(node, Const) and not isinstance(node.value, _BOTH)


def _mixed(text: str, *parts: Scalar) -> QueryError:
    floats = [part.value for part in parts if isinstance(part, Const) and type(part.value) is float]
    hint = f"write Decimal({str(floats[0])!r})" if floats else "cast one of them: cast(x, Decimal)"
    return refusal(
        f"{text} compares a decimal and a float, whose exact values differ",
        f"{hint}; to compare them as floats write cast(x, float)",
    )


def _kind(node: Scalar, origins: Mapping[str, ir.Scan | ir.Named]) -> type[Any] | None:
    """Return Decimal or float if an expression is known to be one."""
    if isinstance(node, Const):
        return type(node.value) if isinstance(node.value, _BOTH) else None
    leaf = origins.get(node.alias) if isinstance(node, Column) else None
    if not isinstance(node, Column) or not isinstance(leaf, ir.Scan):
        return None
    types = declared_types(leaf.source.relation.row_type).get(node.name, frozenset())
    numbers = [each for each in (Decimal, float, int) if each in types]
    return numbers[0] if len(numbers) == 1 else None


def _is_exact(node: Scalar) -> bool:
    """Tell whether a constant has the same value as a decimal and as a float."""
    if not isinstance(node, Const):
        return False
    value = node.value
    if isinstance(value, float):
        return Decimal(repr(value)) == Decimal(value) or value != value
    return not isinstance(value, Decimal) or Decimal(float(value)) == value or value.is_nan()
