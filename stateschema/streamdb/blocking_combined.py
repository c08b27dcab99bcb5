"""Several streams in one database, without an event loop of your own.

```python
with BlockingCombinedStreamDB(App, BlockingStreamDB(Session, url=one), BlockingStreamDB(Profiles, url=other)) as db:
    while True:
        db.poll(timeout=1.0)
        print(len(db.collections.messages), len(db.collections.profiles))
```

Law        As for `CombinedStreamDB`, and rows come in inside `preload`, `poll` and `wait_txid` only
Waiting    The parts share one private event loop, so that news of any of them end the waiting. A write
           polls the part that it goes to and no other: what came to others is there for the next `poll`.
"""

import asyncio
import logging
from typing import Any, Self, TypeVar

from stateschema.errors import StreamClosedError
from stateschema.schema.entity import StateSchema
from stateschema.streamdb.blocking import BlockingStreamDB, poll_for
from stateschema.streamdb.combined import Combination
from stateschema.streamdb.entering import Blocking

logger = logging.getLogger("stateschema")

SchemaT = TypeVar("SchemaT", bound=StateSchema)


class BlockingCombinedStreamDB(Blocking, Combination[SchemaT, BlockingStreamDB[Any]]):
    """BlockingStreamDBs with one `collections`, opened, polled and closed together.

    It belongs to one thread, in which no event loop is running.
    """

    _part = BlockingStreamDB

    def __init__(self, schema: type[SchemaT], *parts: BlockingStreamDB[Any]) -> None:
        super().__init__(schema, *parts)
        self._runner = asyncio.Runner()
        for part in parts:
            part._share(self._runner)  # noqa: SLF001 - a part of this database

    def preload(self) -> None:
        """Read every stream up to its present end, as `BlockingStreamDB.preload` does."""
        for part in self.parts.values():
            part.preload()

    def poll(self, *, timeout: float | None = 0.0) -> int:
        """Apply what has been appended to any stream; if that is nothing, wait for the next append.

        Args:
            timeout: Seconds to wait at most; None waits for ever. The first poll of what was not
                preloaded preloads it, and does not wait.

        Returns:
            How many batches were applied, each as one epoch; 0 if none came in time or all streams
            have ended.

        Raises:
            Exception: The fatal error of a part; the other parts have been polled all the same.
            StreamError: Called by a callback of an epoch, or where an event loop is running.
        """
        had_loaded = all(part.status != "loading" for part in self.parts.values())
        epochs = self._poll_all()
        following = [part for part in self.parts.values() if part.status == "ready"]
        if epochs or not had_loaded or not following:
            return epochs
        self._runner.run(_wait_for_one(following, timeout))
        return self._poll_all()

    def wait_txid(self, txid: str, *, timeout: float | None = 5.0) -> None:
        """Poll until an event with this txid is shown, as `CombinedStreamDB.wait_txid` waits for it."""
        poll_for(txid, timeout, has_applied=self._has_applied, poll=self.poll)

    def close(self) -> None:
        """Close every part; idempotent."""
        for part in self.parts.values():
            part.close()
        self._runner.close()

    def __enter__(self) -> Self:
        try:
            self.preload()
        except BaseException:
            self.close()
            raise
        return self

    def _poll_all(self) -> int:
        epochs = 0
        raised: list[Exception] = []
        for part in self.parts.values():
            try:
                epochs += part.poll()
            except Exception as error:  # noqa: BLE001 - raised again when all were polled
                raised.append(error)
        for further in raised[1:]:
            logger.error("a further part of a StreamDB raised", exc_info=further)
        if raised:
            raise raised[0]
        return epochs

    def _has_applied(self, txid: str) -> bool:
        if self._is_recent(txid):
            return True
        if self.error is not None:
            raise self.error
        if all(part.status == "closed" for part in self.parts.values()):
            raise StreamClosedError(f"every StreamDB closed before txid {txid!r} came")
        return False


async def _wait_for_one(parts: list[BlockingStreamDB[Any]], timeout: float | None) -> None:  # noqa: ASYNC109 - what is asked for stays asked for
    asked = [part._ask() for part in parts]  # noqa: SLF001 - parts of one database
    await asyncio.wait(asked, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
