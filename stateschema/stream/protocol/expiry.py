"""When streams expire (section 4.1): after a time without use, or at an instant.

Sliding    `Stream-TTL: seconds`: each read and write that reaches the server begins the time anew;
           asking for metadata does not. Live reads count when they begin.
Fixed      `Stream-Expires-At: instant`, RFC 3339.
An expired stream is a deleted one, from that instant on.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime

from stateschema.stream.protocol.headers import STREAM_EXPIRES_AT, STREAM_TTL, parse_count
from stateschema.stream.protocol.rejection import RejectedError

_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})"
)


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long a stream lives: for ever, `ttl` seconds after its last use, or until an instant.

    Attributes:
        ttl: Seconds.
        expires_at: The instant as it was written.
    """

    ttl: int | None = None
    expires_at: str | None = None

    def deadline(self, now: float) -> float | None:
        """Return when a stream that is used now expires, in seconds since 1970."""
        if self.ttl is not None:
            return now + self.ttl
        return None if self.expires_at is None else _instant(self.expires_at)

    def same_as(self, other: "Expiry") -> bool:
        """Tell whether two say the same; instants may be written differently."""
        return self.ttl == other.ttl and self.deadline(0.0) == other.deadline(0.0)


NEVER = Expiry()


def parse_expiry(ttl: str | None, expires_at: str | None) -> Expiry:
    """Read the two headers.

    Raises:
        RejectedError: Both are given, or one is malformed; status 400.
    """
    if ttl is not None and expires_at is not None:
        both = f"give {STREAM_TTL} or {STREAM_EXPIRES_AT}, not both"
        raise RejectedError(400, "bad-header", both)
    if ttl is not None:
        return Expiry(ttl=parse_count(STREAM_TTL, ttl))
    if expires_at is not None:
        return Expiry(expires_at=_checked_instant(expires_at))
    return NEVER


def _checked_instant(text: str) -> str:
    try:
        if _INSTANT.fullmatch(text) and math.isfinite(_instant(text)):
            return text
    except (ValueError, OverflowError):
        pass
    wrong = f"header {STREAM_EXPIRES_AT} is no RFC 3339 instant: {text[:64]!r}"
    raise RejectedError(400, "bad-header", wrong)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text.upper()).timestamp()
