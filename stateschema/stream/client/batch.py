"""Batches as they come over the network."""

from dataclasses import dataclass

from stateschema.stream.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBatch(Batch):
    """Consecutive messages of a stream on a server.

    In a JSON stream `messages` are decoded values; in others they are pieces of bytes, which joined
    are the content.

    Attributes:
        is_closed: Whether the stream is closed and this was the last of it.
        cursor: What the server wants to be told in the next live request, for its caches.
    """

    is_closed: bool = False
    cursor: str | None = None

    @property
    def data(self) -> bytes:
        """The content of a stream of bytes."""
        return b"".join(self.messages)
