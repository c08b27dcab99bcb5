"""Companions: what lives beside a server in its process and writes streams of its own, as views do."""

from collections.abc import Container
from typing import Protocol

from stateschema.stream.store.interface import Store


class Companion(Protocol):
    """Streams that only the server itself writes; for everybody else they are read-only."""

    @property
    def names(self) -> Container[str]:
        """The names of its streams."""
        ...

    async def start(self, store: Store) -> None:
        """Make the streams and begin to write them; called once, before the first request."""
        ...

    async def stop(self) -> None:
        """Write no more; the store is closed next. Idempotent, also without a start."""
        ...
