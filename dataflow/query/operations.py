"""The scalar operations by name: what each one computes from evaluated arguments.

A name is what `scalar.Call` carries. Eager operations have a Python function over evaluated
arguments, which follows the rules of `dataflow.values`: null in, null out unless stated otherwise;
an argument of a kind the operation does not know gives null; none of them raises for a value, but
for a Decimal meeting a float. Lazy operations have no function: which arguments they evaluate
depends on the others, so that evaluator and compiler treat them themselves.

    and, or     Kleene's connectives, over two or more conditions
    coalesce    the first argument that is not null
    case        condition, value, condition, value, ..., otherwise

`between` and `not_in` are no operations: they are built from `ge`, `le` and `and`, `in` and `not`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from dataflow.values import arithmetic, kinds, logic
from dataflow.values.equality import equal
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import expose, normal
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SIZED: Final = frozenset(
    (kinds.TEXT, kinds.BYTES, kinds.TUPLE, kinds.LIST, kinds.SET, kinds.MAPPING)
)
_LISTS: Final = frozenset((kinds.TUPLE, kinds.LIST, kinds.SET))


@dataclass(frozen=True, slots=True)
class Operation:
    """A scalar operation.

    Attributes:
        name: What `scalar.Call` carries.
        doc: One line on what it computes.
        least: The smallest number of arguments.
        most: The largest number of arguments; None if there is no limit.
        function: From evaluated arguments to the value; None of a lazy operation.
    """

    name: str
    doc: str
    least: int
    most: int | None
    function: Callable[..., Any] | None

    @property
    def lazy(self) -> bool:
        """Whether evaluating some arguments depends on the values of others."""
        return self.function is None


def is_not_null(value: object) -> bool:
    """Tell whether a value is anything but null."""
    return not is_null(value)


def in_any(value: object, *options: object) -> bool | None:
    """Return whether a value equals one of the other arguments; unknown as in `logic.in_`."""
    return logic.in_(value, options)


def like(value: object, pattern: object) -> bool | None:
    """Match a text against a pattern: % is any text, _ any one character."""
    text, form = _text(value), _text(pattern)
    return None if text is None or form is None else _pattern(form, 0).fullmatch(text) is not None


def ilike(value: object, pattern: object) -> bool | None:
    """Match as `like` does, whatever the case of letters."""
    text, form = _text(value), _text(pattern)
    if text is None or form is None:
        return None
    return _pattern(form, re.IGNORECASE).fullmatch(text) is not None


def contains(whole: object, part: object) -> bool | None:
    """Tell whether a text has a part, or a list, tuple or set an element."""
    if is_null(part):
        return None
    if kind_of(whole) in _LISTS:
        return any(equal(element, part) for element in plain(whole))
    text, inner = _text(whole), _text(part)
    return None if text is None or inner is None else inner in text


def starts_with(value: object, prefix: object) -> bool | None:
    """Tell whether a text begins with another one."""
    text, start = _text(value), _text(prefix)
    return None if text is None or start is None else text.startswith(start)


def ends_with(value: object, suffix: object) -> bool | None:
    """Tell whether a text ends with another one."""
    text, end = _text(value), _text(suffix)
    return None if text is None or end is None else text.endswith(end)


def upper(value: object) -> str | None:
    """Return a text in capitals."""
    text = _text(value)
    return None if text is None else text.upper()


def lower(value: object) -> str | None:
    """Return a text in small letters."""
    text = _text(value)
    return None if text is None else text.lower()


def trim(value: object) -> str | None:
    """Return a text without white space around it."""
    text = _text(value)
    return None if text is None else text.strip()


def length(value: Any) -> int | None:
    """Return the characters of a text, or the elements of a container."""
    return len(plain(value)) if kind_of(value) in _SIZED else None


def concat(*parts: object) -> str | None:
    """Join texts; null counts as "" and a number, bool or time as the text of its normal form."""
    texts = [_shown(part) for part in parts]
    return None if None in texts else "".join(text for text in texts if text is not None)


def substring(value: object, start: object, size: object = None) -> str | None:
    """Return `size` characters from position `start` on, counted from 0, or -1 for the last."""
    text, first = _text(value), _integer(start)
    if text is None or first is None:
        return None
    begin = max(0, first + len(text)) if first < 0 else first
    if is_null(size):
        return text[begin:]
    count = _integer(size)
    return None if count is None else text[begin : begin + max(0, count)]


def absolute(value: Any) -> Any:
    """Return a number or duration without its sign."""
    kind = kind_of(value)
    if kind == kinds.NUMBER:
        number = plain(value)
        return number.copy_abs() if isinstance(number, Decimal) else abs(number)
    return abs(plain(value)) if kind == kinds.DURATION else None


def round_(value: Any, digits: Any = 0) -> Any:
    """Round a number to decimal digits; halves go to the even neighbour, as in Python."""
    places = _integer(digits)
    if places is None or kind_of(value) != kinds.NUMBER:
        return None
    number = plain(value)
    try:
        return round(number, places)
    except (ArithmeticError, ValueError):  # infinite or NaN Decimals, more digits than there are
        return number


def _text(value: object) -> str | None:
    if value.__class__ is str:
        return value
    text = plain(value)
    return text if isinstance(text, str) else None


def _integer(value: object) -> int | None:
    number = normal(value)
    return number if isinstance(number, int) else None


def _shown(value: object) -> str | None:
    """Return the text that stands for a value, the same for all equal values; None without one."""
    if value.__class__ is str:
        return value
    kind = kind_of(value)
    if kind == kinds.NULL:
        return ""
    if kind not in kinds.SCALARS or kind == kinds.BYTES:
        return None
    form = expose(normal(value))
    return f"{form.normalize():f}" if isinstance(form, Decimal) else str(form)


@lru_cache(maxsize=1024)
def _pattern(form: str, flags: int) -> re.Pattern[str]:
    parts = [{"%": ".*", "_": "."}.get(char) or re.escape(char) for char in form]
    return re.compile("".join(parts), re.DOTALL | flags)


_EAGER: Final[tuple[tuple[str, Callable[..., Any], int, int | None, str], ...]] = (
    ("eq", logic.eq, 2, 2, "equal; unknown beside null"),
    ("ne", logic.ne, 2, 2, "not equal; unknown beside null"),
    ("lt", logic.lt, 2, 2, "less; unknown beside null or another kind"),
    ("le", logic.le, 2, 2, "less or equal; unknown beside null or another kind"),
    ("gt", logic.gt, 2, 2, "greater; unknown beside null or another kind"),
    ("ge", logic.ge, 2, 2, "greater or equal; unknown beside null or another kind"),
    ("not", logic.not_, 1, 1, "the negation of a condition; unknown stays unknown"),
    ("in", logic.in_, 2, 2, "equal to an element of the second argument, a constant tuple"),
    ("in_any", in_any, 2, None, "equal to one of the further arguments"),
    ("is_null", is_null, 1, 1, "null or missing; never unknown"),
    ("is_not_null", is_not_null, 1, 1, "anything but null; never unknown"),
    ("add", arithmetic.add, 2, 2, "sum of numbers or durations; a time moved by a duration"),
    ("sub", arithmetic.sub, 2, 2, "difference of numbers, durations or times"),
    ("mul", arithmetic.mul, 2, 2, "product of numbers, or of a number and a duration"),
    ("div", arithmetic.div, 2, 2, "true quotient; null by zero"),
    ("floordiv", arithmetic.floordiv, 2, 2, "quotient rounded down; null by zero"),
    ("mod", arithmetic.mod, 2, 2, "remainder, with the sign of the divisor; null by zero"),
    ("neg", arithmetic.neg, 1, 1, "a number or duration with the opposite sign"),
    ("abs", absolute, 1, 1, "a number or duration without its sign"),
    ("round", round_, 1, 2, "a number rounded to decimal digits, halves to even"),
    ("like", like, 2, 2, "a text matches a pattern of % and _"),
    ("ilike", ilike, 2, 2, "like, whatever the case of letters"),
    ("contains", contains, 2, 2, "a text has a part, a list an element"),
    ("starts_with", starts_with, 2, 2, "a text begins with another"),
    ("ends_with", ends_with, 2, 2, "a text ends with another"),
    ("upper", upper, 1, 1, "a text in capitals"),
    ("lower", lower, 1, 1, "a text in small letters"),
    ("trim", trim, 1, 1, "a text without white space around it"),
    ("length", length, 1, 1, "characters of a text, elements of a container"),
    ("concat", concat, 1, None, "texts joined; null counts as the empty text"),
    ("substring", substring, 2, 3, "characters from a position on, counted from 0"),
)

_LAZY: Final[tuple[tuple[str, int, str], ...]] = (
    ("and", 2, "both conditions; false if one is, else unknown if one is"),
    ("or", 2, "either condition; true if one is, else unknown if one is"),
    ("coalesce", 1, "the first argument that is not null"),
    ("case", 3, "the value after the first condition that is true, else the last argument"),
)

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        name: Operation(name, doc, least, most, function)
        for name, function, least, most, doc in _EAGER
    }
    | {name: Operation(name, doc, least, None, None) for name, least, doc in _LAZY}
)
"""Name -> operation, for everything a `scalar.Call` may name."""
