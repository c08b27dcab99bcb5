"""What the asynchronous and the blocking StreamDB share: arguments, attributes, and names of rows."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from dataflow.collection.transaction import Transaction
from stateschema.errors import EventError
from stateschema.schema.declaring import check_schema, unknown_name
from stateschema.schema.entity import StateSchema, entities
from stateschema.stream.client.dynamic import Dynamic
from stateschema.stream.client.retry import Retry
from stateschema.stream.client.transport import Timeouts
from stateschema.stream.interface import Stream
from stateschema.stream.offset import Offset
from stateschema.streamdb.arguments import check_function, naming_its_class
from stateschema.streamdb.bad_events import Policies
from stateschema.streamdb.cache import Cache
from stateschema.streamdb.conflicts import Conflict, Conflicts
from stateschema.streamdb.feed import Feed, Follow
from stateschema.streamdb.intake import Intake, Status
from stateschema.streamdb.router import Committed
from stateschema.streamdb.settings import Settings
from stateschema.streamdb.txids import RecentTxids
from stateschema.streamdb.writes import Progress, Write

SchemaT = TypeVar("SchemaT", bound=StateSchema)


class Facade(ABC, Generic[SchemaT]):
    """The collections of a schema, fed from a stream.

    Attributes:
        collections: One collection per entity: `db.collections.messages`. In a notebook
            `db.messages` is the same, unless this class itself has something of that name.
    """

    collections: SchemaT

    @naming_its_class("(Schema, stream=...)", "(Schema, url=...)")
    def __init__(
        self,
        schema: type[SchemaT],
        *,
        stream: Stream | None = None,
        url: str | None = None,
        create: bool = False,
        headers: Dynamic = None,
        params: Dynamic = None,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        live: Follow = "auto",
        preload: bool = True,
        offset: str = Offset.START,
        state: Iterable[Any] = (),
        cache: str | Path | None = None,
        on_error: Policies = "raise",
        on_skip: Callable[[EventError], object] | None = None,
        conflicts: Conflicts = "ignore",
        on_conflict: Callable[[Conflict], object] | None = None,
        on_commit: Callable[[Committed], object] | None = None,
    ) -> None:
        """Connect the collections of a schema to a stream; nothing is read yet.

        Args:
            schema: What the stream carries.
            stream: Where events come from; closing this does not close the stream.
            url: URL of a stream on a server, in place of `stream`; its client is closed with this.
            create: Whether to create the stream of the URL if it is missing.
            headers, params, retry, timeouts: Those of the `StreamClient` of the URL.
            live: How to wait for news of the URL: "auto", "sse" or "long-poll". False, which any stream
                can have, reads up to the present end and closes.
            preload: Whether `with` reads up to the present end of the stream when it is entered;
                without, nothing is read before `preload()`.
            offset: Where to begin; what lies before is not read.
            state: Events, or JSON objects of events, that make up the rows at `offset`; shown at once.
            cache: File that keeps rows and offset, as `sqlite:///chat.db` or a path. What is in it is
                shown at once, and reading goes on behind it; `offset` and `state` are for an empty one.
            on_error: What a bad event does: "raise" stops for good, "skip" leaves it out. By entity name
                if they differ: `{"chunks": "raise", "*": "skip"}`.
            on_skip: Called with the error of each event left out; it holds the message and its place.
            conflicts: What an event does whose `old_value` is not the row that is there: "ignore" and
                "report" write all the same, "refuse" leaves the row as it is.
            on_conflict: Called with each conflict that is not ignored.
            on_commit: Called after each epoch with counts and txids of its events.

        Raises:
            TypeError: There is not exactly one of stream and url, or a setting without its url, or the
                schema is no subclass of `StateSchema`, or a callback is no function.
            ValueError: A policy or a mode is none that there is.
            SchemaError: `on_error` names no entity.
        """
        check_schema(schema, type(self).__name__)
        self._settings = Settings(
            headers=headers,
            params=params,
            retry=retry,
            timeouts=timeouts,
            live=live,
            preload=preload,
            on_error=on_error,
            on_skip=on_skip,
            conflicts=conflicts,
            on_conflict=on_conflict,
            on_commit=on_commit,
        )
        self._feed = Feed(
            stream=stream,
            url=url,
            create=create,
            live=live,
            settings=self._settings.of_client(),
            owner=type(self).__name__,
        )
        self._start_with(schema, Offset(offset), state, cache)
        self._set_up()

    def _start_with(
        self, schema: type[SchemaT], start: Offset, state: Iterable[Any], cache: str | Path | None
    ) -> None:
        """Make the collections and what feeds them."""
        self._recent_txids = RecentTxids(limit=100)
        self._commit_subscribers: dict[object, Callable[[Committed], object]] = {}
        if self._settings.on_commit is not None:
            self.subscribe_commits(self._settings.on_commit)
        self._writes: WeakKeyDictionary[Transaction, Write] = WeakKeyDictionary()
        self._intake = Intake(
            schema,
            handler=self.persist,
            start=start,
            state=state,
            cache=None if cache is None else Cache(cache, stream=self._feed.name),
            on_commit=self._committed,
            **self._settings.of_router(),
        )
        self.collections = self._intake.collections

    @property
    def _sends_old_values(self) -> bool:
        return self._settings.conflicts != "ignore"

    @abstractmethod
    def _set_up(self) -> None:
        """Make what belongs to one kind of StreamDB only."""

    @property
    def stream(self) -> Stream:
        """The stream as given, or the client of the URL."""
        return self._feed.stream

    @property
    def offset(self) -> Offset:
        """Where the stream goes on after what the collections show; `-1` before they show any."""
        return self._intake.offset

    @property
    def status(self) -> Status:
        """`loading` up to the first snapshot, `ready`, `error`, or `closed`: nothing more comes."""
        return self._intake.status

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many messages were left out as bad so far, by wire type; "" for those that have none."""
        return self._intake.skipped

    @property
    def error(self) -> Exception | None:
        """Why the status is `error`, else None."""
        return self._intake.error

    @property
    def recent_txids(self) -> tuple[str, ...]:
        """The latest 100 txids whose events are shown, the last one last."""
        return tuple(self._recent_txids)

    def subscribe_commits(self, fn: Callable[[Committed], object]) -> Callable[[], None]:
        """Call a function after each epoch, as `on_commit` is.

        What it raises is treated as what subscribers of collections raise: the epoch is complete.

        Returns:
            What ends it; calling it twice is allowed.
        """
        check_function(fn, "fn")
        subscription = object()
        self._commit_subscribers[subscription] = fn

        def end() -> None:
            self._commit_subscribers.pop(subscription, None)

        return end

    @abstractmethod
    def persist(self, transaction: Transaction) -> Awaitable[None] | None:
        """Append the events of a transaction, with one txid, and wait until they have come back.

        The handler of all collections. For mutations of several of them use it as mutation function:
        `Transaction(mutation_fn=db.persist)`.

        Raises:
            SchemaError: A collection of something else was mutated, or a row does not fit its entity.
            ConflictError: Conflicts are refused, and this was one.
            UnconfirmedError: The events are in the stream, but following ended before they came back.
            Exception: What the stream raised; the events are not in it, as far as anybody knows.
        """

    def progress(self, transaction: Transaction) -> Progress:
        """Tell how far a write has come.

        "pending"       shown here, not known to be in the stream
        "acknowledged"  in the stream for good, not yet come back; nothing takes it back any more
        "observed"      come back: its rows are synced rows
        "settled"       its transaction is completed
        "failed"        its transaction has failed; `transaction.error` says why, and is an
                        UnconfirmedError if the write is in the stream all the same

        A transaction that this StreamDB does not persist is "pending" until it is settled or failed.
        """
        if transaction.state == "completed":
            return "settled"
        if transaction.state == "failed":
            return "failed"
        write = self._writes.get(transaction)
        if write is None:
            return "pending"
        if self._intake.has_observed(write.txid, write.offset):
            return "observed"
        return "pending" if write.offset is None else "acknowledged"

    def _committed(self, committed: Committed) -> None:
        self._recent_txids.add(committed.txids)
        raised: list[Exception] = []
        for subscriber in tuple(self._commit_subscribers.values()):
            try:
                subscriber(committed)
            except Exception as error:  # noqa: BLE001 - one that raises keeps no other from being called
                raised.append(error)
        if raised:
            raise ExceptionGroup("subscribers of commits raised", raised)

    if not TYPE_CHECKING:  # the typed way is `db.collections`

        def __getattr__(self, name: str) -> Any:
            if name == "collections" or name.startswith("_") or name not in vars(self.collections):
                raise self._unknown(name)
            return vars(self.collections)[name]

    def _unknown(self, name: str) -> AttributeError:
        text = f"{type(self).__name__} has no attribute {name!r}"
        if name != "collections" and not name.startswith("_"):
            near = get_close_matches(name, ["collections", *dir(type(self))], n=1, cutoff=0.7)
            at_schema = unknown_name(type(self.collections), name, owner=self)
            text += f" (did you mean {near[0]!r}?)" if near else f"; {at_schema}"
        return AttributeError(text, name=name, obj=self)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *entities(type(self.collections))]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {type(self.collections).__name__} {self.status}>"
