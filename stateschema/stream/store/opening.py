"""Stores by URL: `memory:`, or `sqlite:///` and a path, which is absolute if it begins with a slash."""

from typing import Final

from stateschema.errors import StreamError
from stateschema.stream.store.interface import Store
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.operations import Retention
from stateschema.stream.store.sqlite import SqliteStore

_SQLITE: Final = "sqlite:///"


def open_store(url: str, *, retention: Retention | None = None) -> Store:
    """Open a store.

    Args:
        url: `memory:`, `sqlite:///streams.db` or `sqlite:////var/lib/streams.db`.
        retention: How much of each stream is kept; all of it by default.

    Raises:
        StreamError: The URL names no store, or the store cannot be opened.
    """
    if url == "memory:":
        return MemoryStore(retention=retention)
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return SqliteStore(url.removeprefix(_SQLITE), retention=retention)
    error = StreamError(f"store {url!r} is of no known kind")
    error.add_note("write 'memory:' or 'sqlite:///streams.db'")
    raise error
