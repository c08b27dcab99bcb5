"""Layers: the operations that lie over the rows of one collection, and the rows beneath.

Law        the rows of the source node are the visible ones: overlay(synced row, operations) for every row with operations, the
           synced row for every other. What is completed and still has an operation stays: it becomes the synced row as soon as
           nothing open lies beneath it.
Delta rule a row is looked at again when its synced row or one of its operations changed; the newest operation goes on top of
           what is visible, everything else starts from the synced row. Synced rows change beneath at once.
State      synced row and operations of the rows that have operations; the keys changed here last
Cost       O(1) rows per mutation, whatever else is pending; O(operations on the row) when one beneath another goes
Edges      a patch that its row refuses (a dataclass that checks its fields, over a row that changed beneath) is not shown
           while it does not fit
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from dataflow.collection.facts import FactsNode
from dataflow.collection.overlay import Patch, Put, overlay, under
from dataflow.values.normal import expose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataflow.circuit.node import Delta, Node, SourceNode
    from dataflow.collection.overlay import Author, Operation


class Overlaid(Protocol):
    """What layers ask their collection."""

    @property
    def equal_rows(self) -> Callable[[Any, Any], bool]:
        """Tell whether two rows are equal."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether every row was changed here: nobody else says what the rows are."""
        ...

    def replace(self, row: Any, changes: Mapping[str, Any]) -> Any:
        """Return a row with other fields."""
        ...


class Layers:
    """The operations on the rows of one collection, and what they lie over.

    Args:
        collection: asked for the rules of its rows.
        node: holds the visible rows.
    """

    __slots__ = ("_before", "_collection", "_layers", "_node", "_own", "_synced", "facts")

    def __init__(self, collection: Overlaid, node: SourceNode) -> None:
        self._collection = collection
        self._node = node
        self._layers: dict[Any, dict[Author, Operation]] = {}
        self._synced: dict[Any, Any] = {}  # of exactly the rows with layers; None: there is none
        self._own: set[Any] = set()  # rows without layers that were changed here last
        self._before: dict[Any, Any] = {}  # visible rows at the start of the commit under way
        self.facts: FactsNode | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to say: visible is synced, and nobody asks for facts."""
        return not (self._layers or self._own or self.facts)

    def authors(self, key: Any) -> Iterable[Author]:
        """Return the transactions with operations on a row, oldest first."""
        return tuple(self._layers.get(key, ()))

    def synced_row(self, key: Any) -> Any:
        """Return the row beneath the overlay, or None."""
        if key in self._layers:
            return self._synced[key]
        return self._node.rows.get(key)

    def synced_keys(self) -> Iterable[Any]:
        """Return the keys of the rows beneath the overlay. O(rows)."""
        rows, synced = self._node.rows or {}, self._synced
        yield from (key for key in rows if key not in synced)
        yield from (key for key, row in synced.items() if row is not None)

    def own_all(self) -> None:
        """Take the rows there are as changed here: the collection was local until now."""
        self._own.update(self._node.rows or ())

    def preview(self, key: Any, row: Any, mutated: Iterable[Author]) -> Any:
        """Return what would be visible over a synced row if the operations of some transactions were shown as they are now."""
        layers = dict(self._layers.get(key, ()))
        for author in mutated:
            operation = author.operation(self._collection, key)
            if operation is None:
                layers.pop(author, None)
            else:
                layers[author] = operation
        ordered = sorted(layers, key=_age)
        return overlay(row, [layers[author] for author in ordered], self._replaced)

    # -- one commit ----------------------------------------------------------------------------------------------------

    def commit(
        self, synced: Mapping[Any, Any], mutated: Mapping[Any, Iterable[Author]]
    ) -> list[Node]:
        """Take over synced rows, then look again at what transactions do to rows; return the nodes that changed.

        Args:
            synced: key -> row, None for none.
            mutated: key -> transactions whose operation or state is another than before.
        """
        for key, row in synced.items():
            self._sync(key, row)
        for key, authors in mutated.items():
            self._look(key, authors)
        before, self._before = self._before, {}
        node = self._node
        node.touched += len(before)
        node.out = self._delta(before)
        changed: list[Node] = [node] if node.out else []
        if self.facts is not None:
            changed += self._update_facts(self.facts, before)
        return changed

    def _sync(self, key: Any, row: Any) -> None:
        self._own.discard(key)
        layers = self._layers.get(key)
        if layers is None:
            self._show(key, row)
        else:
            self._synced[key] = row
            self._show(key, overlay(row, layers.values(), self._replaced))

    def _look(self, key: Any, authors: Iterable[Author]) -> None:
        """Look at transactions again: show their operations, or let go of them."""
        is_stale = False
        for author in authors:
            operation = author.operation(self._collection, key)
            if operation is not None:
                is_stale |= not self._put(key, author, operation)
            else:
                is_stale |= self._drop(key, author)
            if author.state == "completed" and not self._collection.is_local:
                self._own.add(key)
        layers = self._layers.get(key)
        if layers is None:
            return
        self._accept(key, layers)
        if is_stale:
            self._show(key, overlay(self._synced[key], layers.values(), self._replaced))
        if not layers:
            del self._layers[key], self._synced[key]

    def _put(self, key: Any, author: Author, operation: Operation) -> bool:
        """Take over an operation; True if it has been shown: the newest goes on top of what is visible."""
        rows = self._node.rows
        assert rows is not None
        layers = self._layers.get(key)
        if layers is None:
            layers = self._layers[key] = {}
            self._synced[key] = rows.get(key)
        is_newest = not layers or next(reversed(layers)).number <= author.number
        earlier = layers.get(author)
        layers[author] = operation
        if is_newest:
            if isinstance(operation, Patch) and isinstance(earlier, Put):
                return False  # its insert, which is what is visible, has been taken back
            self._show(key, under(rows.get(key), operation, self._replaced))
        elif earlier is None:
            ordered = {each: layers[each] for each in sorted(layers, key=_age)}
            layers.clear()
            layers.update(ordered)
        return is_newest

    def _drop(self, key: Any, author: Author) -> bool:
        """Let go of an operation; True if there was one."""
        layers = self._layers.get(key)
        if layers is None or author not in layers:
            return False
        if next(reversed(layers)) is author:
            layers.popitem()  # which leaves no gap that the next look at the newest would have to cross
        else:
            del layers[author]
        return True

    def _accept(self, key: Any, layers: dict[Author, Operation]) -> None:
        """Make synced what completed transactions did, as far as nothing that is open lies beneath."""
        while layers and (author := next(iter(layers))).state == "completed":
            if author.operation(self._collection, key) is None:
                return  # it goes when it is looked at, an epoch later
            self._synced[key] = under(self._synced[key], layers.pop(author), self._replaced)
            author.accepted(self._collection, key)

    def _replaced(self, row: Any, changes: Mapping[str, Any]) -> Any:
        try:
            return self._collection.replace(row, changes)
        except Exception:  # noqa: BLE001 - a row may refuse what was valid over another one; see Edges
            return row

    def _show(self, key: Any, row: Any) -> None:
        rows = self._node.rows
        assert rows is not None
        self._before.setdefault(key, rows.get(key))
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row

    def _delta(self, before: Mapping[Any, Any]) -> Delta:
        rows, equal = self._node.rows, self._collection.equal_rows
        assert rows is not None
        delta: Delta = []
        for key, old in before.items():
            new = rows.get(key)
            if new is None:
                self._own.discard(key)
            if old is new:
                continue
            if old is not None and new is not None and equal(old, new):
                rows[key] = old
            else:
                delta.append((key, old, new))
        return delta

    # -- facts ---------------------------------------------------------------------------------------------------------

    def facts_node(self) -> FactsNode:
        """Return the relation of what is known about the visible rows; it is kept as long as a query reads it."""
        if self.facts is None:
            rows = self._node.rows or {}
            self.facts = FactsNode({key: self._facts_of(key) for key in rows}, self._node.label)
        return self.facts

    def _facts_of(self, key: Any) -> tuple[bool, str, Any]:
        pending = any(each.state != "completed" for each in self._layers.get(key, ()))
        local = pending or key in self._own or self._collection.is_local
        return (pending, "local" if local else "remote", expose(key))

    def _update_facts(self, facts: FactsNode, looked_at: Iterable[Any]) -> list[Node]:
        if not facts.consumers:
            self.facts = None
            return []
        rows = self._node.rows
        assert rows is not None
        facts.take({key: self._facts_of(key) if key in rows else None for key in looked_at})
        return [facts] if facts.out else []

    def _check(self) -> None:
        """Assert the invariants."""
        assert self._layers.keys() == self._synced.keys(), "a synced row for each row with layers"
        for key, layers in self._layers.items():
            numbers = [author.number for author in layers]
            assert numbers, f"no layers under {key!r}"
            assert numbers == sorted(numbers), f"layers of {key!r} out of order"


_age = attrgetter("number")
