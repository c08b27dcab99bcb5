"""StreamDB: the events of a stream as live, queryable collections."""

from stateschema.streamdb.attach import attach
from stateschema.streamdb.bad_events import OnError
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.blocking_combined import BlockingCombinedStreamDB
from stateschema.streamdb.combined import CombinedStreamDB
from stateschema.streamdb.conflicts import Conflict, Conflicts
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.intake import Status
from stateschema.streamdb.publishing.events import to_events
from stateschema.streamdb.publishing.publication import Part
from stateschema.streamdb.publishing.publisher import BlockingPublisher, Publisher, publish
from stateschema.streamdb.router import Committed, Router
from stateschema.streamdb.views import View, Views
from stateschema.streamdb.writes import Progress

__all__ = [
    "BlockingCombinedStreamDB",
    "BlockingPublisher",
    "BlockingStreamDB",
    "CombinedStreamDB",
    "Committed",
    "Conflict",
    "Conflicts",
    "OnError",
    "Part",
    "Progress",
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
