"""Conditions and choices: comparisons, connectives, null tests.

Four operations are lazy, as which arguments they evaluate depends on the others:

    and, or     Kleene's connectives, over two or more conditions
    coalesce    the first argument that is not null
    case        condition, value, condition, value, ..., otherwise

`between` and `not_in` are no operations: they are built from `ge`, `le` and `and`, `in` and `not`.

`least` and `greatest` skip nulls and follow the total order, as the aggregates `min_` and `max_`
do.
"""

from __future__ import annotations

from typing import Any, Final

from dataflow.query.operations.operation import Operation
from dataflow.values import logic
from dataflow.values.null import is_null
from dataflow.values.order import sort_key


def is_not_null(value: object) -> bool:
    """Tell whether a value is anything but null."""
    return not is_null(value)


def in_any(value: object, *options: object) -> bool | None:
    """Return whether a value equals one of the other arguments; unknown as in `logic.in_`."""
    return logic.in_(value, options)


def nullif(value: Any, other: object) -> Any:
    """Return null in place of a value that equals another one."""
    return None if logic.eq(value, other) or is_null(value) else value


def least(*values: object) -> Any:
    """Return the smallest value that is not null."""
    return min((value for value in values if not is_null(value)), key=sort_key, default=None)


def greatest(*values: object) -> Any:
    """Return the largest value that is not null."""
    return max((value for value in values if not is_null(value)), key=sort_key, default=None)


OPERATIONS: Final = (
    Operation("eq", logic.eq, 2, 2, "equal; unknown beside null"),
    Operation("ne", logic.ne, 2, 2, "not equal; unknown beside null"),
    Operation("lt", logic.lt, 2, 2, "less; unknown beside null or another kind"),
    Operation("le", logic.le, 2, 2, "less or equal; unknown beside null or another kind"),
    Operation("gt", logic.gt, 2, 2, "greater; unknown beside null or another kind"),
    Operation("ge", logic.ge, 2, 2, "greater or equal; unknown beside null or another kind"),
    Operation("not", logic.not_, 1, 1, "the negation of a condition; unknown stays unknown"),
    Operation(
        "in", logic.in_, 2, 2, "equal to an element of the second argument, a constant tuple"
    ),
    Operation("in_any", in_any, 2, None, "equal to one of the further arguments"),
    Operation("is_null", is_null, 1, 1, "null or missing; never unknown"),
    Operation("is_not_null", is_not_null, 1, 1, "anything but null; never unknown"),
    Operation("nullif", nullif, 2, 2, "the first argument, or null if it equals the second"),
    Operation("least", least, 1, None, "the smallest argument that is not null"),
    Operation("greatest", greatest, 1, None, "the largest argument that is not null"),
    Operation("and", None, 2, None, "both conditions; false if one is, else unknown if one is"),
    Operation("or", None, 2, None, "either condition; true if one is, else unknown if one is"),
    Operation("coalesce", None, 1, None, "the first argument that is not null"),
    Operation("case", None, 3, None, "the value after the first true condition, else the last"),
)
