"""Split: the rows of a nested query, each under its outer row, for those who look at one outer row alone.

Law         the rows of a branch == the nested rows of its outer row, after every epoch; none once the outer row is gone
Delta rule  each changed row goes to the branch of its owner, under a key of its own; a branch whose owner leaves loses all rows
State       owner -> key -> row. O(rows). A branch holds its rows once more, referring to them; there are branches only where
            somebody looks
Cost        O(delta): the branches of touched owners are woken, the others are not asked
Edges       an owner that comes back has a new branch; the old one stays empty. Where aggregates make a row of nothing, an owner
            without rows has that row
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import EMPTY, Delta, Node, Pairs, undo_changes
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Split(Node):
    """The rows of a nested query by owner.

    Args:
        outer: the outer rows, kept.
        rows: the nested rows.
        owner_of: key of a nested row -> key of its outer row.
        key_of: key of a nested row -> its key among those of its owner.
        empty: a node with the one row that an owner without rows has, under the key ().
    """

    __slots__ = ("_branches", "_empty", "_key_of", "_owner_of", "_rows", "_told")

    router: _Woken

    def __init__(
        self,
        outer: Node,
        rows: Node,
        owner_of: Callable[[Any], Any],
        key_of: Callable[[Any], Any],
        empty: Node | None,
    ) -> None:
        inputs = (outer, rows) if empty is None else (outer, rows, empty)
        super().__init__(inputs, label="rows by outer row")
        self._owner_of = owner_of
        self._key_of = key_of
        self._empty: Any = None
        self._rows: dict[Any, dict[Any, Any]] = {}
        self._branches: dict[Any, Branch] = {}
        self._told: dict[Branch, Delta] = {}
        self.router = _Woken()

    def branch(self, owner: Any) -> Branch:
        """Return the branch of an outer row, the running one if there is one."""
        return self._branches.get(owner) or Branch(self, owner)

    def rows_of(self, branch: Branch) -> dict[Any, Any]:
        """Return the rows of a branch; none if its owner has left."""
        if self._branches.get(branch.owner) is not branch:
            return {}
        return dict(self._rows.get(branch.owner, ())) or self._nothing()

    def told(self, branch: Branch) -> Delta:
        """Return what has changed for a branch in this epoch."""
        return self._told.get(branch, EMPTY)

    def connect(self, consumer: Node) -> None:
        super().connect(consumer)
        if isinstance(consumer, Branch):
            self._branches[consumer.owner] = consumer

    def disconnect(self, consumer: Node) -> None:
        super().disconnect(consumer)
        if isinstance(consumer, Branch) and self._branches.get(consumer.owner) is consumer:
            del self._branches[consumer.owner]
        self._told = {}  # which may hold on to it
        self.router.nodes = ()

    def step(self) -> Delta:
        outer, rows = self.inputs[:2]
        self.touched += len(rows.out) + len(outer.out)
        told = self._told = {}
        for key, old, new in rows.out:
            owner, own = self._owner_of(key), self._key_of(key)
            self._put(owner, own, new)
            branch = self._branches.get(owner)
            if branch is not None:
                told.setdefault(branch, []).append((own, old, new))
        if self._empty is not None:
            told = self._told = {branch: self._with_empty(delta) for branch, delta in told.items()}
        for owner, _, new in outer.out:
            if new is None and (branch := self._branches.pop(owner, None)) is not None:
                assert branch.rows is not None
                told[branch] = [(key, row, None) for key, row in branch.rows.items()]
        self.router.nodes = told
        return [(branch.owner, None, delta) for branch, delta in told.items()]

    def hydrate(self) -> None:
        self._told, self._rows = {}, {}
        if len(self.inputs) > 2:
            ((_, self._empty),) = self.inputs[2].scan()
        for key, row in self.inputs[1].scan():
            self._put(self._owner_of(key), self._key_of(key), row)
        outer = self.inputs[0].rows
        assert outer is not None
        for owner in [owner for owner in self._branches if owner not in outer]:
            del self._branches[owner]
        self.router.nodes = tuple(self.consumers)  # after a failure all look again

    def scan(self) -> Pairs:
        return self._rows.items()

    def state_rows(self) -> int:
        return sum(map(len, self._rows.values()))

    def _put(self, owner: Any, key: Any, row: Any) -> None:
        rows = self._rows.setdefault(owner, {})
        if row is not None:
            rows[key] = row
            return
        del rows[key]
        if not rows:
            del self._rows[owner]

    def _nothing(self) -> dict[Any, Any]:
        return {} if self._empty is None else {(): self._empty}

    def _with_empty(self, delta: Delta) -> Delta:
        """Return the change of an aggregate that has a row even where there is nothing."""
        ((key, old, new),) = delta
        old, new = (self._empty if row is None else row for row in (old, new))
        return [] if equal(old, new) else [(key, old, new)]


class Branch(Node):
    """The rows of one owner.

    Args:
        split: where they come from.
        owner: the key of the outer row.
    """

    __slots__ = ("_changes", "_split", "owner")

    def __init__(self, split: Split, owner: Any) -> None:
        super().__init__((split,), label="rows of one outer row")
        self.owner: Any = owner
        self._split = split
        self._changes: Delta = EMPTY
        self.rows = {}

    def step(self) -> Delta:
        changes = self._changes = self._split.told(self)
        rows = self.rows
        assert rows is not None
        for key, _, new in changes:
            if new is None:
                del rows[key]
            else:
                rows[key] = new
        self.touched += len(changes)
        return changes

    def undo(self) -> None:
        assert self.rows is not None
        undo_changes(self.rows, self._changes)
        self._changes = EMPTY

    def hydrate(self) -> None:
        self.rows = self._split.rows_of(self)


class _Woken:
    """Wakes the branches that have been told something."""

    __slots__ = ("nodes",)

    def __init__(self) -> None:
        self.nodes: Iterable[Node] = ()

    def readers(self, delta: Delta) -> Iterable[Node]:
        """Return these branches."""
        return self.nodes
