"""The collection: a keyed set of rows, written by a sync writer, read as a Mapping, followed by subscriptions and queries.

How its users write to it optimistically is in `mutable`.

A collection owns the rows of one source node of the graph. Rows given to it belong to it and are handed out as they are: nobody may
change them (copies on insert were rejected for speed; `dataflow.testing.strict()` finds who does).

It belongs to the thread of its first use, not to that of its creation, so module-level collections work under any server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from dataflow.circuit.failure import downstream, notify
from dataflow.circuit.graph import current_graph
from dataflow.circuit.node import Node, SourceNode
from dataflow.collection.batch import current_batch
from dataflow.collection.handlers import Handlers
from dataflow.collection.indexes import HashIndex, OrderedIndex, index_of_fields
from dataflow.collection.inlet import Inlet
from dataflow.collection.keys import Key, RowKeys
from dataflow.collection.mutable import Mutable
from dataflow.collection.readiness import Readiness
from dataflow.collection.statistics import CollectionStatistics
from dataflow.collection.sync import SyncWriter
from dataflow.errors import CollectionError, UnknownFieldError
from dataflow.query.compiler.layout import Layout, layout_of_adapter, layout_of_type
from dataflow.values.row import RowAdapter, adapter_for_row, adapter_for_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.graph import Graph
    from dataflow.collection.readiness import RowSource
    from dataflow.collection.status import Status
    from dataflow.collection.transaction import MutationFn
    from dataflow.collection.validation import Validator

R = TypeVar("R")


class Collection(Mutable[R], Generic[R]):
    """A keyed set of rows.

    Args:
        name: a label for plans and errors; it need not be unique.
        key: what identifies a row: a field, a tuple of fields, or a function of the row. Keys are non-null scalars or tuples of them.
        row: the type of the rows; without it the first row decides, and rows are typed as dicts.
        ready: False for a collection that waits for its first snapshot (`mark_ready`); its queries stay empty until then.
        on_insert, on_update, on_delete: called with the transaction of single mutations, to persist them. Without any of them the
            collection is local: mutations are confirmed at once.
        validate: turns what users write, a mapping of fields or a row, into a valid row, or raises: `TypeAdapter(T).validate_python`.
            Without it the row type decides: pydantic models, dataclasses, TypedDicts and msgspec structs are validated.

    >>> users = Collection("users", key="id")
    >>> with users.sync() as write:
    ...     write.insert({"id": 1, "name": "Ada"})
    >>> users[1]["name"], 2 in users, len(users)
    ('Ada', False, 1)
    """

    __slots__ = (
        "_adapter",
        "_error",
        "_filled_from",
        "_inlet",
        "_key",
        "_keys",
        "_node",
        "_row_type",
        "_status",
        "_was_ready",
    )

    _kind = "collection"

    @overload
    def __init__(
        self: Collection[dict[str, Any]],
        name: str,
        *,
        key: Key,
        ready: bool = ...,
        on_insert: MutationFn | None = ...,
        on_update: MutationFn | None = ...,
        on_delete: MutationFn | None = ...,
        validate: Validator | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        *,
        key: Key,
        row: type[R],
        ready: bool = ...,
        on_insert: MutationFn | None = ...,
        on_update: MutationFn | None = ...,
        on_delete: MutationFn | None = ...,
        validate: Validator | None = ...,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        *,
        key: Key,
        row: Any = None,
        ready: bool = True,
        on_insert: MutationFn | None = None,
        on_update: MutationFn | None = None,
        on_delete: MutationFn | None = None,
        validate: Validator | None = None,
    ) -> None:
        handlers = Handlers(insert=on_insert, update=on_update, delete=on_delete)
        super().__init__(name, handlers=handlers, validate=validate)
        self._key = key
        self._keys = RowKeys(str(self), key)
        self._row_type = row
        self._was_ready = ready
        self._was_synced = not ready  # what waits for its first snapshot is told by somebody
        self._status: Status = "ready" if ready else "loading"
        self._error: BaseException | None = None
        self._filled_from: RowSource | None = None
        self._node = SourceNode(label=name)
        self._inlet = Inlet(self._node, self._first_key)
        self._adapter: RowAdapter | None = None
        if row is not None:
            self._adopt(adapter_for_type(row))

    # -- what queries and errors ask -----------------------------------------------------------------------------------

    @property
    def row_type(self) -> Any:
        """The declared type of the rows, or None."""
        return self._row_type

    @property
    def key_field(self) -> str | None:
        """The field that is the key, or None if the key is made of several or computed."""
        return self._key if isinstance(self._key, str) else None

    @property
    def status(self) -> Status:
        """`idle` until a source starts, `loading` until its first rows are there, `ready`, `error` or `closed`."""
        return self._status

    @property
    def error(self) -> BaseException | None:
        """Why the source of the rows failed, while the status is `error`; the rows are the last good ones."""
        return self._error

    @property
    def is_waiting(self) -> bool:
        """Whether the first rows are still to come, be it after an error."""
        return not self._was_ready and self._status != "closed"

    def physical(self) -> tuple[Node, Layout]:
        """Return the source node and the layout of the rows, for the compiler."""
        self._used()
        adapter = self._adapter
        return self._node, layout_of_type(None) if adapter is None else layout_of_adapter(adapter)

    def statistics(self) -> CollectionStatistics:
        """Return a snapshot of counters; what finalizers asked for is done first."""
        self._used().collect()
        node = self._node
        return CollectionStatistics(
            rows_held=node.state_rows(),
            rows_touched=node.touched,
            read_by=len(node.consumers),
            followed_by=len(self._followers),
        )

    # -- writing -------------------------------------------------------------------------------------------------------

    def sync(self) -> SyncWriter[R]:
        """Return a writer for one commit: `with collection.sync() as write:`.

        Raises:
            CollectionError: if the collection is closed.
        """
        inlet = self._inlet
        return SyncWriter(self, inlet, inlet.graph or self._admit())

    def _admit(self) -> Graph:
        """Return the graph, if synced rows may be written here and now."""
        self._check_writable()
        graph = self._inlet.graph = self._used()
        self._note_sync()
        return graph

    def restore(self, rows: Iterable[R], *, synced: bool) -> None:
        """Write rows that were kept from an earlier life of the collection.

        Args:
            rows: the synced rows of then.
            synced: whether they came from elsewhere; those of a local collection leave it local.
        """
        self._check_writable()
        graph = self._used()
        if synced:
            self._note_sync()
        writer: SyncWriter[R] = SyncWriter(self, self._inlet, graph)
        with writer as write:
            for row in rows:
                write.upsert(row)

    def synced_row(self, key: Any) -> R | None:
        """Return the row beneath everything that is pending, or None.

        Args:
            key: in normal form.
        """
        row: R | None
        rows = self._node.rows
        assert rows is not None
        row = rows.get(key) if self.overlay is None else self.overlay.synced_row(key)
        return row

    def synced_keys(self) -> list[Any]:
        """Return the keys, in normal form, of the rows beneath everything that is pending. O(rows)."""
        rows = self._node.rows
        assert rows is not None
        return list(rows if self.overlay is None else self.overlay.synced_keys())

    @property
    def was_synced(self) -> bool:
        """Whether synced rows have ever come from elsewhere."""
        return self._was_synced

    def _check_writable(self) -> None:
        if self._status == "closed":
            raise CollectionError(f"{self} is closed")

    # -- status --------------------------------------------------------------------------------------------------------

    def mark_ready(self) -> None:
        """Say that the rows are good: queries that wait for the first ones hydrate, all in one epoch; an error is over.

        Repeated calls do nothing. Inside a batch it takes effect with the batch's writes.
        """
        mark_ready((self,))

    def mark_error(self, error: BaseException) -> None:
        """Say that the source of the rows has failed. The rows stay; this and what is derived get the status "error".

        `mark_ready` ends it. Nothing happens to a closed collection.
        """
        self._used()
        if self._status != "closed":
            self._error = error
            self._turn("error")

    def close(self) -> None:
        """Say that no more rows will come: subscriptions and every `changes()` end. Closing twice is allowed.

        What is there can still be read and queried, but not written.
        """
        self._used()
        if self._status == "closed":
            return
        self._error = None
        self._inlet.graph = None
        self._end_followers()
        self._turn("closed")

    def fill_from(self, source: RowSource) -> None:
        """Let a source deliver the rows once somebody asks for them: the status is "idle" until `preload()`.

        Raises:
            CollectionError: if another source does so already, or the collection is closed.
        """
        self._used()
        if self._filled_from is not None or self._status == "closed":
            state = "closed" if self._status == "closed" else "filled from another source"
            raise CollectionError(f"{self} is {state}")
        self._filled_from = source
        if self._status == "loading":
            self._turn("idle")

    async def preload(self) -> None:
        """Start the source, if there is one that has not been started, and wait until the first rows are there.

        Raises:
            CollectionError: as for `wait_ready`.
        """
        self._used()
        if self._filled_from is not None and not self._filled_from.is_started:
            if self._status == "idle":
                self._turn("loading")
            self._filled_from.start()
        await self.wait_ready()

    def _turn(self, status: Status) -> None:
        """Take another status, and tell everybody concerned in an epoch of its own."""
        self._status = status
        self._used().run(Readiness((self._tell,)))

    def _tell(self) -> list[Announcement]:
        """Let everybody concerned look at the status; return what is to be announced of results that start now."""
        notify(downstream(self._node))
        waiting = tuple(self._waiting)
        if not self.is_waiting:
            self._waiting = {}
        return [news for each in waiting for news in each.source_ready()]

    def _become_ready(self) -> list[Announcement]:
        """Take the status "ready"; called by the graph when all running nodes are up to date."""
        if self._status == "closed":
            return []
        self._was_ready, self._error, self._status = True, None, "ready"
        return self._tell()

    # -- indexes -------------------------------------------------------------------------------------------------------

    @overload
    def create_index(self, *fields: str, ordered: Literal[False] = ...) -> HashIndex[R]: ...
    @overload
    def create_index(self, field: str, /, *, ordered: Literal[True]) -> OrderedIndex[R]: ...
    def create_index(self, *fields: str, ordered: bool = False) -> Any:
        """Return an index that finds rows by the values of fields, kept up to date as long as it is held.

        Args:
            fields: one or several; an ordered index has one.
            ordered: whether it finds ranges, in order, and not only equal values.

        Raises:
            UnknownFieldError: if the rows declare their fields, and not all of these.

        Complexity: O(rows) unless it exists already, then as `indexes` says.
        """
        graph = self._used()
        graph.refuse_while_stepping("create an index")
        if not fields or (ordered and len(fields) > 1):
            raise TypeError("an index is by one field or several, an ordered one by exactly one")
        declared = None if self._adapter is None else self._adapter.fields
        for field in fields:
            if declared is not None and field not in declared:
                raise UnknownFieldError(field, str(self), declared)
        return index_of_fields(self, graph, fields, ordered=ordered)

    # -- rows and keys -------------------------------------------------------------------------------------------------

    def _find_node(self) -> Node | None:
        return self._node

    def _adopt(self, adapter: RowAdapter) -> None:
        """Read rows through an adapter from now on."""
        self._keys.check_fields(adapter)
        self._adapter = adapter
        self._inlet.equal_rows = adapter.equal
        self._inlet.key_of = self._keys.quick(adapter, self._checked_key)

    def _first_key(self, row: R) -> Any:
        """Return the key of the first row of an undeclared type, which decides what rows are."""
        if row is None:
            raise CollectionError(f"{self}: a row cannot be None")
        adapter = adapter_for_row(row)
        self._keys.check_fields(adapter)
        key = self._keys.of(row, adapter)
        self._adopt(adapter)
        return key

    def keyed(self, rows: list[R]) -> dict[Any, R]:
        """Return the key of each row -> the row; raises if a row is none of the collection's."""
        if not rows:
            return {}
        self.key_of(rows[0])  # the first row of all decides what rows are
        assert self._adapter is not None
        found = self._keys.keyed(rows, self._adapter)
        return {self.key_of(row): row for row in rows} if found is None else found

    def _checked_key(self, row: R) -> Any:
        """Return the key of a row in normal form, after checking that the row is one of ours."""
        adapter = self._adapter
        assert adapter is not None
        if row is None or not adapter.accepts(row):
            raise CollectionError(
                f"{self} holds rows of type {adapter.row_type.__name__}, not {type(row).__name__}"
            )
        return self._keys.of(row, adapter)


def mark_ready(collections: Iterable[Collection[Any]]) -> None:
    """Say that the first snapshots of several collections are there: everything that waited hydrates in one epoch."""
    graph = current_graph()
    done = ("ready", "closed")
    fresh = [each for each in collections if each._used() is graph and each.status not in done]  # noqa: SLF001
    if not fresh:
        return
    starts = [each._become_ready for each in fresh]  # noqa: SLF001 - a function of this class
    batch = current_batch()
    if batch is None:
        graph.run(Readiness(starts))
    else:
        batch.start(starts)
