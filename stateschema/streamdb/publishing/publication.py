"""A publication: the epochs of a collection that wait to be appended to a stream. It does no I/O.

Law        Folding what `take` returns, in order, over what the stream said in the beginning gives the rows
           of the collection, as they were after the last epoch taken
Epochs     One list of events per epoch, the net changes of it, in the order of the epochs
Txids      Those of a commit of the sources go with the epoch that it made of the collection: alone, on
           each event. Several of them, and those of a commit that changed nothing here, are told by
           events of a type of their own, that delete what nobody has: readers of the rows ignore them,
           and who waits for a txid hears of it once all it has done is here.
Start      The difference between what the stream says and the rows. The latest txids of the sources go
           with it unless the stream knows them, so that none is lost with a process that died.
Waiting    Beyond `MAX_WAITING` epochs what waits is dropped: the difference from what the stream says by
           then makes up for it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from dataflow.collection.readable import Readable
from dataflow.live.live import LiveQuery
from stateschema.events import ChangeEvent
from stateschema.streamdb.publishing.events import change_event
from stateschema.streamdb.publishing.listing import (
    Listing,
    OrderedListing,
    PlainListing,
    WireChange,
    is_ordered,
)
from stateschema.streamdb.publishing.said import Said
from stateschema.streamdb.router import Committed

if TYPE_CHECKING:
    from dataflow.collection.subscription import Subscription

MAX_WAITING: Final = 10_000
"""Epochs that wait for a stream that takes nothing."""

TXID_TYPE: Final = "stateschema.txid"
"""The type of events that carry a txid and no row."""


class Commits(Protocol):
    """What tells of commits: a StreamDB."""

    @property
    def recent_txids(self) -> Sequence[str]:
        """The latest transaction ids it has shown, the last one last."""
        ...

    def subscribe_commits(self, fn: Callable[[Committed], object]) -> Callable[[], None]:
        """Call a function after each epoch; return what ends that."""
        ...


@dataclass(slots=True)
class _Epoch:
    changes: Callable[[], list[WireChange]]
    txids: list[str] = field(default_factory=list)


class Publication:
    """What of a collection has still to be published.

    Args:
        view: What is published.
        row_type: Entity type of its rows on the wire.
        order_field: Where rows of an ordered query carry their order keys; None leaves them out.
        sources: The StreamDBs whose txids are told.
        news: Called when there is something to take.

    Attributes:
        queued: How many epochs there were so far.
        taken: How many of them were taken.
        is_lost: Whether so much waited that it was dropped: begin again.
    """

    def __init__(
        self,
        view: Readable[Any],
        row_type: str,
        *,
        order_field: str | None,
        sources: Iterable[Commits],
        news: Callable[[], None],
    ) -> None:
        self._view = view
        self._type = row_type
        self._order_field = order_field if is_ordered(view) else None
        self._sources = tuple(sources)
        self._news = news
        self._listing: Listing = PlainListing()
        self._epochs: deque[_Epoch] = deque()
        self._subscription: Subscription | None = None
        self._ends: list[Callable[[], None]] = []
        self._is_untold = (
            False  # whether the last epoch may belong to a commit that is yet to be told of
        )
        self.queued = 0
        self.taken = 0
        self.is_lost = False

    def begin(self, said: Said) -> None:
        """Follow the collection from now on, beginning with what the stream lacks.

        Raises:
            SchemaError: A row is no object on the wire.
        """
        self.end()
        field_name = self._order_field
        self._listing = PlainListing() if field_name is None else OrderedListing(field_name)
        first = self._listing.begin(said.rows, list(self._view), self._view.rows())
        txids = [] if said.is_empty else [t for t in self._recent() if t not in said.txids]
        self.taken = self.queued
        self._epochs.clear()
        self.is_lost = False
        if first or txids:
            self._add(_Epoch(lambda: first, txids))
        self._is_untold = False
        if field_name is not None and isinstance(self._view, LiveQuery):
            self._subscription = self._view.subscribe_ordered(self._deliver)
        else:
            self._subscription = self._view.subscribe(self._deliver)
        self._ends = [source.subscribe_commits(self._committed) for source in self._sources]

    def take(self) -> list[ChangeEvent] | None:
        """Return the events of the next epoch, None if there is none.

        Raises:
            SchemaError: A row is no object on the wire.
        """
        while self._epochs:
            epoch = self._epochs.popleft()
            self.taken += 1
            if events := self._events(epoch):
                return events
        return None

    def end(self) -> None:
        """Follow no more; what waits can still be taken. Idempotent."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        for end in self._ends:
            end()
        self._ends = []

    def _events(self, epoch: _Epoch) -> list[ChangeEvent]:
        changes = epoch.changes()
        txids = list(dict.fromkeys(epoch.txids))
        own = txids[0] if len(txids) == 1 and changes else None
        events = [change_event(self._type, *change, txid=own) for change in changes]
        if own is None:
            events += [change_event(TXID_TYPE, txid, None, None, txid=txid) for txid in txids]
        return events

    def _deliver(self, told: list[Any]) -> None:
        self._add(_Epoch(partial(self._listing.changes, told)))
        self._is_untold = True

    def _committed(self, committed: Committed) -> None:
        if self._is_untold and self._epochs:
            self._epochs[-1].txids += committed.txids
        elif committed.txids:
            self._add(_Epoch(list, list(committed.txids)))
        self._is_untold = False

    def _add(self, epoch: _Epoch) -> None:
        self.queued += 1
        if len(self._epochs) >= MAX_WAITING:
            self.is_lost = True
            self._epochs.clear()
        if not self.is_lost:
            self._epochs.append(epoch)
        self._news()

    def _recent(self) -> list[str]:
        return [txid for source in self._sources for txid in source.recent_txids]
