"""The intake of a StreamDB: batches in, epochs out. It knows no event loop and does no I/O.

Law        What the collections show is the fold of the stream up to `offset` (law 8), always
Start      Nothing is shown before the first batch that is up to date. All batches up to it are one
           epoch; then all collections become ready together. From there on each batch is an epoch.
Status     loading → ready → closed, or from any of them → error. After an error or the end nothing
           is taken in any more; the collections have the same status, keep their last rows and stay
           readable, and every `changes()` raises or ends.
Offset     Where the stream goes on after what is shown; the start until something is.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from dataflow.collection.collection import Collection, mark_ready
from dataflow.collection.transaction import MutationFn
from stateschema.errors import EventError, StreamClosedError
from stateschema.schema.entity import StateSchema
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import attach, collections_of
from stateschema.streamdb.router import Committed, OnError, Router
from stateschema.streamdb.txids import RecentTxids

SchemaT = TypeVar("SchemaT", bound=StateSchema)
Status: TypeAlias = Literal["loading", "ready", "error", "closed"]

logger = logging.getLogger("stateschema")


class Intake(Generic[SchemaT]):
    """Takes in the batches of one stream, from its start.

    Args:
        schema: What the stream carries.
        handler: Persists what users write into the collections.
        on_error, on_skip, on_commit: As for the router.

    Attributes:
        collections: The attached schema.
        offset: Where the stream goes on after what the collections show.
        status: "loading", "ready", "error" or "closed".
        error: Why the status is "error", else None.
        is_ready: Whether the first snapshot has been shown; stays true after the end.
    """

    def __init__(
        self,
        schema: type[SchemaT],
        *,
        handler: MutationFn,
        on_error: OnError,
        on_skip: Callable[[EventError], object] | None,
        on_commit: Callable[[Committed], object] | None,
    ) -> None:
        self.collections = attach(schema, handler=handler)
        self.offset = Offset.START
        self.status: Status = "loading"
        self.error: Exception | None = None
        self.is_ready = False
        self._recent = RecentTxids()
        self._on_commit = on_commit
        self._router = Router(
            self.collections, on_error=on_error, on_skip=on_skip, on_commit=self._committed
        )

    def take(self, batch: Batch) -> bool:
        """Take in a batch; tell whether it was shown, which until the end of the start it is not.

        Raises:
            EventError: The batch holds a bad event and the policy is "raise". Nothing of it is
                shown.
            ExceptionGroup: What subscribers raised; the batch is shown all the same.
        """
        try:
            self._router.stage(batch.messages, where=batch.where)
        except Exception as error:
            self.fail(error)
            raise
        if not self.is_ready and not batch.up_to_date:
            return False
        raised: list[Exception] = []
        with _kept(raised):
            self._router.commit(offset=batch.next_offset)
        if not self.is_ready:
            self.is_ready = True
            if self.status == "loading":  # a callback may have closed it
                self.status = "ready"
            with _kept(raised):
                mark_ready(collections_of(self.collections).values())
        if raised:
            raise ExceptionGroup("subscribers raised", raised)
        return True

    def fail(self, error: Exception) -> None:
        """Stop for good, for a reason: it becomes that of every collection."""
        if self.status == "error":
            return
        self.status = "error"
        self.error = error
        self._tell(lambda collection: collection.mark_error(error))

    def end(self) -> None:
        """Stop for good, because nothing more will come: the collections are closed. An error stays an error."""
        if self.status in {"error", "closed"}:
            return
        self.status = "closed"
        self._tell(lambda collection: collection.close())

    def _tell(self, change: Callable[[Collection[Any]], None]) -> None:
        """Change the status of every collection; what subscribers raise has no caller to go to."""
        raised: list[Exception] = []
        for collection in collections_of(self.collections).values():
            with _kept(raised):
                change(collection)
        if raised:
            logger.error("status subscribers raised", exc_info=ExceptionGroup("raised", raised))

    def has_applied(self, txid: str) -> bool:
        """Tell whether a txid is among the latest that were shown.

        Raises:
            Exception: It is not, and never will be: the error of the intake, or StreamClosedError.
        """
        if txid in self._recent:
            return True
        self.check(f"txid {txid!r} came")
        return False

    def check(self, awaited: str) -> None:
        """Raise if nothing more will be taken in; `awaited` says what will never be true."""
        if self.error is not None:
            raise self.error
        if self.status == "closed":
            raise StreamClosedError(f"StreamDB closed before {awaited}")

    def _committed(self, committed: Committed) -> None:
        assert committed.offset is not None
        self.offset = committed.offset
        self._recent.add(committed.txids)
        if self._on_commit is not None:
            self._on_commit(committed)


@contextmanager
def _kept(raised: list[Exception]) -> Generator[None]:
    """Keep what subscribers raise until what has to be done is done."""
    try:
        yield
    except ExceptionGroup as group:
        raised.extend(group.exceptions)
