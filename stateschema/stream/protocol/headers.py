"""Header names of the protocol, and how their values are read (sections 4, 5 and 12).

Names are compared without regard to case, as HTTP has it. A value that a rule gives a form to is
refused with status 400 when it has another form; it is never guessed at.
"""

import re
from typing import Final

from stateschema.stream.protocol.rejection import RejectedError

STREAM_NEXT_OFFSET: Final = "Stream-Next-Offset"
STREAM_UP_TO_DATE: Final = "Stream-Up-To-Date"
STREAM_CURSOR: Final = "Stream-Cursor"
STREAM_CLOSED: Final = "Stream-Closed"
STREAM_SEQ: Final = "Stream-Seq"
STREAM_TTL: Final = "Stream-TTL"
STREAM_EXPIRES_AT: Final = "Stream-Expires-At"
STREAM_FORKED_FROM: Final = "Stream-Forked-From"
STREAM_FORK_OFFSET: Final = "Stream-Fork-Offset"
STREAM_FORK_SUB_OFFSET: Final = "Stream-Fork-Sub-Offset"
STREAM_SSE_DATA_ENCODING: Final = "Stream-SSE-Data-Encoding"
PRODUCER_ID: Final = "Producer-Id"
PRODUCER_EPOCH: Final = "Producer-Epoch"
PRODUCER_SEQ: Final = "Producer-Seq"
PRODUCER_EXPECTED_SEQ: Final = "Producer-Expected-Seq"
PRODUCER_RECEIVED_SEQ: Final = "Producer-Received-Seq"

REQUEST_HEADERS: Final = (
    STREAM_SEQ,
    STREAM_CLOSED,
    STREAM_TTL,
    STREAM_EXPIRES_AT,
    STREAM_FORKED_FROM,
    STREAM_FORK_OFFSET,
    STREAM_FORK_SUB_OFFSET,
    PRODUCER_ID,
    PRODUCER_EPOCH,
    PRODUCER_SEQ,
)
ANSWER_HEADERS: Final = (
    STREAM_NEXT_OFFSET,
    STREAM_UP_TO_DATE,
    STREAM_CURSOR,
    STREAM_CLOSED,
    STREAM_TTL,
    STREAM_EXPIRES_AT,
    STREAM_SSE_DATA_ENCODING,
    PRODUCER_EPOCH,
    PRODUCER_SEQ,
    PRODUCER_EXPECTED_SEQ,
    PRODUCER_RECEIVED_SEQ,
)

MAX_COUNT: Final = 2**53 - 1
"""The largest number of the protocol: what every JSON reader holds exactly (section 5.2.1)."""

_COUNT = re.compile(r"0|[1-9][0-9]{0,15}")


def is_true(value: str | None) -> bool:
    """Tell whether a flag is set: `true` in any case; any other value is no value (section 4.1)."""
    return value is not None and value.lower() == "true"


def parse_count(name: str, value: str) -> int:
    """Return a whole number from 0 on, without sign, leading zero, point or exponent.

    Raises:
        RejectedError: The value has another form, or is larger than `MAX_COUNT`; status 400.
    """
    if _COUNT.fullmatch(value) and int(value) <= MAX_COUNT:
        return int(value)
    raise RejectedError(400, "bad-header", f"header {name} is no whole number: {value[:64]!r}")


def media_type(content_type: str) -> str:
    """Return what a content type is compared by: lower case, without parameters (section 4).

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()
