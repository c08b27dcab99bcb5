"""Records: what one append adds to a stream, in either of the two modes (section 9).

Bytes      A position is a byte; an append is its bytes.
JSON       For `application/json` (9.1). A position is a message. A value is one message, an array
           is its elements; one level is opened, no more. The text of an append is kept as it came,
           without the outer brackets, so numbers and spelling survive and reading is joining.

Cost       Checking JSON is one pass over the body. Cutting a JSON record in two reads it again; only
           a fork or a reader that begins inside an append asks for that.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic_core import from_json

from stateschema.stream.protocol.headers import media_type
from stateschema.stream.protocol.rejection import RejectedError

JSON: Final = "application/json"
DEFAULT_CONTENT_TYPE: Final = "application/octet-stream"

_SPACE = b" \t\r\n"
_BETWEEN = re.compile(r"[ \t\r\n,]*")


@dataclass(frozen=True, slots=True)
class Record:
    """The content of one append.

    Attributes:
        data: Bytes; in JSON mode the messages, separated by commas.
        count: How many positions it takes: bytes, or messages.
    """

    data: bytes
    count: int


def is_json(content_type: str) -> bool:
    """Tell whether a stream of this content type is in JSON mode."""
    return media_type(content_type) == JSON


def parse_body(content_type: str, body: bytes) -> Record | None:
    """Return the record of a body, None for one that adds nothing.

    Raises:
        RejectedError: In JSON mode the body is no JSON; status 400.
    """
    if not body:
        return None
    if not is_json(content_type):
        return Record(body, len(body))
    try:
        value: Any = from_json(body, allow_inf_nan=False, cache_strings="all")
    except ValueError as error:
        raise RejectedError(400, "bad-json", f"body is no JSON: {error}") from error
    text = body.strip(_SPACE)
    if not isinstance(value, list):
        return Record(text, 1)
    count = len(cast("list[object]", value))
    return Record(text[1:-1].strip(_SPACE), count) if count else None


def cut(content_type: str, data: bytes, start: int, end: int) -> bytes:
    """Return the positions from `start` up to `end` of the data of one record."""
    if not is_json(content_type):
        return data[start:end]
    return b",".join(_messages(data)[start:end])


def join(content_type: str, pieces: Sequence[bytes]) -> bytes:
    """Return the pieces of a stream as a reader gets them: bytes, or one JSON array."""
    return b"[%b]" % b",".join(pieces) if is_json(content_type) else b"".join(pieces)


def _messages(data: bytes) -> list[bytes]:
    """Return the text of each message; the data were checked when they were appended."""
    # Only the extent of each value is asked for, so numbers need not become numbers.
    decode = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode
    text = data.decode()
    found: list[bytes] = []
    place = 0
    while place < len(text):
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr] # it may be empty
        _, end = decode(text, place)
        found.append(text[place:end].encode())
        place = end
    return found
