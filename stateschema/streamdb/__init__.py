"""StreamDB: the events of a stream as live, queryable collections."""

from stateschema.streamdb.attach import attach
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.intake import Status
from stateschema.streamdb.router import Committed, OnError, Router

__all__ = ["BlockingStreamDB", "Committed", "OnError", "Router", "Status", "StreamDB", "attach"]
