"""What Python would let pass in silence, and what to write instead.

A query is written with the operators of Python, which mean something else where Python does not ask
the operand: `not x`, `x is None`, `a < x < b`, `x in (1, 2)`, `if x`. Such code ends in a truth
test or in a plain bool, and is refused at that point while the query is built, as are functions
where an expression is due and expressions where a function is.

`QueryPart` is the common base of everything a query is written with, so that each such object can
say what to write when it is used as a plain value.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from typing import ClassVar, Final, NoReturn

from dataflow.callables import is_async, is_generator
from dataflow.errors import QueryError
from dataflow.values.null import is_null


class QueryPart:
    """Something that queries are written with, and that is no constant itself.

    The two names say what it is, with an article, and what to write where a value is due.
    """

    __slots__ = ()

    _part: ClassVar[str] = "part of a query"
    _instead: ClassVar[str] = "name a field of it"


_PLAIN: Final = frozenset((str, int, float, bool))  # what most constants are


def refusal(message: str, hint: str, *more: str) -> QueryError:
    """Return a QueryError with one hint or more on what to write instead."""
    error = QueryError(message)
    for note in (hint, *more):
        error.add_note(note)
    return error


def kind_of_part(value: QueryPart) -> str:
    """Name what a part of a query is, with its article."""
    return value._part  # noqa: SLF001 - an alias has no public names but fields


def check_constant(value: object, place: str) -> None:
    """Refuse what is no constant: None, parts of queries, functions, classes and coroutines.

    Args:
        place: Where it was found: an operator, a clause or a function.
    """
    if value.__class__ in _PLAIN:
        return
    if isinstance(value, QueryPart):
        hint = value._instead  # noqa: SLF001 - an alias has no public names but fields
        raise refusal(f"{kind_of_part(value)} stands where {place} expects a value", hint)
    if is_null(value):
        raise refusal(
            f"{place} with None has no answer: null is never equal, less or more",
            "write x.is_null() or x.is_not_null(); a null on purpose is lit(None)",
        )
    check_computed(value, place)


def check_computed(value: object, place: str) -> None:
    """Refuse a function, class or coroutine where its result was meant, and what cannot be compared, as arrays."""
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise refusal(f"a coroutine stands where {place} expects a value", "await it first")
    if inspect.isroutine(value) or isinstance(value, type | functools.partial):
        raise refusal(
            f"a function stands where {place} expects a value: {value!r}",
            "call it, or write fn(function, column, ...) to call it for each row",
        )
    if not _is_one_value(value):
        raise refusal(
            f"a value of type {type(value).__name__!r} stands where {place} expects a constant: "
            "no single truth comes of comparing it",
            "of an array write x.in_(array.tolist()) for one of its elements; as a whole it is lit(array.tolist())",
        )


def _is_one_value(value: object) -> bool:
    """Tell whether a comparison with a value is true or false; one with an array or a series is neither."""
    try:
        bool(value == value)
    except Exception:  # noqa: BLE001 - whatever a library raises
        return False
    return True


def check_function(value: object, clause: str, instead: str) -> None:
    """Refuse what cannot be called for each row: expressions, other values, coroutine functions.

    Args:
        clause: What takes the function: filter, map, fold or fn.
        instead: The clauses that take an expression.
    """
    if isinstance(value, QueryPart):
        raise refusal(f"{clause} takes a function, not {kind_of_part(value)}", instead)
    if not callable(value):
        raise refusal(
            f"{clause} takes a function, not {value!r}", "name a function, or write lambda row: ..."
        )
    if is_async(value):
        raise refusal(
            f"{clause} cannot call a coroutine function: {value!r}",
            "queries never await; fetch the data first and write it to a collection",
        )
    if is_generator(value):
        raise refusal(
            f"{clause} cannot call a generator function: {value!r}",
            "calling it runs nothing; return a value, or a list of values, where it has a yield",
        )


def no_condition(value: object, clause: str) -> QueryError:
    """Return the error about something that is no expression where a condition is due."""
    if isinstance(value, bool):
        return refusal(
            f"{clause} got the plain bool {value}: Python has computed it before the query exists",
            "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
            "always true is lit(True)",
        )
    if isinstance(value, QueryPart):
        kind = kind_of_part(value)
        hint = value._instead  # noqa: SLF001 - an alias has no public names but fields
        return refusal(f"{clause} takes a condition, not {kind}", hint)
    if callable(value):
        return refusal(
            f"{clause} takes an expression, not a function: {value!r}",
            "a function of the row goes into filter(...)",
        )
    return refusal(
        f"{clause} takes a condition, not {value!r}",
        "compare a column: alias.field == value; always true is lit(True)",
    )


def no_truth(text: str) -> NoReturn:
    """Raise the error about the truth of an expression that has no value yet."""
    raise refusal(
        f"expression {text!r} has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
        "1 < x < 3 is x.between(1, 3) or (1 < x) & (x < 3); x in (1, 2) is x.in_([1, 2])",
    )


def no_comparison(text: str, symbol: str, method: str) -> QueryError:
    """Return the error about a comparison with None, which is never true."""
    return refusal(
        f"{text} {symbol} None is never true: null equals nothing", f"write {text}.{method}()"
    )


def several(values: object) -> tuple[object, ...]:
    """Return the values given to `in_`; refuse a text, an expression and what is no container."""
    if isinstance(values, str | bytes | QueryPart) or not isinstance(values, Iterable):
        raise refusal(
            f"in_ takes several values, not {values!r}",
            "write x.in_([first, second]); for a list in a column write column.contains(x)",
        )
    return tuple(values)
