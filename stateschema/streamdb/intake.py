"""The intake of a StreamDB: batches in, epochs out. It knows no event loop and does no I/O but its cache's.

Law        What the collections show is the fold of the stream up to `offset` (law 8), always
Start      What a cache kept, or the rows that were given, are shown at once. Then nothing is shown
           before the first batch that is up to date: all batches up to it are one epoch, and all
           collections become ready together. From there on each batch is an epoch.
Elsewhere  A reset with an offset, or a stream that does not hold the offset any more, makes the intake
           read on from elsewhere: `take` and `start_over` tell, `position` says where. It is as at the
           start: the rows go from what they were to what they are in one epoch, when up to date.
Status     loading → ready → closed, or from any of them → error. After an error or the end nothing
           is taken in any more; the collections have the same status, keep their last rows and stay
           readable, and every `changes()` raises or ends.
Offset     Where the stream goes on after what is shown; the start until something is.
"""

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from dataflow.collection.collection import Collection, mark_ready
from dataflow.collection.transaction import MutationFn
from stateschema.errors import EventError, OffsetGoneError, StreamClosedError
from stateschema.schema.entity import StateSchema
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import attach, collections_of
from stateschema.streamdb.bad_events import Policies
from stateschema.streamdb.cache import Cache
from stateschema.streamdb.conflicts import Conflict, Conflicts
from stateschema.streamdb.resets import Resets
from stateschema.streamdb.router import Committed, Router
from stateschema.streamdb.txids import RecentTxids

SchemaT = TypeVar("SchemaT", bound=StateSchema)
Status: TypeAlias = Literal["loading", "ready", "error", "closed"]

logger = logging.getLogger("stateschema")


class Intake(Generic[SchemaT]):
    """Takes in the batches of one stream.

    Args:
        schema: What the stream carries.
        handler: Persists what users write into the collections.
        start: Where to begin, if there is no cache or nothing in it.
        state: Events, or JSON objects of events, that make up the rows at `start`.
        cache: Keeps rows and offset.
        on_error, on_skip, on_commit, conflicts, on_conflict: As for the router.

    Attributes:
        collections: The attached schema.
        offset: Where the stream goes on after what the collections show.
        position: Where to read on.
        status: "loading", "ready", "error" or "closed".
        error: Why the status is "error", else None.
        is_ready: Whether the first snapshot has been shown; stays true after the end.
        is_caught_up: Whether each batch is an epoch of its own now.
    """

    def __init__(
        self,
        schema: type[SchemaT],
        *,
        handler: MutationFn,
        start: Offset,
        state: Iterable[Any],
        cache: Cache | None,
        on_error: Policies,
        on_skip: Callable[[EventError], object] | None,
        on_commit: Callable[[Committed], object] | None,
        conflicts: Conflicts,
        on_conflict: Callable[[Conflict], object] | None,
    ) -> None:
        self.collections = attach(schema, handler=handler)
        self.offset = self.position = start
        self.status: Status = "loading"
        self.error: Exception | None = None
        self.is_ready = self.is_caught_up = False
        self._state = state
        self._cache = cache
        self._has_begun = False
        self._was_sent = False  # by a reset, to where nothing has been read yet
        self._recent, self._refused = RecentTxids(), RecentTxids()
        self._resets = Resets()
        self._on_commit = on_commit
        self._router = Router(
            self.collections,
            on_error=on_error,
            on_skip=on_skip,
            on_commit=self._committed,
            conflicts=conflicts,
            on_conflict=on_conflict,
        )

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many messages were left out as bad, by wire type."""
        return self._router.skipped

    def begin(self) -> None:
        """Show what is known before the stream is asked; called before the first `take`.

        Raises:
            StorageError: The cache cannot be used.
            EventError: The given rows do not fit the schema.
            ExceptionGroup: What subscribers raised; the rows are shown all the same.
        """
        if self._has_begun:
            return
        self._has_begun = True
        kept = None if self._cache is None else self._cache.open(self.collections)
        if kept is not None:
            self.offset = self.position = kept
            mark_ready(collections_of(self.collections).values())
            return
        given = list(self._state)
        self._state = ()
        if given:
            self._router.stage(given)
            raised: list[Exception] = []
            with _kept(raised):
                self._commit(self.offset)
            with _kept(raised):
                mark_ready(collections_of(self.collections).values())
            _raise(raised)

    def take(self, batch: Batch) -> bool:
        """Take in a batch; tell whether to go on behind it, else at `position`.

        Raises:
            EventError: The batch holds a bad event and the policy is "raise". Nothing of it is
                shown.
            ExceptionGroup: What subscribers raised; the batch is shown all the same.
        """
        try:
            offset = self._router.stage(batch.messages, where=batch.where, passes_resets=True)
        except Exception as error:
            self.fail(error)
            raise
        elsewhere = self._resets.to_follow(offset, self.position, batch.next_offset)
        if elsewhere is not None:
            self._read_on_from(elsewhere)
            self._was_sent = True
            return False
        self._was_sent = False
        self.position = batch.next_offset
        if self.is_caught_up or batch.up_to_date:
            self._show(batch.next_offset)
        return True

    def start_over(self, error: Exception) -> bool:
        """Read everything anew, if the stream does not hold the position; tell whether to.

        A reset may lead to what is no offset of the stream at all, which is not the reader's fault.
        """
        is_gone = isinstance(error, OffsetGoneError) or self._was_sent
        if self.position == Offset.START or not is_gone:
            return False
        if self._was_sent:
            logger.warning("a reset leads to nowhere, reading from the start: %s", error)
        self._read_on_from(Offset.START)
        return True

    def _read_on_from(self, position: Offset) -> None:
        """Forget the rows, and read on elsewhere; nothing of it shows before that is up to date."""
        self._router.truncate()
        self.position = position
        self.is_caught_up = self._was_sent = False

    def _show(self, offset: Offset) -> None:
        raised: list[Exception] = []
        self.is_caught_up = True
        with _kept(raised):
            self._commit(offset)
        if not self.is_ready:
            self.is_ready = True
            if self.status == "loading":  # a callback may have closed it
                self.status = "ready"
            with _kept(raised):
                mark_ready(collections_of(self.collections).values())
        _raise(raised)

    def _commit(self, offset: Offset) -> None:
        cache = self._cache
        if cache is None:
            self._router.commit(offset=offset)
            return
        is_whole = not self._router.is_in_snapshot
        self._router.commit(offset=offset, beside=lambda: cache.note(offset, is_whole=is_whole))

    def fail(self, error: Exception) -> None:
        """Stop for good, for a reason: it becomes that of every collection."""
        if self.status == "error":
            return
        self.status = "error"
        self.error = error
        self._close_cache()
        self._tell(lambda collection: collection.mark_error(error))

    def end(self) -> None:
        """Stop for good, because nothing more will come: the collections are closed. An error stays an error."""
        if self.status in {"error", "closed"}:
            return
        self.status = "closed"
        self._close_cache()
        self._tell(lambda collection: collection.close())

    def _close_cache(self) -> None:
        if self._cache is None:
            return
        try:
            self._cache.close()
        except Exception:
            logger.exception("the cache of a StreamDB could not be written")

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

    def has_observed(self, txid: str, end: Offset | None) -> bool:
        """Tell whether a write has come back, whose events end at an offset of the stream if that is known.

        Its txid tells, or the offset where it came within a snapshot: that has rows, but no txids.
        """
        return txid in self._recent or (end is not None and self.is_ready and self.offset >= end)

    def is_recent(self, txid: str) -> bool:
        """Tell whether a txid is among the latest that were shown."""
        return txid in self._recent

    def has_refused(self, txid: str) -> bool:
        """Tell whether an event with this txid had no effect, because of a conflict."""
        return txid in self._refused

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
        self._refused.add(committed.refused)
        if self._on_commit is not None:
            self._on_commit(committed)


@contextmanager
def _kept(raised: list[Exception]) -> Generator[None]:
    """Keep what subscribers raise until what has to be done is done."""
    try:
        yield
    except ExceptionGroup as group:
        raised.extend(group.exceptions)


def _raise(raised: list[Exception]) -> None:
    if raised:
        raise ExceptionGroup("subscribers raised", raised)
