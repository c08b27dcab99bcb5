"""The state protocol: typed change events over an append-only stream, and what they add up to.

A `StateSchema` declares the entities of a stream, a `ChangeEvent` says what happened to one of
their rows, a `ControlEvent` speaks about the stream itself, and a `MaterializedState` is the plain
fold of all of them. Nothing here needs, or imports, the query engine.
"""

from stateschema.errors import (
    ConflictError,
    EventError,
    LocalProtocolError,
    NetworkError,
    OffsetGoneError,
    ProtocolError,
    RefusedError,
    RemoteProtocolError,
    SchemaError,
    ServerError,
    StateSchemaError,
    StreamClosedError,
    StreamError,
    StreamNotFoundError,
    UnconfirmedError,
    Where,
)
from stateschema.events import (
    ChangeEvent,
    ControlEvent,
    new_txid,
    parse_event,
    parse_events,
)
from stateschema.schema.entity import Entity, StateSchema, entities, entities_by_type
from stateschema.schema.json_schema import json_schema
from stateschema.schema.typescript import typescript
from stateschema.state import MaterializedState

__all__ = [
    "ChangeEvent",
    "ConflictError",
    "ControlEvent",
    "Entity",
    "EventError",
    "LocalProtocolError",
    "MaterializedState",
    "NetworkError",
    "OffsetGoneError",
    "ProtocolError",
    "RefusedError",
    "RemoteProtocolError",
    "SchemaError",
    "ServerError",
    "StateSchema",
    "StateSchemaError",
    "StreamClosedError",
    "StreamError",
    "StreamNotFoundError",
    "UnconfirmedError",
    "Where",
    "entities",
    "entities_by_type",
    "json_schema",
    "new_txid",
    "parse_event",
    "parse_events",
    "typescript",
]
