"""What the asynchronous and the blocking StreamDB share: arguments, attributes, and names of rows."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.collection.transaction import Transaction
from stateschema.errors import EventError
from stateschema.schema.entity import StateSchema, entities
from stateschema.stream.client.client import StreamClient
from stateschema.stream.interface import Stream
from stateschema.stream.offset import Offset
from stateschema.streamdb.intake import Intake, Status
from stateschema.streamdb.router import Committed, OnError
from stateschema.streamdb.txids import RecentTxids

SchemaT = TypeVar("SchemaT", bound=StateSchema)


class Facade(ABC, Generic[SchemaT]):
    """The collections of a schema, fed from a stream.

    Args:
        schema: What the stream carries.
        stream: Where events come from; closing this does not close the stream.
        url: URL of a stream on a server, in place of `stream`; its client is closed with this. For
            headers and other settings, pass a `StreamClient` as `stream`.
        preload: Whether `with` reads up to the present end of the stream when it is entered;
            without, nothing is read before `preload()`.
        on_error: What a bad event does: "raise" stops for good, "skip" leaves it out.
        on_skip: Called with the error of each event left out; it says where it was.
        on_commit: Called after each epoch with counts and txids of its events.

    Attributes:
        collections: One collection per entity: `db.collections.messages`. In a notebook
            `db.messages` is the same, unless this class itself has something of that name.
        stream: As given, or the client of the URL.

    Raises:
        TypeError: There is not exactly one of stream and url.
    """

    collections: SchemaT
    stream: Stream

    def __init__(
        self,
        schema: type[SchemaT],
        *,
        stream: Stream | None = None,
        url: str | None = None,
        preload: bool = True,
        on_error: OnError = "raise",
        on_skip: Callable[[EventError], object] | None = None,
        on_commit: Callable[[Committed], object] | None = None,
    ) -> None:
        self._own_client: StreamClient | None = None
        if stream is not None and url is None:
            self.stream = stream
        elif url is not None and stream is None:
            self.stream = self._own_client = StreamClient(url)
        else:
            raise TypeError(f"{type(self).__name__} needs either a stream or a url")
        self._preloads = preload
        self._on_commit = on_commit
        self._recent_txids = RecentTxids(limit=100)
        self._commit_subscribers: dict[object, Callable[[Committed], object]] = {}
        self._intake = Intake(
            schema,
            handler=self.persist,
            on_error=on_error,
            on_skip=on_skip,
            on_commit=self._committed,
        )
        self.collections = self._intake.collections

    @property
    def offset(self) -> Offset:
        """Where the stream goes on after what the collections show; `-1` before they show any."""
        return self._intake.offset

    @property
    def status(self) -> Status:
        """`loading` up to the first snapshot, `ready`, `error`, or `closed`: nothing more comes."""
        return self._intake.status

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

        Returns:
            What ends it; calling it twice is allowed.
        """
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
            TimeoutError: The events did not come back in time.
            Exception: What the stream raised.
        """

    def _committed(self, committed: Committed) -> None:
        if self._on_commit is not None:
            self._on_commit(committed)
        self._recent_txids.add(committed.txids)
        for subscriber in tuple(self._commit_subscribers.values()):
            subscriber(committed)

    if not TYPE_CHECKING:  # the typed way is `db.collections`

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if name == "collections" or name.startswith("_") or name not in vars(self.collections):
                raise AttributeError(f"{kind} has no attribute {name!r}", name=name, obj=self)
            return vars(self.collections)[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *entities(type(self.collections))]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {type(self.collections).__name__} {self.status}>"
