"""The collection: a keyed set of rows, written by a sync writer, read as a Mapping, followed by subscriptions and queries.

A collection owns the rows of one source node of the graph. Rows given to it belong to it and are handed out as they are: nobody may
change them (copies on insert were rejected for speed; `dataflow.testing.strict()` finds who does).

It belongs to the thread of its first use, not to that of its creation, so module-level collections work under any server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from dataflow.circuit.graph import current_graph
from dataflow.circuit.node import Node, SourceNode
from dataflow.collection.batch import current_batch
from dataflow.collection.keys import Key, RowKeys
from dataflow.collection.readable import Readable, Status
from dataflow.collection.readiness import Readiness
from dataflow.collection.sync import SyncWriter
from dataflow.errors import CollectionError
from dataflow.query.compiler.layout import Layout, layout_of_adapter, layout_of_type
from dataflow.values.row import RowAdapter, adapter_for_row, adapter_for_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.circuit.commit import Announcement

R = TypeVar("R")


class Collection(Readable[R], Generic[R]):
    """A keyed set of rows.

    Args:
        name: a label for plans and errors; it need not be unique.
        key: what identifies a row: a field, a tuple of fields, or a function of the row. Keys are non-null scalars or tuples of them.
        row: the type of the rows; without it the first row decides, and rows are typed as dicts.
        ready: False for a collection that waits for its first snapshot (`mark_ready`); its queries stay empty until then.

    >>> users = Collection("users", key="id")
    >>> with users.sync() as write:
    ...     write.insert({"id": 1, "name": "Ada"})
    >>> users[1]["name"], 2 in users, len(users)
    ('Ada', False, 1)
    """

    __slots__ = (
        "_adapter",
        "_is_ready",
        "_key",
        "_keys",
        "_node",
        "_row_type",
        "equal_rows",
        "key_of",
    )

    _kind = "collection"

    @overload
    def __init__(
        self: Collection[dict[str, Any]], name: str, *, key: Key, ready: bool = ...
    ) -> None: ...
    @overload
    def __init__(self, name: str, *, key: Key, row: type[R], ready: bool = ...) -> None: ...
    def __init__(self, name: str, *, key: Key, row: Any = None, ready: bool = True) -> None:
        super().__init__(name)
        self._key = key
        self._keys = RowKeys(str(self), key)
        self._row_type = row
        self._is_ready = ready
        self._node = SourceNode(label=name)
        self._adapter: RowAdapter | None = None
        self.equal_rows: Callable[[Any, Any], bool] = _undecided
        self.key_of: Callable[[Any], Any] = self._first_key
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
        """`ready`, or `loading` until the first snapshot is there."""
        return "ready" if self._is_ready else "loading"

    @property
    def error(self) -> BaseException | None:
        """A collection itself does not fail."""
        return None

    def physical(self) -> tuple[Node, Layout]:
        """Return the source node and the layout of the rows, for the compiler."""
        self._used()
        adapter = self._adapter
        return self._node, layout_of_type(None) if adapter is None else layout_of_adapter(adapter)

    # -- writing -------------------------------------------------------------------------------------------------------

    def sync(self) -> SyncWriter[R]:
        """Return a writer for one commit: `with collection.sync() as write:`."""
        return SyncWriter(self, self._used(), self._node)

    def mark_ready(self) -> None:
        """Say that the first snapshot is there: waiting queries hydrate, all in one epoch. Repeated calls do nothing.

        Inside a batch it takes effect with the batch's writes.
        """
        mark_ready((self,))

    def _become_ready(self) -> list[Announcement]:
        if self._is_ready:
            return []
        self._is_ready = True
        waiting, self._waiting = self._waiting, {}
        return [announcement for each in waiting for announcement in each.source_ready()]

    # -- rows and keys -------------------------------------------------------------------------------------------------

    def _find_node(self) -> Node | None:
        return self._node

    def _adopt(self, adapter: RowAdapter) -> None:
        """Read rows through an adapter from now on."""
        self._keys.check_fields(adapter)
        self._adapter = adapter
        self.equal_rows = adapter.equal
        self.key_of = self._keys.quick(adapter, adapter.row_type, self._checked_key)

    def _first_key(self, row: R) -> Any:
        """Return the key of the first row of an undeclared type, which decides what rows are."""
        if row is None:
            raise CollectionError(f"{self}: a row cannot be None")
        adapter = adapter_for_row(row)
        self._keys.check_fields(adapter)
        key = self._keys.of(row, adapter)
        self._adopt(adapter)
        return key

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
    fresh = [each for each in collections if each._used() is graph and each.status == "loading"]  # noqa: SLF001
    if not fresh:
        return
    starts = [each._become_ready for each in fresh]  # noqa: SLF001 - a function of this class
    batch = current_batch()
    if batch is None:
        graph.run(Readiness(starts))
    else:
        batch.start(starts)


def _undecided(old: Any, new: Any) -> bool:
    raise CollectionError("no row has been written yet")
