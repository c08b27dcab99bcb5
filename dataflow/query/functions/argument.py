"""What functions of the library take as an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.errors import near
from dataflow.query.alias import Alias, row_of
from dataflow.query.expr import Expr, operand
from dataflow.query.scalar import Const
from dataflow.query.traps import refusal
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from collections.abc import Iterable


def argument(value: object, place: str) -> Expr[Any]:
    """Return an argument as an expression: an alias is its row, None is null."""
    if isinstance(value, Alias):
        return row_of(value)
    if is_null(value):
        return Expr(Const(None))
    return operand(value, place)


def chosen(value: object, options: Iterable[str], what: str) -> Expr[str]:
    """Return a constant that is one of several names.

    Args:
        what: The argument and its function, for the error.

    Raises:
        QueryError: It is none of them.
    """
    names = tuple(options)
    if value in names:
        return Expr(Const(value))
    matches = near(value, names) if isinstance(value, str) else ""
    raise refusal(f"{what} cannot be {value!r}{matches}", f"one of {', '.join(names)}")
