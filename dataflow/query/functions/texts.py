"""Texts: case, parts, searching and replacing.

More are methods: `like`, `contains`, `starts_with` …
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.expr import Expr, call, operand
from dataflow.query.operations.texts import WIDEST
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable


def upper(text: object) -> Expr[str]:
    """Return a text in capitals."""
    return _call("upper", [text])


def lower(text: object) -> Expr[str]:
    """Return a text in small letters."""
    return _call("lower", [text])


def trim(text: object) -> Expr[str]:
    """Return a text without white space around it."""
    return _call("trim", [text])


def ltrim(text: object) -> Expr[str]:
    """Return a text without white space before it."""
    return _call("ltrim", [text])


def rtrim(text: object) -> Expr[str]:
    """Return a text without white space after it."""
    return _call("rtrim", [text])


def pad_start(text: object, width: int, fill: str = " ") -> Expr[str]:
    """Return a text filled up to a width at its start; a longer text stays as it is.

    >>> pad_start("7", 3, "0")
    <Expr pad_start('7', 3, '0')>

    Args:
        text: What is filled up.
        width: Number of characters, at most 10,000.
        fill: One character.
    """
    return _call("pad_start", [text, *_padding("pad_start", width, fill)])


def pad_end(text: object, width: int, fill: str = " ") -> Expr[str]:
    """Return a text filled up to a width at its end; a longer text stays as it is."""
    return _call("pad_end", [text, *_padding("pad_end", width, fill)])


def concat(*parts: object) -> Expr[str]:
    """Join texts; null counts as the empty text, numbers and times as their text."""
    if not parts:
        raise refusal("concat needs at least one text", "write concat(x, ': ', y)")
    return _call("concat", parts)


def substring(text: object, start: object, size: object = None) -> Expr[str]:
    """Return a part of a text.

    Args:
        text: The whole.
        start: Position of the first character, from 0; negative ones count from the end.
        size: Number of characters; to the end by default.
    """
    return _call("substring", (text, start) if size is None else (text, start, size))


def replace(text: object, part: object, instead: object) -> Expr[str]:
    """Return a text with every occurrence of a part exchanged; an empty part occurs nowhere."""
    return _call("replace", [text, part, instead])


def position(text: object, part: object) -> Expr[int]:
    """Return where a part first occurs in a text, counted from 0; null if it does not."""
    return _call("position", [text, part])


def split(text: object, separator: object) -> Expr[list[str]]:
    """Return the list of texts between separators.

    >>> split("a,b", ",")[0]
    <Expr split('a,b', ',')[0]>
    """
    if isinstance(separator, str) and not separator:
        raise refusal(
            "split needs a separator, not the empty text", "one character is substring(x, 0, 1)"
        )
    return _call("split", [text, separator])


def _call(name: str, args: Iterable[object]) -> Expr[Any]:
    return call(name, *[operand(arg, name) for arg in args])


def _padding(name: str, width: object, fill: object) -> tuple[object, object]:
    if not isinstance(width, int) or isinstance(width, bool) or not 0 <= width <= WIDEST:
        raise refusal(
            f"the width of {name} is a number from 0 to {WIDEST}, not {width!r}",
            f"write {name}(x, 8)",
        )
    if not isinstance(fill, str) or len(fill) != 1:
        raise refusal(
            f"{name} fills up with one character, not {fill!r}", f"write {name}(x, 8, '0')"
        )
    return width, fill
