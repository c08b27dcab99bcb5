"""Columns and constants of different kinds in one comparison, which no row can decide.

Values of different kinds are never equal, and neither is less: `age > "x"` holds for no row whose age is a number. Where the type of a
column is declared, such a comparison is refused. A declared type allows what Python's type checkers allow: a bool where an int is
declared, a datetime where a date is. Where a field may be something else as well, or nothing is declared, the rule applies as it
stands.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from dataflow.query import ir
from dataflow.query.notation import text_of
from dataflow.query.scalar import Column, Const, Scalar
from dataflow.query.traps import refusal
from dataflow.values import kinds
from dataflow.values.fields import declared_types
from dataflow.values.null import NULL_CLASSES, is_null

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS: Final[Mapping[Any, frozenset[int]]] = {
    str: frozenset((kinds.TEXT,)),
    bool: frozenset((kinds.BOOL,)),
    int: frozenset((kinds.NUMBER, kinds.BOOL)),
    float: frozenset((kinds.NUMBER, kinds.BOOL)),
    Decimal: frozenset((kinds.NUMBER,)),
    bytes: frozenset((kinds.BYTES,)),
    date: frozenset((kinds.DATE, kinds.DATETIME)),
    datetime: frozenset((kinds.DATETIME,)),
    time: frozenset((kinds.TIME,)),
    timedelta: frozenset((kinds.DURATION,)),
    UUID: frozenset((kinds.IDENTIFIER,)),
}


def is_undeclared(node: Scalar, origins: Mapping[str, ir.Scan | ir.Named]) -> bool:
    """Tell whether an expression is a column of a source that declares no types."""
    if not isinstance(node, Column):
        return False
    leaf = origins.get(node.alias)
    return not isinstance(leaf, ir.Scan) or leaf.source.relation.row_type is None


def check_kinds(
    one: Scalar, other: Scalar, origins: Mapping[str, ir.Scan | ir.Named], symbol: str
) -> None:
    """Refuse to compare a column with a constant that is of another kind than any value of the column.

    Args:
        one: Left side.
        other: Right side.
        origins: What the aliases in both stand for.
        symbol: The operator, for the error.
    """
    match one, other:
        case (Column() as column, Const(value=value)) | (Const(value=value), Column() as column):
            leaf = origins.get(column.alias)
        case _:
            return
    if not isinstance(leaf, ir.Scan) or is_null(value):
        return
    types = declared_types(leaf.source.relation.row_type).get(column.name)
    if types is None or not _never_meet(types, value):
        return
    declared = " | ".join(sorted(each.__name__ for each in types if not NULL_CLASSES[each]))
    raise refusal(
        f"{text_of(one)} {symbol} {text_of(other)} has one answer for all rows: "
        f"field {column.name!r} is declared as {declared}, and {value!r} is of type {type(value).__name__}",
        f"compare it with a value of type {declared}, or cast it: cast({text_of(column)}, T)",
    )


def _never_meet(types: Iterable[Any], value: object) -> bool:
    """Tell whether no value of some types is of the kind of another one."""
    kind = kinds.kind_of(value)
    if kind in (kinds.OBJECT, kinds.OPAQUE):
        return False  # its class may compare itself with anything, as numpy's scalars do
    known: set[int] = set()
    for each in types:
        if each in _KINDS:
            known |= _KINDS[each]
        elif not (isinstance(each, type) and NULL_CLASSES[each]):
            return False
    return bool(known) and kind not in known
