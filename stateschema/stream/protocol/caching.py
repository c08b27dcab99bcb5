"""What caches may keep (section 10): entity tags and Cache-Control.

A range of a stream never changes, so its tag names the stream and the range. Closing changes what an
answer says without changing its bytes, so the tag changes too. The number of a stream is never used
again, so a stream that was deleted and created anew has other tags.
"""

from typing import Final

NO_STORE: Final = "no-store"
NO_CACHE: Final = "no-cache"


def catch_up(*, private: bool) -> str:
    """Return Cache-Control of data: shared caches may keep it unless readers are told apart."""
    scope = "private" if private else "public"
    return f"{scope}, max-age=60, stale-while-revalidate=300"


def etag(stream: int, start: int, end: int, *, closed: bool) -> str:
    """Return the tag of a range of a stream.

    >>> etag(7, 0, 12, closed=True)
    '"7:0:12:c"'
    """
    return f'"{stream}:{start}:{end}{":c" if closed else ""}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Tell whether a reader has this already: RFC 9110, section 13.1.2, by weak comparison."""
    if if_none_match is None:
        return False
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in known or "*" in known
