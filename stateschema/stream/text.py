"""Text of event logs: one JSON value per line, or one JSON array.

Lines      A line counts once its newline is written. The last line may lack it: it counts if it is
           a complete JSON value, and is *torn*, and waits for its rest, if the text ends in the
           middle of an object or before it begins. Whatever else is malformed is an error that
           names file and line. Blank lines are skipped.
Array      Text whose first character is `[` is one array of messages; it has no torn form.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from pydantic_core import from_json

from stateschema.errors import EventError, Where
from stateschema.events import decode_json

OnMalformed: TypeAlias = Callable[[EventError], object]


class Lines(NamedTuple):
    """Messages of a piece of text, their line numbers, and how much of the text they took."""

    messages: list[Any]
    lines: list[int]
    size: int
    line_count: int


class Array(NamedTuple):
    """Messages of a JSON array, and the line on which each begins."""

    messages: list[Any]
    lines: list[int]


def decode_lines(
    text: bytes,
    *,
    source: str,
    first_line: int,
    limit: int | None = None,
    on_malformed: OnMalformed | None = None,
) -> Lines:
    """Decode the lines of a text that begins at the start of a line.

    Args:
        text: Whole lines; the last one may be torn.
        source: Name of the file, for errors.
        first_line: Number of the first line.
        limit: How many messages to decode at most.
        on_malformed: Called with the error of each malformed line, which is then left out.

    Raises:
        EventError: A line is malformed, and nobody asked to be called; names file and line.
    """
    messages: list[Any] = []
    lines: list[int] = []

    def decode(raw: bytes) -> None:
        if raw.isspace() or not raw:
            return
        try:
            messages.append(decode_json(raw, Where(source=source, line=line)))
            lines.append(line)
        except EventError as error:
            if on_malformed is None:
                raise
            on_malformed(error)

    size, line = 0, first_line
    *ended, last = text.split(b"\n")
    for raw in ended:
        if len(messages) == limit:
            return Lines(messages, lines, size, line - first_line)
        decode(raw)
        size += len(raw) + 1
        line += 1
    if last and len(messages) != limit and not is_torn(last):
        decode(last)
        size += len(last)
    return Lines(messages, lines, size, line - first_line)


def is_torn(line: bytes) -> bool:
    """Tell whether a line without newline is the beginning of an object that is not all there."""
    start = line.lstrip()[:1]
    if start != b"{":
        return start == b""
    try:
        from_json(line)
    except ValueError as error:
        return str(error).startswith("EOF while parsing")
    return False


def is_array(text: bytes) -> bool:
    """Tell whether a text that starts like this is one JSON array."""
    return text.lstrip().startswith(b"[")


def decode_array(text: bytes, *, source: str) -> Array:
    """Decode the messages of a JSON array.

    Raises:
        EventError: The text is no JSON array; names file and line.
    """
    try:
        content = text.decode()
        messages, starts = _elements(content)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        where = Where(source=source, line=line)
        raise EventError(f"is no JSON: {reason}", where=where) from error
    lines: list[int] = []
    line, seen = 1, 0
    for start in starts:
        line += content.count("\n", seen, start)
        seen = start
        lines.append(line)
    return Array(messages, lines)


def _elements(content: str) -> tuple[list[Any], list[int]]:
    decode = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
    messages: list[Any] = []
    starts: list[int] = []
    place = _skip_space(content, content.index("[") + 1)
    while content[place : place + 1] != "]" or messages:
        starts.append(place)
        message, place = decode(content, place)
        messages.append(message)
        place = _skip_space(content, place)
        if content[place : place + 1] != ",":
            break
        place = _skip_space(content, place + 1)
    if content[place : place + 1] != "]" or content[place + 1 :].strip():
        raise json.JSONDecodeError("expected ',' or the end of the array", content, place)
    return messages, starts


def _skip_space(content: str, place: int) -> int:
    while content[place : place + 1] in {" ", "\t", "\r", "\n"}:
        place += 1
    return place


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")
