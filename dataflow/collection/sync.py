"""The sync writer: how rows that are known elsewhere enter a collection.

Law     one outermost `with collection.sync()` is one commit and one epoch; leaving it by an exception discards it
Rules   insert of a present key is an update and update of a missing one an insert, so that replays are idempotent; delete of a
        missing key is nothing; a row equal to the stored one changes nothing. A call that raises stages nothing.
Cost    O(rows written); a commit of one row never builds a staging dict
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from dataflow.circuit.commit import Commit
from dataflow.circuit.graph import current_graph, graphs
from dataflow.circuit.node import undo_changes
from dataflow.collection.batch import Staged, current_batch, open_batch
from dataflow.errors import CollectionError
from dataflow.values.normal import PLAIN, expose, normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node
    from dataflow.collection.inlet import Inlet
    from dataflow.collection.layers import Layers
    from dataflow.collection.overlay import Author

R = TypeVar("R")


class Written(Protocol):
    """What a writer asks the collection it writes to, apart from its inlet."""

    def keyed(self, rows: list[Any]) -> dict[Any, Any]:
        """Return key in normal form -> row for many rows, the last one of each key."""
        ...

    def overlay_commit(
        self, synced: Mapping[Any, Any], mutated: Mapping[Any, Iterable[Author]]
    ) -> list[Node]:
        """Commit beneath and into the overlay."""
        ...


class StagedRows(Staged):
    """Writes to one collection.

    Attributes:
        rows: key -> row, the last one written; None stands for a delete.
        mutated: key -> the transactions that have to be looked at again.
    """

    __slots__ = ("_collection", "_inlet", "_truncate", "mutated", "rows")

    def __init__(self, collection: Written, inlet: Inlet) -> None:
        self._collection = collection
        self._inlet = inlet
        self.rows: dict[Any, Any] = {}
        self.mutated: dict[Any, dict[Author, None]] = {}
        self._truncate = False

    def truncate(self) -> None:
        """Stage the removal of every row, those staged so far included."""
        self.rows.clear()
        self._truncate = True

    def mutate(self, key: Any, author: Author) -> None:
        """Stage a look at what a transaction does to a row."""
        self.mutated.setdefault(key, {})[author] = None

    def merge(self, later: StagedRows) -> None:
        """Take over writes that were staged after these."""
        if later._truncate:
            self.truncate()
        self.rows.update(later.rows)
        for key, authors in later.mutated.items():
            self.mutated.setdefault(key, {}).update(authors)

    def synced_row(self, key: Any, overlay: Layers) -> Any:
        """Return the synced row that a key will have, or None."""
        if key in self.rows:
            return self.rows[key]
        return None if self._truncate else overlay.synced_row(key)

    def has(self, key: Any) -> bool:
        """Tell whether something is staged for a key."""
        return key in self.mutated or key in self.rows or self._truncate

    def apply(self) -> list[Node]:
        """Make the writes visible; called by the graph at the start of the epoch."""
        changed = self._apply()
        journal = self._inlet.journal
        if journal is not None:
            journal.note({**self.rows, **self.mutated})
        return changed

    def _apply(self) -> list[Node]:
        node, staged = self._inlet.node, self.rows
        rows = node.rows
        overlay = self._inlet.overlay
        if overlay is not None or self.mutated:
            if self._truncate:
                for key in rows if overlay is None else overlay.synced_keys():
                    staged.setdefault(key, None)
            return self._collection.overlay_commit(staged, self.mutated)
        if self._truncate:
            for key in rows:
                staged.setdefault(key, None)
        node.touched += len(staged)
        if not rows:
            rows.update(staged)
            for key in [key for key, row in staged.items() if row is None]:
                del rows[key]
            if rows and not self._is_read():
                return [node]
            node.out = [(key, None, row) for key, row in rows.items()]
        else:
            node.out = self._difference(rows)
        return [node] if node.out else []

    def _is_read(self) -> bool:
        """Tell whether anybody looks at the delta, which costs more than the rows of a first load."""
        node, graph = self._inlet.node, current_graph()
        watched = graph.tracer is not None or graph.observer is not None
        return bool(watched or node.consumers or node.subscribers)

    def _difference(self, rows: dict[Any, Any]) -> Delta:
        equal = self._inlet.equal_rows
        delta: Delta = []
        try:
            for key, new in self.rows.items():
                old = rows.get(key)
                if new is None:
                    if old is not None:
                        del rows[key]
                        delta.append((key, old, None))
                elif old is None:
                    rows[key] = new
                    delta.append((key, None, new))
                elif old is not new and not equal(old, new):
                    rows[key] = new
                    delta.append((key, old, new))
        except BaseException:  # an interrupt: what nobody has been told of has not happened
            undo_changes(rows, delta)
            raise
        return delta


class SyncWriter(Commit, Generic[R]):
    """Writes rows into a collection; used as `with collection.sync() as write:`.

    A single write stays in the writer, which is then its own commit; more go to a staging dict.
    """

    __slots__ = ("_collection", "_graph", "_inlet", "_key", "_open", "_row", "_staged")

    def __init__(self, collection: Written, inlet: Inlet, graph: Graph) -> None:
        self._collection = collection
        self._inlet = inlet
        self._graph = graph
        self._key: Any = None  # of the only write so far, its row is `_row`; None is no key
        self._staged: StagedRows | None = None  # while it is open
        self._open: bool | None = None  # None: not yet

    def insert(self, row: R) -> None:
        """Add a row, or replace the one with its key."""
        key = self._inlet.key_of(row)
        staged = self._staged
        if staged is not None:
            staged.rows[key] = row
        elif self._key is None and self._open:
            self._key, self._row = key, row
        else:
            self._write(key, row)

    upsert = insert

    def insert_all(self, rows: Iterable[R]) -> None:
        """Add rows, or replace those with their keys: `insert` for many, several times as fast.

        Complexity: O(rows); of plain keys in one field without a call per row.
        """
        self._check_open()
        self._many().rows.update(self._collection.keyed(list(rows)))

    def write_keyed(self, rows: Mapping[Any, R | None]) -> None:
        """Add, replace or remove rows whose keys the caller has taken out of them already.

        Args:
            rows: key in normal form -> row, or None to remove the one that is there; nothing of it is checked.

        Complexity: O(rows), without a look at any of them.
        """
        self._check_open()
        if len(rows) == 1:
            for key, row in rows.items():
                self._write(key, row)
        else:
            self._many().rows.update(rows)

    def update(self, row: R) -> None:
        """Replace the row with the same key, or add it.

        Raises:
            CollectionError: if the row is the stored object itself: rows are shared, so a changed row is a new object.
        """
        inlet = self._inlet
        key = inlet.key_of(row)
        if inlet.node.rows.get(key) is row and self._is_synced(key, row):
            error = CollectionError(f"update got the stored row of key {expose(key)!r} itself")
            error.add_note("rows are shared and must not be changed in place: pass a changed copy")
            raise error
        staged = self._staged
        if staged is not None:
            staged.rows[key] = row
        elif self._key is None and self._open:
            self._key, self._row = key, row
        else:
            self._write(key, row)

    def _is_synced(self, key: Any, row: Any) -> bool:
        overlay = self._inlet.overlay
        return overlay is None or overlay.synced_row(key) is row

    def delete(self, key: Any) -> None:
        """Remove the row of a key; nothing happens if there is none."""
        self._check_open()
        found = key if key.__class__ in PLAIN else normal(key)
        if found is not None:
            self._write(found, None)

    def truncate(self) -> None:
        """Remove all rows, those written before in this commit included."""
        self._check_open()
        self._many().truncate()

    def _write(self, key: Any, row: Any) -> None:
        staged = self._staged
        if staged is not None:
            staged.rows[key] = row
        elif self._key is None and self._open:
            self._key, self._row = key, row
        else:
            self._check_open()
            self._many().rows[key] = row

    def _many(self) -> StagedRows:
        """Return the staging dict, moving a single write into it."""
        staged = self._staged
        if staged is None:
            staged = self._staged = StagedRows(self._collection, self._inlet)
            if self._key is not None:
                staged.rows[self._key] = self._row
        return staged

    def _check_open(self) -> None:
        if not self._open:
            raise CollectionError(
                "a sync writer is used inside its `with`: with collection.sync() as write: …"
            )

    def __enter__(self) -> Self:
        if self._open is not None:
            raise CollectionError("a sync writer is for one commit: call sync() again")
        graph = self._graph
        if graph is not graphs.here:
            graph.check_thread(self._collection)
        self._open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        if (
            kind is None
            and self._staged is None
            and open_batch.get() is None
            and self._inlet.journal is None
        ):
            if self._key is not None:
                self._graph.run(self)
            return
        if kind is None and (self._staged is not None or self._key is not None):
            self._hand_over()
        self._staged = None

    def _hand_over(self) -> None:
        """Give what is staged to the open batch, or make it visible."""
        staged, self._staged = self._many(), None
        batch = current_batch()
        if batch is not None:
            batch.stage(self._collection, staged)
        else:
            self._graph.run(staged)

    def apply(self) -> list[Node]:
        """Make the single write visible; called by the graph at the start of the epoch."""
        inlet, key, new = self._inlet, self._key, self._row
        if inlet.overlay is not None:
            return self._collection.overlay_commit({key: new}, {})
        node = inlet.node
        node.touched += 1
        rows = node.rows
        old = rows.get(key)
        if new is None:
            if old is None:
                return []
            del rows[key]
        elif old is None or (old is not new and not inlet.equal_rows(old, new)):
            rows[key] = new
        else:
            return []
        node.out = [(key, old, new)]
        return [node]
