"""Regular expressions: Python's `re`, compiled when the query is built.

The second argument is a compiled pattern of texts; anything else gives null. A pattern is searched
anywhere in the text; `^` and `$`, or `\\A` and `\\Z`, tie it to the ends.
"""

from __future__ import annotations

import re
from typing import Final

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import text


def regexp_matches(value: object, pattern: object) -> bool | None:
    """Tell whether a pattern occurs in a text."""
    whole, compiled = text(value), _compiled(pattern)
    return None if whole is None or compiled is None else compiled.search(whole) is not None


def regexp_extract(value: object, pattern: object, group: object = 0) -> str | None:
    """Return the first occurrence of a pattern, or one group of it; null if there is none."""
    whole, compiled = text(value), _compiled(pattern)
    if whole is None or compiled is None:
        return None
    found = compiled.search(whole)
    if found is None:
        return None
    try:
        return found.group(group)  # type: ignore[call-overload, no-any-return]  # checked when built
    except (IndexError, TypeError):
        return None


def regexp_replace(value: object, pattern: object, replacement: object) -> str | None:
    """Return a text with every occurrence of a pattern exchanged; `\\1` stands for a group."""
    whole, compiled, new = text(value), _compiled(pattern), text(replacement)
    if whole is None or compiled is None or new is None:
        return None
    try:
        return compiled.sub(new, whole)
    except (re.error, IndexError):  # a replacement that names no group of the pattern
        return None


def _compiled(pattern: object) -> re.Pattern[str] | None:
    if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
        return pattern
    return None


OPERATIONS: Final = (
    Operation("regexp_matches", regexp_matches, 2, 2, "a regular expression occurs in a text"),
    Operation("regexp_extract", regexp_extract, 2, 3, "its first occurrence, or a group of it"),
    Operation("regexp_replace", regexp_replace, 3, 3, "a text with every occurrence exchanged"),
)
