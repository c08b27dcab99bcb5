"""A publication: the epochs of collections that wait to be appended to a stream. It does no I/O.

Law        Folding what `take` returns, in order, over what the stream said in the beginning gives the rows
           of the collections, as they were after the last epoch taken
Epochs     One list of events per epoch, the net changes of it over all collections, in the order of the
           epochs
Txids      Those of a commit of the sources go with the epoch that it made of the collections: alone, on
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


@dataclass(frozen=True, slots=True)
class Part:
    """One of the collections that are published together.

    Attributes:
        view: What is published.
        type: Entity type of its rows on the wire.
        order_field: Where rows of an ordered query carry their order keys; None leaves them out.
    """

    view: Readable[Any]
    type: str
    order_field: str | None


@dataclass(slots=True)
class _Epoch:
    changes: dict[str, Callable[[], list[WireChange]]]  # by type
    txids: list[str] = field(default_factory=list)


class Publication:
    """What of some collections has still to be published.

    Args:
        parts: The collections; those of one thread.
        sources: The StreamDBs whose txids are told.
        news: Called when there is something to take.

    Attributes:
        queued: How many epochs there were so far.
        taken: How many of them were taken.
        is_lost: Whether so much waited that it was dropped: begin again.
    """

    def __init__(
        self, parts: Iterable[Part], *, sources: Iterable[Commits], news: Callable[[], None]
    ) -> None:
        self._parts = tuple(parts)
        self._sources = tuple(sources)
        self._news = news
        self._epochs: deque[_Epoch] = deque()
        self._subscriptions: list[Subscription] = []
        self._ends: list[Callable[[], None]] = []
        self._is_untold = (
            False  # whether the last epoch may belong to a commit that is yet to be told of
        )
        self.queued = 0
        self.taken = 0
        self.is_lost = False

    def begin(self, said: Said) -> None:
        """Follow the collections from now on, beginning with what the stream lacks.

        Raises:
            SchemaError: A row is no object on the wire.
        """
        self.end()
        self.taken = self.queued
        self._epochs.clear()
        first = {part.type: self._follow(part, said) for part in self._parts}
        txids = [] if said.is_empty else [t for t in self._recent() if t not in said.txids]
        self.is_lost = False
        if any(first.values()) or txids:
            self._add(_Epoch({name: partial(list, made) for name, made in first.items()}, txids))
        self._is_untold = False
        self._ends = [source.subscribe_commits(self._committed) for source in self._sources]

    def _follow(self, part: Part, said: Said) -> list[WireChange]:
        """Subscribe to a collection, and return what the stream lacks of it."""
        view = part.view
        listing: Listing = PlainListing()
        if part.order_field is not None and is_ordered(view):
            listing = OrderedListing(part.order_field)
        first = listing.begin(said.rows(part.type), list(view), view.rows())

        def deliver(told: list[Any]) -> None:
            self._deliver(part.type, partial(listing.changes, told))

        if isinstance(listing, OrderedListing) and isinstance(view, LiveQuery):
            self._subscriptions.append(view.subscribe_ordered(deliver))
        else:
            self._subscriptions.append(view.subscribe(deliver))
        return first

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
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions = []
        for end in self._ends:
            end()
        self._ends = []

    def _events(self, epoch: _Epoch) -> list[ChangeEvent]:
        changes = [
            (part.type, change)
            for part in self._parts
            if (made := epoch.changes.get(part.type)) is not None
            for change in made()
        ]
        txids = list(dict.fromkeys(epoch.txids))
        own = txids[0] if len(txids) == 1 and changes else None
        events = [change_event(row_type, *change, txid=own) for row_type, change in changes]
        if own is None:
            events += [change_event(TXID_TYPE, txid, None, None, txid=txid) for txid in txids]
        return events

    def _deliver(self, row_type: str, changes: Callable[[], list[WireChange]]) -> None:
        # The collections are told of an epoch one after the other, before anything can be taken.
        if self._is_untold and self._epochs and row_type not in self._epochs[-1].changes:
            self._epochs[-1].changes[row_type] = changes
        else:
            self._add(_Epoch({row_type: changes}))
            self._is_untold = True

    def _committed(self, committed: Committed) -> None:
        if self._is_untold and self._epochs:
            self._epochs[-1].txids += committed.txids
        elif committed.txids:
            self._add(_Epoch({}, list(committed.txids)))
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
