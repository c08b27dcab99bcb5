"""Where a server keeps its streams: in memory, in SQLite, or one stream in a log file."""

from stateschema.stream.store.compaction import Compactor, compact
from stateschema.stream.store.interface import Created, Piece, Store
from stateschema.stream.store.log import LogStore
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.opening import open_store
from stateschema.stream.store.operations import Retention
from stateschema.stream.store.sqlite import SqliteStore
from stateschema.stream.store.stream import StoreStream

__all__ = [
    "Compactor",
    "Created",
    "LogStore",
    "MemoryStore",
    "Piece",
    "Retention",
    "SqliteStore",
    "Store",
    "StoreStream",
    "compact",
    "open_store",
]
