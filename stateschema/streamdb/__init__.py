"""StreamDB: the events of a stream as live, queryable collections."""

from stateschema.streamdb.attach import attach
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.intake import Status
from stateschema.streamdb.publishing.events import to_events
from stateschema.streamdb.publishing.publisher import BlockingPublisher, Publisher, publish
from stateschema.streamdb.router import Committed, OnError, Router
from stateschema.streamdb.views import View, Views

__all__ = [
    "BlockingPublisher",
    "BlockingStreamDB",
    "Committed",
    "OnError",
    "Publisher",
    "Router",
    "Status",
    "StreamDB",
    "View",
    "Views",
    "attach",
    "publish",
    "to_events",
]
