"""The collection: a keyed set of rows, written by a sync writer, read as a Mapping, followed by subscriptions and queries.

A collection owns the rows of one source node of the graph. Rows given to it belong to it and are handed out as they are: nobody may
change them (copies on insert were rejected for speed; `dataflow.testing.strict()` finds who does).

It belongs to the thread of its first use, not to that of its creation, so module-level collections work under any server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from dataflow.circuit.node import Node, SourceNode
from dataflow.collection.readable import Readable, Status
from dataflow.collection.readiness import Readiness, Waiting
from dataflow.collection.sync import SyncWriter
from dataflow.errors import CollectionError, near
from dataflow.query.compiler.layout import Layout, layout_of_adapter, layout_of_type
from dataflow.values.normal import PLAIN, normal
from dataflow.values.null import is_null
from dataflow.values.row import RowAdapter, adapter_for_row, adapter_for_type

if TYPE_CHECKING:
    from dataflow.circuit.graph import Commit

R = TypeVar("R")
Key = str | tuple[str, ...] | Callable[[Any], object]

_SCALAR_KEYS = PLAIN | {float, bool, tuple}


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
        "_node",
        "_row_class",
        "_row_type",
        "_waiting",
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
        self._row_type = row
        self._row_class: type | None = None  # the class rows had so far, tested first
        self._adapter: RowAdapter | None = None if row is None else adapter_for_type(row)
        self._is_ready = ready
        self._waiting: list[Waiting] = []
        self._node: SourceNode | None = None
        self.equal_rows: Callable[[Any, Any], bool] = _undecided
        self.key_of: Callable[[R], Any] = self._checked_key
        if self._adapter is not None:
            self.equal_rows = self._adapter.equal
            self._check_key_fields(self._adapter)

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
        node = self._source()
        if self._adapter is not None:
            return node, layout_of_adapter(self._adapter)
        return node, layout_of_type(None)

    def wait_for(self, waiting: Waiting) -> bool:
        """Ask to be told when the collection is ready; False if it already is."""
        if self._is_ready:
            return False
        self._waiting.append(waiting)
        return True

    # -- writing -------------------------------------------------------------------------------------------------------

    def sync(self) -> SyncWriter[R]:
        """Return a writer for one commit: `with collection.sync() as write:`."""
        return SyncWriter(self, self._source())

    def run(self, commit: Commit) -> None:
        """Run a commit as an epoch of this collection's graph."""
        self._used().run(commit)

    def mark_ready(self) -> None:
        """Say that the first snapshot is there: waiting queries hydrate, all in one epoch. Repeated calls do nothing."""
        mark_ready((self,))

    def _become_ready(self) -> list[Waiting]:
        self._is_ready = True
        waiting, self._waiting = self._waiting, []
        return waiting

    # -- rows and keys -------------------------------------------------------------------------------------------------

    def _source(self) -> SourceNode:
        self._used()
        if self._node is None:
            self._node = SourceNode(label=self._name)
        return self._node

    def _find_node(self) -> Node | None:
        return self._source()

    def _checked_key(self, row: R) -> Any:
        """Return the normal form of a row's key, after checking that the row is one of ours."""
        if row.__class__ is not self._row_class:
            self._accept(row)
        key = self._raw_key(row)
        if key.__class__ is str or key.__class__ is int:
            return key
        return self._unusual_key(key, row)

    def _raw_key(self, row: R) -> Any:
        adapter = self._adapter
        assert adapter is not None
        key = self._key
        if key.__class__ is str:
            return adapter.get(row, key)  # type: ignore[arg-type]  # a str
        if isinstance(key, tuple):
            return tuple([adapter.get(row, name) for name in key])
        return key(row)  # type: ignore[operator]  # a function

    def _unusual_key(self, key: Any, row: R) -> Any:
        if is_null(key) or (isinstance(key, tuple) and any(map(is_null, key))):
            raise CollectionError(
                f"collection {self._name!r}: the key ({self._key_label()}) is null in row {row!r}"
            )
        found = normal(key)
        scalars = found if isinstance(found, tuple) else (found,)
        if any(
            isinstance(part, list | dict | set)
            for part in (key if isinstance(key, tuple) else (key,))
        ):
            raise CollectionError(
                f"collection {self._name!r}: a key is a scalar or a tuple of scalars, not {key!r}"
            )
        assert scalars is not None
        return found

    def _accept(self, row: Any) -> None:
        """Check that a row is of the collection's kind; the first row decides where none was declared."""
        if self._adapter is None:
            self._adapter = adapter_for_row(row)
            self.equal_rows = self._adapter.equal
            self._check_key_fields(self._adapter)
        elif not self._adapter.accepts(row):
            raise CollectionError(
                f"collection {self._name!r} holds rows of type {self._adapter.row_type.__name__}, not {type(row).__name__}"
            )
        self._row_class = row.__class__

    def _key_label(self) -> str:
        return repr(self._key) if isinstance(self._key, str | tuple) else "computed"

    def _check_key_fields(self, adapter: RowAdapter) -> None:
        names: Iterable[str] = (self._key,) if isinstance(self._key, str) else ()
        if isinstance(self._key, tuple):
            names = self._key
        for name in names:
            if adapter.fields is not None and name not in adapter.fields:
                raise CollectionError(
                    f"collection {self._name!r}: key field {name!r} is no field of {adapter.row_type.__name__}"
                    f"{near(name, adapter.fields)}"
                )


def mark_ready(collections: Iterable[Collection[Any]]) -> None:
    """Say that the first snapshots of several collections are there: everything that waited hydrates in one epoch."""
    fresh = [collection for collection in collections if collection.status == "loading"]
    if fresh:
        graph = fresh[0]._used()  # noqa: SLF001 - a function of this class
        graph.run(
            Readiness([waiting for collection in fresh for waiting in collection._become_ready()])
        )


def _undecided(old: Any, new: Any) -> bool:
    raise CollectionError("no row has been written yet")
