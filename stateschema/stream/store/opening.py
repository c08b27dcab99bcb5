"""Stores by URL: `memory:`, or `sqlite:///` or `log:///` and a path, absolute if it begins with a slash."""

from typing import Final

from stateschema.errors import StreamError
from stateschema.stream.store.interface import Store
from stateschema.stream.store.log import LogStore
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.operations import Retention
from stateschema.stream.store.sqlite import SqliteStore

_SQLITE: Final = "sqlite:///"
_LOG: Final = "log:///"


def open_store(url: str, *, retention: Retention | None = None) -> Store:
    """Open a store.

    Args:
        url: `memory:`, `sqlite:///streams.db`, `sqlite:////var/lib/streams.db` or
            `log:///session.jsonl`.
        retention: How much of each stream is kept; all of it by default. A log keeps everything.

    Raises:
        StreamError: The URL names no store, or the store cannot be opened.
    """
    if url == "memory:":
        return MemoryStore(retention=retention)
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return SqliteStore(url.removeprefix(_SQLITE), retention=retention)
    if url.startswith(_LOG) and len(url) > len(_LOG):
        return _open_log(url.removeprefix(_LOG), retention)
    error = StreamError(f"store {url!r} is of no known kind")
    error.add_note("write 'memory:', 'sqlite:///streams.db' or 'log:///session.jsonl'")
    raise error


def _open_log(path: str, retention: Retention | None) -> LogStore:
    if retention is not None and not retention.keeps_all:
        raise StreamError(f"log file {path!r} cannot be shortened: it keeps everything")
    try:
        return LogStore(path)
    except OSError as error:
        raise StreamError(f"log file {path!r} cannot be opened: {error.strerror}") from error
