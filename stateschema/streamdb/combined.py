"""Several streams in one database: a session beside the profiles that every session shares.

```python
class App(Session, Profiles): ...

async with CombinedStreamDB(App, StreamDB(Session, url=one), StreamDB(Profiles, url=other)) as db:
    db.collections.messages, db.collections.profiles       # join them
    db.parts[Profiles].offset
```

Law        Each part shows the fold of its own stream up to its own offset. There is no order between
           streams, so an epoch belongs to one of them.
Writing    A collection writes to the stream of its part. A transaction over collections of two parts
           would be two appends, of which one may fail: it is refused.
Errors     A part that fails leaves the others running, but the whole has failed: whatever waits for it
           raises. Waiting goes on for those of `parts` that have not.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar

from dataflow.collection.transaction import Transaction
from stateschema.errors import SchemaError, StreamClosedError
from stateschema.schema.declaring import check_schema
from stateschema.schema.entity import StateSchema, entities
from stateschema.streamdb.arguments import check_txid, naming_its_class
from stateschema.streamdb.attach import collections_of
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.entering import Awaited
from stateschema.streamdb.facade import Facade
from stateschema.streamdb.intake import Status
from stateschema.streamdb.router import Committed
from stateschema.streamdb.writes import Progress

SchemaT = TypeVar("SchemaT", bound=StateSchema)
PartT = TypeVar("PartT", bound=Facade[Any])


class Combination(Generic[SchemaT, PartT]):
    """StreamDBs with one `collections`: what the asynchronous and the blocking form share.

    Args:
        schema: Has the entities of all parts: a subclass of their schemas.
        parts: The StreamDBs, not yet opened.

    Attributes:
        collections: The collections of all parts: `db.collections.messages`.
        parts: The StreamDBs by their schema, each with its own offset, status and error.

    Raises:
        SchemaError: An entity is in none of the parts, or two parts have one schema.
        TypeError: A part is no StreamDB of this kind, or the schema no subclass of `StateSchema`.
    """

    collections: SchemaT
    parts: Mapping[type[StateSchema], PartT]
    _part: type[Facade[Any]]

    @naming_its_class("(Schema, part, ...)")
    def __init__(self, schema: type[SchemaT], *parts: PartT) -> None:
        kind = type(self).__name__
        check_schema(schema, kind)
        for part in parts:
            if not isinstance(part, self._part):
                raise TypeError(f"{kind} takes each part as a {self._part.__name__}, not {part!r}")
        by_schema = {type(part.collections): part for part in parts}
        if len(by_schema) < len(parts):
            raise SchemaError("two parts have one schema")
        self.parts = MappingProxyType(by_schema)
        known = {
            (name, id(entity)): collections_of(part.collections)[name]
            for kind_of_part, part in by_schema.items()
            for name, entity in entities(kind_of_part).items()
        }
        self.collections = schema()
        for name, entity in entities(schema).items():
            collection = known.get((name, id(entity)))
            if collection is None:
                error = SchemaError(
                    f"entity {name!r} of {schema.__name__!r} is in none of the parts"
                )
                error.add_note("the schema has to be a subclass of the schemas of the parts")
                raise error
            self.collections.__dict__[name] = collection

    @property
    def status(self) -> Status:
        """`ready` when all parts are; else what keeps them from it: `error`, `closed` or `loading`."""
        found = {part.status for part in self.parts.values()}
        if "error" in found:
            return "error"
        if "closed" in found:
            return "closed"
        return "loading" if "loading" in found else "ready"

    @property
    def error(self) -> Exception | None:
        """The first fatal error of a part, else None."""
        return next((part.error for part in self.parts.values() if part.error), None)

    @property
    def recent_txids(self) -> tuple[str, ...]:
        """The latest 100 txids of each part whose events are shown, part after part."""
        return tuple(txid for part in self.parts.values() for txid in part.recent_txids)

    def subscribe_commits(self, fn: Callable[[Committed], object]) -> Callable[[], None]:
        """Call a function after each epoch of any part, as `StreamDB.subscribe_commits` does.

        Returns:
            What ends it; calling it twice is allowed.
        """
        ends = [part.subscribe_commits(fn) for part in self.parts.values()]

        def end() -> None:
            for each in ends:
                each()

        return end

    def progress(self, transaction: Transaction) -> Progress:
        """Tell how far a write has come, as that of the part does whose stream it goes to."""
        found = (part.progress(transaction) for part in self.parts.values())
        return next((each for each in found if each != "pending"), "pending")

    def _is_recent(self, txid: str) -> bool:
        parts = self.parts.values()
        return any(part._intake.is_recent(txid) for part in parts)  # noqa: SLF001 - a part of this database

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {type(self.collections).__name__} {self.status}>"


class CombinedStreamDB(Awaited, Combination[SchemaT, StreamDB[Any]]):
    """StreamDBs with one `collections`, opened and closed together: `async with CombinedStreamDB(…) as db:`."""

    _part = StreamDB

    async def preload(self) -> None:
        """Wait until every part shows the present end of its stream, as `StreamDB.preload` does."""
        await asyncio.gather(*(part.preload() for part in self.parts.values()))

    async def wait_txid(
        self,
        txid: str,
        *,
        timeout: float | None = 5.0,  # noqa: ASYNC109 - the argument of all wait_… methods
    ) -> None:
        """Wait until an event with this txid is shown by one of the parts.

        Args:
            txid: The id, as the event carries it.
            timeout: Seconds; None waits for ever.

        Raises:
            TypeError: It is no txid.
            TimeoutError: It did not come in time.
            StreamClosedError: All parts ended without it.
            Exception: The fatal error of a part, which may be the one where it would have come.
        """
        check_txid(txid)
        if self._is_recent(txid):
            return
        waiting = {
            asyncio.create_task(part.wait_txid(txid, timeout=None)) for part in self.parts.values()
        }
        deadline = asyncio.timeout(timeout)
        try:
            async with deadline:
                while not await _is_there(waiting):
                    pass
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise TimeoutError(f"txid {txid!r} did not come within {timeout} s") from error
        finally:
            for task in waiting:
                task.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing more will come: every stream has ended, or this was closed.

        Raises:
            Exception: The fatal error of a part, at once.
        """
        await asyncio.gather(*(part.wait_closed() for part in self.parts.values()))

    async def close(self) -> None:
        """Close every part; idempotent."""
        for part in self.parts.values():
            await part.close()

    async def __aenter__(self) -> Self:
        try:
            await self.preload()
        except BaseException:
            await self.close()
            raise
        return self


async def _is_there(waiting: set[asyncio.Task[None]]) -> bool:
    """Tell whether a task has found what all wait for, once one is done; parts that ended are taken out."""
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    ends = [task.exception() for task in done]
    if None in ends:
        return True
    waiting -= done
    for end in ends:
        assert end is not None
        if not waiting or not isinstance(end, StreamClosedError):
            raise end
    return False
