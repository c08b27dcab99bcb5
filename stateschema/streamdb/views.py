"""Views: read-only streams that a server derives from its other streams.

```python
views = Views(View("chat/messages", of="chat", schema=Chat, type="message", query=messages, key="id"))
```

`python -m stateschema serve --views module:views` serves the base streams and the views from one
process. A view is a query over the collections of a base stream; whatever is appended to that is in the
view's stream a moment later, with the same txids.

Epochs     What an epoch changes in all views of one stream is one append: who reads it, or waits for its
           txid, sees them together.
State      One StreamDB per base stream and schema, one publisher per stream of views
Errors     A bad event is left out and logged. What makes a view impossible ends that stream alone: it
           says what it said last, and the log why.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dataflow.live.live import live
from dataflow.live.rekeying import LiveKey
from dataflow.query.builder import Query
from dataflow.query.source import Source
from stateschema.errors import EventError
from stateschema.schema.entity import StateSchema
from stateschema.stream.store.interface import Store
from stateschema.stream.store.stream import StoreStream
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.publishing.publication import Part
from stateschema.streamdb.publishing.publisher import ORDER_FIELD, Publisher

SchemaT = TypeVar("SchemaT", bound=StateSchema)

_log = logging.getLogger("stateschema.server")


@dataclass(frozen=True, slots=True)
class View(Generic[SchemaT]):
    """A stream that says what a query over another stream gives.

    Attributes:
        name: Its name on the server. Views of different types may share a stream.
        of: The name of the base stream, which is made if it is missing.
        schema: What the base stream carries.
        type: Entity type of the rows of the view.
        query: Makes the query from the collections of the base stream.
        key: Under what rows are known; that of the query by default.
        order_field: Where rows of an ordered query carry their order keys; None leaves them out.
    """

    name: str
    of: str
    schema: type[SchemaT]
    type: str
    query: Callable[[SchemaT], Query[Any] | Source[Any]]
    key: LiveKey | None = None
    order_field: str | None = ORDER_FIELD


class Views:
    """The views of a server: its companion.

    Args:
        views: What is derived. No base stream is a view.

    Raises:
        ValueError: A view is derived from a view, or two have one stream and type.
    """

    def __init__(self, *views: View[Any]) -> None:
        self._views = views
        self.names: frozenset[str] = frozenset(view.name for view in views)
        self._open = AsyncExitStack()
        for view in views:
            if view.of in self.names:
                raise ValueError(f"view {view.name!r} is derived from the view {view.of!r}")
        if len({(view.name, view.type) for view in views}) < len(views):
            raise ValueError("two views have the same stream and type")

    async def start(self, store: Store) -> None:
        """Bring all views up to date, and follow the base streams from there on."""
        bases: dict[tuple[str, type[StateSchema]], StreamDB[Any]] = {}
        streams: dict[str, list[View[Any]]] = {}
        for view in self._views:
            streams.setdefault(view.name, []).append(view)
            base = view.of, view.schema
            if base not in bases:
                bases[base] = await self._base(store, view)
        for name, views in streams.items():
            await self._publish(
                store, name, [(view, bases[view.of, view.schema]) for view in views]
            )

    async def stop(self) -> None:
        """Publish no more; idempotent."""
        await self._open.aclose()

    async def _base(self, store: Store, view: View[Any]) -> StreamDB[Any]:
        stream = StoreStream(store, view.of)
        await stream.create()
        db = StreamDB(view.schema, stream=stream, on_error="skip", on_skip=_skipped)
        self._open.push_async_callback(db.close)
        await db.preload()
        self._watch(f"stream {view.of!r} is not followed any more", db.wait_closed)
        return db

    async def _publish(
        self, store: Store, name: str, views: list[tuple[View[Any], StreamDB[Any]]]
    ) -> None:
        stream = StoreStream(store, name)
        await stream.create()
        parts = [
            Part(
                live(view.query(db.collections), key=view.key, name=name),
                view.type,
                view.order_field,
            )
            for view, db in views
        ]
        sources = {id(db): db for _, db in views}.values()
        publisher = Publisher(parts, stream, sources=sources)
        self._open.push_async_callback(publisher.close)
        await publisher.start()
        self._watch(f"view {name!r} is not written any more", publisher.wait_closed)

    def _watch(self, ending: str, end: Callable[[], Awaitable[None]]) -> None:
        """Log the end of something that is not meant to end."""
        task = asyncio.create_task(_watched(ending, end))
        self._open.push_async_callback(_ended, task)


async def _watched(ending: str, end: Callable[[], Awaitable[None]]) -> None:
    try:
        await end()
    except Exception:  # noqa: BLE001 - there is nobody else to tell
        _log.exception(ending)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _skipped(error: EventError) -> None:
    _log.warning("%s", error)
