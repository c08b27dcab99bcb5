"""Incremental equi-join: inner and left.

Law         integrate(join(dL, dR)) == reference_join(integrate(dL), integrate(dR)) after every epoch
Delta rule  first dL against R as it was, then dR against L as it is now; the two nets are composed per key
State       none of its own: an arrangement of each side, shared with every join on the same key; where the right side is joined on
            the key under which its rows are known, its rows themselves serve as the index
Cost        O(matches of changed rows) per epoch
            an update that leaves what is read of a row as it is costs one comparison, however many matches the row has
Edges       null keys never match; a left row without match has the pair (row, None) under (key, ABSENT), which comes and goes with
            the first and last match, decided once per epoch; a changed match is a delete and an insert, as the key names both rows
Source      Budiu et al., DBSP, VLDB 2023 (bilinear operators)

Rows are flat tuples, one row per alias; keys are flat tuples, one part per alias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.arrangement import NO_ROWS
from dataflow.circuit.node import Delta, Node, Pairs
from dataflow.frozen import frozen
from dataflow.query.compiler.factory import Source, factory
from dataflow.values.null import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataflow.query.compiler.index import Index
    from dataflow.query.compiler.reads import Unchanged


@frozen
class JoinShape:
    """What the generated code of a join depends on.

    Attributes:
        outer: whether left rows without match are kept.
        primary: whether the right side is looked up by its own row key.
        flat: whether the left row and key are tuples already, to be extended.
        reads_left, reads_right: whether only some columns of that side are read.
    """

    outer: bool
    primary: bool
    flat: bool
    reads_left: bool = False
    reads_right: bool = False

    def pair(self, left: str, right: str) -> str:
        """Return source for the joined row, or key, of two sides."""
        return f"(*{left}, {right})" if self.flat else f"({left}, {right})"


class Join(Node):
    """Equi-join of two nodes.

    Args:
        left, right: the inputs.
        left_index: arrangement of the left side by the join key.
        right_index: arrangement of the right side, or None when its own rows serve.
        same: for each side what tells that an update concerns nothing that is read; None where the shape reads all.
    """

    __slots__ = (
        "_from_left",
        "_from_right",
        "_left_index",
        "_right_index",
        "_scan",
        "_shape",
    )

    def __init__(
        self,
        left: Node,
        right: Node,
        shape: JoinShape,
        left_index: Index,
        right_index: Index | None,
        same: tuple[Unchanged | None, Unchanged | None] = (None, None),
    ) -> None:
        indexes = (left_index,) if right_index is None else (left_index, right_index)
        super().__init__((left, right, *indexes), label="left join" if shape.outer else "join")
        self._shape = shape
        self._left_index = left_index
        self._right_index = right_index
        made = factory(("join", shape), lambda: _write(shape), label="join")
        self.source = made.source
        self._from_left, self._from_right, self._scan = made.make(
            left_index.arrangement.key_of, *same
        )

    def step(self) -> Delta:
        left = self._left_index.out
        right = self.inputs[1].out if self._right_index is None else self._right_index.out
        changes: Delta = []
        if not right:
            self._from_left(left, self._right_now(), changes)
        elif not left:
            changes = self._apply_right(right)
        else:
            self._from_left(left, self._right_past(), changes)
            changes = compose(changes, self._apply_right(right))
        self.touched += len(left) + len(right) + len(changes)
        return changes

    def _apply_right(self, delta: Any) -> Delta:
        changes: Delta = []
        left = self._left_index.arrangement.buckets
        self._from_right(delta, left, changes)
        if self._shape.outer and self._right_index is not None:
            self._transitions(self._right_index, left, changes)
        return changes

    def _transitions(self, index: Index, left: Mapping[Any, Any], changes: Delta) -> None:
        """Add the coming and going of unmatched left rows: keys whose right side became empty, or is so no more."""
        past = index.past()
        for value in past.changed:
            had, has = past.count(value) > 0, value in index.arrangement.buckets
            if had != has:
                for key, row in left.get(value, NO_ROWS).items():
                    unmatched = (*row, None) if self._shape.flat else (row, None)
                    self._unmatched(changes, key, unmatched, appears=had)

    def _unmatched(self, changes: Delta, key: Any, row: Any, *, appears: bool) -> None:
        absent = (*key, ABSENT) if self._shape.flat else (key, ABSENT)
        changes.append((absent, None, row) if appears else (absent, row, None))

    def _right_now(self) -> Any:
        return (
            self.inputs[1].rows
            if self._right_index is None
            else self._right_index.arrangement.buckets
        )

    def _right_past(self) -> Any:
        if self._right_index is not None:
            return self._right_index.past()
        rows = self.inputs[1].rows
        assert rows is not None
        return PastRows(rows, self.inputs[1].out)

    def pairs_of(self, key: Any, row: Any) -> Pairs:
        """Yield the pairs of a right row, as of this epoch, if the join is an inner one."""
        index, flat = self._right_index, self._shape.flat
        value = key if index is None else index.arrangement.key_of(row)
        for own, left in self._left_index.arrangement.buckets.get(value, NO_ROWS).items():
            yield ((*own, key), (*left, row)) if flat else ((own, key), (left, row))

    def is_to_the_smaller(self) -> bool:
        """Tell whether the left side has more rows to begin with, and no row has to stay without a match."""
        right = self.inputs[1].rows
        if self._shape.outer or not right:
            return False
        return len(right) <= self._left_index.arrangement.rows()

    def scan(self) -> Pairs:
        pairs: Pairs = self._scan(self.inputs[0].scan(), self._right_now())
        return pairs

    def hydrate(self) -> None:
        """Do nothing: the state is in the arrangements."""


class PastRows:
    """Rows as they were before a delta that has been applied to them."""

    __slots__ = ("_old", "_rows")

    def __init__(self, rows: Mapping[Any, Any], delta: Delta) -> None:
        self._rows = rows
        self._old = {key: old for key, old, _ in delta}

    def get(self, key: Any) -> Any:
        """Return the row that was under a key, or None."""
        return self._old[key] if key in self._old else self._rows.get(key)


def compose(first: Delta, second: Delta) -> Delta:
    """Return the net of two deltas applied one after the other."""
    net = {change[0]: change for change in first}  # kept as they are: most keys are in one delta
    for change in second:
        key = change[0]
        earlier = net.get(key)
        net[key] = change if earlier is None else (key, earlier[1], change[2])
    return [change for change in net.values() if change[1] is not change[2]]


def _write(shape: JoinShape) -> str:
    source = Source()
    with source.block("def make(left_key, same_left, same_right):"):
        _write_from_left(source, shape)
        if shape.primary:
            _write_from_right_primary(source, shape)
        else:
            _write_from_right(source, shape)
        _write_scan(source, shape)
        source.line("return from_left, from_right, scan")
    return str(source)


def _write_from_left(source: Source, shape: JoinShape) -> None:
    pair = shape.pair
    change = "changes.append(({}, {}, {}))".format
    key = pair("key", "other")
    with (
        source.block("def from_left(moves, right, changes):"),
        source.block("for key, old, new, before, after in moves:"),
    ):
        if shape.outer:
            source.line("was_unmatched = now_unmatched = False")
        with source.block(
            "if (before is after or before == after) and old is not None and new is not None:"
        ):
            _skip_unread(source, "same_left", reads=shape.reads_left)
            _each_match(
                source, shape, "after", change(key, pair("old", "match"), pair("new", "match"))
            )
            _unmatched(source, shape, "was_unmatched = now_unmatched = True")
        with source.block("else:"):
            with source.block("if old is not None:"):
                _each_match(source, shape, "before", change(key, pair("old", "match"), "None"))
                _unmatched(source, shape, "was_unmatched = True")
            with source.block("if new is not None:"):
                _each_match(source, shape, "after", change(key, "None", pair("new", "match")))
                _unmatched(source, shape, "now_unmatched = True")
        if shape.outer:
            with source.block("if was_unmatched or now_unmatched:"):
                source.line(f"before = {pair('old', 'None')} if was_unmatched else None")
                source.line(f"after = {pair('new', 'None')} if now_unmatched else None")
                source.line(change(pair("key", "ABSENT"), "before", "after"))


def _skip_unread(source: Source, same: str, *, reads: bool) -> None:
    """Write code that goes on to the next change if this one is an update of nothing that is read."""
    if reads:
        with source.block(f"if {same}(old, new):"):
            source.line("continue")


def _each_match(source: Source, shape: JoinShape, value: str, line: str) -> None:
    """Write a line that runs for each right row matching a join key."""
    if shape.primary:
        source.line(f"match = right.get({value})")
        with source.block("if match is not None:"):
            source.line(line.replace("other", value))
    else:
        source.line(f"matches = right.get({value}, NO_ROWS)")
        with source.block("for other, match in matches.items():"):
            source.line(line)


def _unmatched(source: Source, shape: JoinShape, line: str) -> None:
    """Write a line that runs when the matches just looked up were none."""
    if shape.outer:
        with source.block("else:" if shape.primary else "if not matches:"):
            source.line(line)


def _write_from_right_primary(source: Source, shape: JoinShape) -> None:
    pair = shape.pair
    with (
        source.block("def from_right(delta, left, changes):"),
        source.block("for other, old, new in delta:"),
    ):
        if shape.reads_right:
            with source.block("if old is not None and new is not None:"):
                _skip_unread(source, "same_right", reads=True)
        with source.block("for key, row in left.get(other, NO_ROWS).items():"):
            source.line(f"before = None if old is None else {pair('row', 'old')}")
            source.line(f"after = None if new is None else {pair('row', 'new')}")
            source.line(f"changes.append(({pair('key', 'other')}, before, after))")
            if shape.outer:
                absent, unmatched = pair("key", "ABSENT"), pair("row", "None")
                with source.block("if old is None:"):
                    source.line(f"changes.append(({absent}, {unmatched}, None))")
                with source.block("elif new is None:"):
                    source.line(f"changes.append(({absent}, None, {unmatched}))")


def _write_from_right(source: Source, shape: JoinShape) -> None:
    pair = shape.pair
    with (
        source.block("def from_right(moves, left, changes):"),
        source.block("for other, old, new, before, after in moves:"),
    ):
        with source.block(
            "if (before is after or before == after) and old is not None and new is not None:"
        ):
            _skip_unread(source, "same_right", reads=shape.reads_right)
            with source.block("for key, row in left.get(after, NO_ROWS).items():"):
                source.line(
                    f"changes.append(({pair('key', 'other')}, {pair('row', 'old')}, {pair('row', 'new')}))"
                )
            source.line("continue")
        with (
            source.block("if old is not None:"),
            source.block("for key, row in left.get(before, NO_ROWS).items():"),
        ):
            source.line(f"changes.append(({pair('key', 'other')}, {pair('row', 'old')}, None))")
        with (
            source.block("if new is not None:"),
            source.block("for key, row in left.get(after, NO_ROWS).items():"),
        ):
            source.line(f"changes.append(({pair('key', 'other')}, None, {pair('row', 'new')}))")


def _write_scan(source: Source, shape: JoinShape) -> None:
    pair = shape.pair
    with source.block("def scan(pairs, right):"), source.block("for key, row in pairs:"):
        source.line("value = left_key(row)")
        _each_match(source, shape, "value", f"yield {pair('key', 'other')}, {pair('row', 'match')}")
        _unmatched(source, shape, f"yield {pair('key', 'ABSENT')}, {pair('row', 'None')}")
