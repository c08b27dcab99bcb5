"""What a server knows about one stream; a value, replaced as a whole by what changes it."""

from dataclasses import dataclass

from stateschema.stream.offset import Offset
from stateschema.stream.protocol.expiry import Expiry
from stateschema.stream.protocol.headers import STREAM_CLOSED, STREAM_NEXT_OFFSET
from stateschema.stream.protocol.producer import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """One stream.

    Positions count bytes, or messages in JSON mode, from the start of the stream. A fork shares the
    positions below `base` with its parent and has records of its own from there on.

    Attributes:
        id: A number never used for another stream.
        name: What it is found by.
        content_type: As it was given when the stream was created.
        expiry: How long it lives.
        deadline: When it expires unless it is used, in seconds since 1970.
        parent: The stream it was forked from.
        forked_from: The name of the parent, as it was then.
        base: Where its own records begin.
        first: The first position that is still held.
        tail: The position after the last one.
        size: Bytes of its own records.
        closed: Whether nothing can be appended any more.
        closer: The claim that closed it.
        seq: The last `Stream-Seq`; one count for all who write.
        forks: How many streams share its records.
        deleted: Deleted, and kept only because forks share its records.
    """

    id: int
    name: str
    content_type: str
    expiry: Expiry
    deadline: float | None = None
    parent: int | None = None
    forked_from: str | None = None
    base: int = 0
    first: int = 0
    tail: int = 0
    size: int = 0
    closed: bool = False
    closer: Claim | None = None
    seq: str | None = None
    forks: int = 0
    deleted: bool = False

    @property
    def next_offset(self) -> Offset:
        """The offset of the tail."""
        return Offset.mint(self.tail)

    def is_expired(self, now: float) -> bool:
        """Tell whether the stream's time is over."""
        return self.deadline is not None and self.deadline <= now

    def tail_headers(self) -> dict[str, str]:
        """Return the headers that say where the stream ends, and whether for good."""
        headers = {STREAM_NEXT_OFFSET: str(self.next_offset)}
        if self.closed:
            headers[STREAM_CLOSED] = "true"
        return headers
