"""Regular expressions: Python's `re`, searched anywhere in a text.

A pattern is a constant, a text or what `re.compile` made (which is how it gets flags). It is
compiled and checked once, when the query is written.
"""

from __future__ import annotations

import re

from dataflow.errors import near
from dataflow.query.expr import Expr, call, operand
from dataflow.query.scalar import Const
from dataflow.query.traps import refusal


def regexp_matches(text: object, pattern: str | re.Pattern[str]) -> Expr[bool]:
    """Test whether a regular expression occurs in a text.

    >>> regexp_matches("call me at 555-0100", r"[0-9]{3}-[0-9]{4}")
    <Expr regexp_matches('call me at 555-0100', re.compile('[0-9]{3}-[0-9]{4}'))>

    Raises:
        QueryError: The pattern is invalid.
    """
    compiled = _compiled(pattern, "regexp_matches")
    return call("regexp_matches", operand(text, "regexp_matches"), Expr(Const(compiled)))


def regexp_extract(text: object, pattern: str | re.Pattern[str], group: int | str = 0) -> Expr[str]:
    """Return the first occurrence of a regular expression in a text; null if there is none.

    Args:
        text: What is searched.
        pattern: What for.
        group: The number or name of the group that is returned; the whole occurrence by default.

    Raises:
        QueryError: The pattern is invalid or has no such group.
    """
    compiled = _compiled(pattern, "regexp_extract")
    if isinstance(group, str):
        if group not in compiled.groupindex:
            matches = near(group, compiled.groupindex)
            raise refusal(
                f"pattern {compiled.pattern!r} of regexp_extract has no group {group!r}{matches}",
                f"a group with a name is written (?P<{group}>...)",
            )
    elif isinstance(group, bool) or not 0 <= group <= compiled.groups:
        raise refusal(
            f"pattern {compiled.pattern!r} of regexp_extract has no group {group!r}",
            f"its last group, in parentheses, is {compiled.groups}; 0 is the whole occurrence",
        )
    what = operand(text, "regexp_extract")
    return call("regexp_extract", what, Expr(Const(compiled)), Expr(Const(group)))


def regexp_replace(text: object, pattern: str | re.Pattern[str], replacement: str) -> Expr[str]:
    r"""Return a text with every occurrence of a regular expression exchanged.

    Args:
        text: What is searched.
        pattern: What for.
        replacement: What takes its place; `\1` and `\g<name>` stand for groups.

    Raises:
        QueryError: The pattern or the replacement is invalid.
    """
    compiled = _compiled(pattern, "regexp_replace")
    if not isinstance(replacement, str):
        raise refusal(
            f"the replacement of regexp_replace is a text, not {replacement!r}",
            "a text that differs from row to row is put in with replace(x, part, instead)",
        )
    try:
        compiled.sub(replacement, "")
    except (re.error, IndexError) as error:
        raise refusal(
            f"replacement {replacement!r} of regexp_replace is invalid: {error}",
            r"\1 and \g<name> are groups of the pattern, \\ is a backslash",
        ) from error
    what = operand(text, "regexp_replace")
    return call("regexp_replace", what, Expr(Const(compiled)), Expr(Const(replacement)))


def _compiled(pattern: object, place: str) -> re.Pattern[str]:
    if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
        return pattern
    if not isinstance(pattern, str):
        raise refusal(
            f"the pattern of {place} is a text or a compiled one, not {pattern!r}",
            "a text that differs from row to row is searched with position, contains or like",
        )
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise refusal(
            f"pattern {pattern!r} of {place} is invalid: {error}",
            "re.escape(text) is the pattern of a text as it stands",
        ) from error
