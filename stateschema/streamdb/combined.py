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
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Generic, Self, TypeVar

from stateschema.errors import SchemaError
from stateschema.schema.entity import StateSchema, entities
from stateschema.streamdb.attach import collections_of
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.intake import Status

SchemaT = TypeVar("SchemaT", bound=StateSchema)


class CombinedStreamDB(Generic[SchemaT]):
    """StreamDBs with one `collections`, opened and closed together.

    Args:
        schema: Has the entities of all parts: a subclass of their schemas.
        parts: The StreamDBs, not yet opened.

    Attributes:
        collections: The collections of all parts: `db.collections.messages`.
        parts: The StreamDBs by their schema, each with its own offset, status and error.

    Raises:
        SchemaError: An entity is in none of the parts, or two parts have one schema.
    """

    collections: SchemaT
    parts: Mapping[type[StateSchema], StreamDB[Any]]

    def __init__(self, schema: type[SchemaT], *parts: StreamDB[Any]) -> None:
        by_schema = {type(part.collections): part for part in parts}
        if len(by_schema) < len(parts):
            raise SchemaError("two parts have one schema")
        self.parts = MappingProxyType(by_schema)
        known = {
            (name, id(entity)): collections_of(part.collections)[name]
            for kind, part in by_schema.items()
            for name, entity in entities(kind).items()
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

    async def preload(self) -> None:
        """Wait until every part shows the present end of its stream, as `StreamDB.preload` does."""
        await asyncio.gather(*(part.preload() for part in self.parts.values()))

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

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
        if kind is None and self.error is not None:
            raise self.error
