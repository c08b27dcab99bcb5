"""Texts: case, parts, searching and replacing.

Positions count characters from 0. A text is searched as it is written; for patterns see `patterns`.
`contains` also looks into containers: see `containers`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import integer, shown, text
from dataflow.values.null import is_null

WIDEST: Final = 10_000
"""Characters up to which a text is padded.

A larger width gives null, as it might fill the memory.
"""


def like(value: object, pattern: object) -> bool | None:
    """Match a text against a pattern: % is any text, _ any one character."""
    whole, form = text(value), text(pattern)
    return None if whole is None or form is None else _like(form, 0).fullmatch(whole) is not None


def ilike(value: object, pattern: object) -> bool | None:
    """Match as `like` does, whatever the case of letters."""
    whole, form = text(value), text(pattern)
    if whole is None or form is None:
        return None
    return _like(form, re.IGNORECASE).fullmatch(whole) is not None


def starts_with(value: object, prefix: object) -> bool | None:
    """Tell whether a text begins with another one."""
    whole, start = text(value), text(prefix)
    return None if whole is None or start is None else whole.startswith(start)


def ends_with(value: object, suffix: object) -> bool | None:
    """Tell whether a text ends with another one."""
    whole, end = text(value), text(suffix)
    return None if whole is None or end is None else whole.endswith(end)


def upper(value: object) -> str | None:
    """Return a text in capitals."""
    whole = text(value)
    return None if whole is None else whole.upper()


def lower(value: object) -> str | None:
    """Return a text in small letters."""
    whole = text(value)
    return None if whole is None else whole.lower()


def trim(value: object) -> str | None:
    """Return a text without white space around it."""
    whole = text(value)
    return None if whole is None else whole.strip()


def ltrim(value: object) -> str | None:
    """Return a text without white space before it."""
    whole = text(value)
    return None if whole is None else whole.lstrip()


def rtrim(value: object) -> str | None:
    """Return a text without white space after it."""
    whole = text(value)
    return None if whole is None else whole.rstrip()


def pad_start(value: object, width: object, fill: object = " ") -> str | None:
    """Return a text with a character repeated before it until it has a width."""
    return _padded(value, width, fill, at_start=True)


def pad_end(value: object, width: object, fill: object = " ") -> str | None:
    """Return a text with a character repeated after it until it has a width."""
    return _padded(value, width, fill, at_start=False)


def _padded(value: object, width: object, fill: object, *, at_start: bool) -> str | None:
    whole, size, character = text(value), integer(width), text(fill)
    if whole is None or size is None or size > WIDEST or character is None or len(character) != 1:
        return None
    return whole.rjust(size, character) if at_start else whole.ljust(size, character)


def concat(*parts: object) -> str | None:
    """Join texts; null counts as "" and a number, bool or time as the text of its normal form."""
    texts = [shown(part) for part in parts]
    return None if None in texts else "".join(part for part in texts if part is not None)


def substring(value: object, start: object, size: object = None) -> str | None:
    """Return `size` characters from position `start` on, counted from 0, or -1 for the last."""
    whole, first = text(value), integer(start)
    if whole is None or first is None:
        return None
    begin = max(0, first + len(whole)) if first < 0 else first
    if is_null(size):
        return whole[begin:]
    count = integer(size)
    return None if count is None else whole[begin : begin + max(0, count)]


def replace(value: object, part: object, instead: object) -> str | None:
    """Return a text with every occurrence of a part exchanged; an empty part occurs nowhere."""
    whole, old, new = text(value), text(part), text(instead)
    if whole is None or old is None or new is None:
        return None
    return whole.replace(old, new) if old else whole


def position(value: object, part: object) -> int | None:
    """Return where a part first occurs in a text, counted from 0; null if it does not."""
    whole, inner = text(value), text(part)
    if whole is None or inner is None:
        return None
    found = whole.find(inner)
    return None if found < 0 else found


def split(value: object, separator: object) -> list[str] | None:
    """Return the list of texts between the separators; null if the separator is empty."""
    whole, between = text(value), text(separator)
    return whole.split(between) if whole is not None and between else None


@lru_cache(maxsize=1024)
def _like(form: str, flags: int) -> re.Pattern[str]:
    parts = [{"%": ".*", "_": "."}.get(char) or re.escape(char) for char in form]
    return re.compile("".join(parts), re.DOTALL | flags)


OPERATIONS: Final = (
    Operation("like", like, 2, 2, "a text matches a pattern of % and _"),
    Operation("ilike", ilike, 2, 2, "like, whatever the case of letters"),
    Operation("starts_with", starts_with, 2, 2, "a text begins with another"),
    Operation("ends_with", ends_with, 2, 2, "a text ends with another"),
    Operation("upper", upper, 1, 1, "a text in capitals"),
    Operation("lower", lower, 1, 1, "a text in small letters"),
    Operation("trim", trim, 1, 1, "a text without white space around it"),
    Operation("ltrim", ltrim, 1, 1, "a text without white space before it"),
    Operation("rtrim", rtrim, 1, 1, "a text without white space after it"),
    Operation("pad_start", pad_start, 2, 3, "a text filled up to a width, at its start"),
    Operation("pad_end", pad_end, 2, 3, "a text filled up to a width, at its end"),
    Operation("concat", concat, 1, None, "texts joined; null counts as the empty text"),
    Operation("substring", substring, 2, 3, "characters from a position on, counted from 0"),
    Operation("replace", replace, 3, 3, "a text with every occurrence of a part exchanged"),
    Operation("position", position, 2, 2, "where a part first occurs, from 0; null if nowhere"),
    Operation("split", split, 2, 2, "the list of texts between separators"),
)
