"""Incremental equi-join: inner and left.

Law         integrate(join(dL, dR)) == reference_join(integrate(dL), integrate(dR)) after every epoch
Delta rule  each changed left row: its matches as they were go, its matches as they are come, both at once; then each changed right
            row, against the left rows of now that have not changed themselves. So no key is met twice
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

from contextlib import contextmanager
from itertools import compress
from typing import TYPE_CHECKING, Any

from dataflow.arrangement import NO_ROWS
from dataflow.circuit.node import Delta, Node, Pairs
from dataflow.frozen import frozen
from dataflow.query.compiler.factory import Source, factory
from dataflow.query.compiler.runtime import in_columns, in_parts
from dataflow.query.compiler.through import Through

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dataflow.query.compiler.index import Index
    from dataflow.query.compiler.reads import Unchanged
    from dataflow.query.compiler.runtime import Columns


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
        inside: whether it runs inside its reader, so that it will be no node of the graph.

    Attributes:
        inside: whether it runs inside its reader.
        right: the right side.
    """

    __slots__ = (
        "_below",
        "_changes",
        "_left",
        "_left_index",
        "_right_index",
        "_scan",
        "_shape",
        "inside",
        "right",
    )

    def __init__(
        self,
        left: Node,
        right: Node,
        shape: JoinShape,
        left_index: Index | Through,
        right_index: Index | None,
        same: tuple[Unchanged | None, Unchanged | None] = (None, None),
        *,
        inside: bool = False,
    ) -> None:
        below = left if isinstance(left, Join) and left.inside else None
        reads = [*(below.inputs if below else (left,)), right]
        reads += left_index.inputs if isinstance(left_index, Through) else (left_index,)
        reads += () if right_index is None else (right_index,)
        label = "left join" if shape.outer else "join"
        super().__init__(tuple(reads), label=f"{below.label}, {label}" if below else label)
        self.inside: bool = inside
        self._below = below
        self._left = left
        self.right: Node = right
        self._shape = shape
        self._left_index = left_index
        self._right_index = right_index
        made = factory(("join", shape), lambda: _write(shape), label="join")
        self.source = f"{below.source}\n{made.source}" if below else made.source
        self._changes, self._scan = made.make(left_index.arrangement.key_of, *same)

    def step(self) -> Delta:
        return [*self.changes(self)]

    def changes(self, reader: Node) -> Iterable[tuple[Any, Any, Any]]:
        """Return this epoch's net delta, each change made when it is asked for.

        Args:
            reader: the node that is charged with the rows touched.
        """
        left, delta, now = self._left_index, self._delta(), self._right_now()
        was = self._right_past() if delta else now
        reader.touched += len(self.right.out)
        moves = left.moved(reader)
        changes: Iterable[tuple[Any, Any, Any]] = self._changes(
            reader, moves, was, now, delta, left.arrangement.buckets, self._turned()
        )
        return changes

    def _delta(self) -> Any:
        """Return what changed on the right side: moves, or changes where its own rows serve."""
        index = self._right_index
        if index is None:
            return self.right.out
        return index.moves if index.out else ()

    def _right_now(self) -> Any:
        return (
            self.right.rows if self._right_index is None else self._right_index.arrangement.buckets
        )

    def _right_past(self) -> Any:
        if self._right_index is not None:
            return self._right_index.past()
        rows = self.right.rows
        assert rows is not None
        return PastRows(rows, self.right.out)

    def _turned(self) -> Iterable[tuple[Any, bool]]:
        """Return the values whose right side became empty, or is so no more, each with whether it had rows."""
        index = self._right_index
        if index is None or not self._shape.outer or not index.out:
            return ()
        past, now = index.past(), index.arrangement.buckets
        counts = ((value, past.count(value) > 0) for value in past.changed)
        return [(value, had) for value, had in counts if had is not (value in now)]

    def pairs_of(self, key: Any, row: Any) -> Pairs:
        """Yield the pairs of a right row, as of this epoch, if the join is an inner one."""
        index, flat = self._right_index, self._shape.flat
        value = key if index is None else index.arrangement.key_of(row)
        for own, left in self._left_index.arrangement.buckets.get(value, NO_ROWS).items():
            yield ((*own, key), (*left, row)) if flat else ((own, key), (left, row))

    def is_to_the_smaller(self) -> bool:
        """Tell whether the left side has more rows to begin with, and no row has to stay without a match."""
        right = self.right.rows
        if self._shape.outer or not right:
            return False
        return len(right) <= self._left_index.arrangement.rows()

    def scan(self) -> Pairs:
        pairs: Pairs = self._scan(self._left.scan(), self._right_now())
        return pairs

    def columns(self) -> Iterator[Columns]:
        """Yield all rows without their keys, many at a time.

        Each left row has at most one match where the right side is known by the join key. Elsewhere it may have any number, and
        the pairs are made one by one, so that not all of those need be there at once.
        """
        if not self._shape.primary:
            yield from in_columns(self.scan(), joined=True)
            return
        match_of, keys_of = self._right_now().get, self._left_index.keys_of
        for left, columns in self._left_columns():
            matches = [*map(match_of, keys_of(left))]
            if self._shape.outer:
                yield [*columns, matches]
            else:
                kept = [match is not None for match in matches]
                yield [[*compress(rows, kept)] for rows in (*columns, matches)]

    def _left_columns(self) -> Iterator[tuple[Sequence[Any], Columns]]:
        """Yield the left side's rows, many at a time: those that have the join key, and all of them as columns."""
        if self._below is not None:
            for columns in self._below.columns():
                yield columns[-1], columns
        else:
            for rows in in_parts(self._left.scan()):
                yield rows, [*zip(*rows, strict=True)] if self._shape.flat else [rows]

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


def _write(shape: JoinShape) -> str:
    source = Source()
    with source.block("def make(left_key, same_left, same_right):"):
        with source.block("def changes(reader, moves, was, now, delta, left, turned):"):
            source.line("moved = set()")
            _write_left(source, shape)
            _write_right(source, shape)
            if shape.outer and not shape.primary:
                _write_turned(source, shape)
        _write_scan(source, shape)
        source.line("return changes, scan")
    return str(source)


def _write_left(source: Source, shape: JoinShape) -> None:
    """Write the pass over the left rows that changed, each with its matches as they were and as they are."""
    nothing = "" if shape.primary else ", NO_ROWS"
    with source.block("for (key, old, new), before, after in moves:"):
        source.line(f"gone = was.get(before{nothing})")
        source.line(f"come = now.get(after{nothing})")
        if shape.reads_left:
            with source.block(
                "if gone is come and old is not None and new is not None and same_left(old, new):"
            ):
                source.line("continue")
        with source.block("if delta:"):
            source.line("moved.add(key)")
        if not shape.primary:
            source.line("reader.touched += len(gone) + len(come)")
        (_write_match if shape.primary else _write_matches)(source, shape)
        if shape.outer:
            none = "{} is None" if shape.primary else "not {}"
            source.line(f"was_alone = old is not None and {none.format('gone')}")
            source.line(f"is_alone = new is not None and {none.format('come')}")
            with source.block("if was_alone or is_alone:"):
                absent = shape.pair("key", "ABSENT")
                before = f"{shape.pair('old', 'None')} if was_alone else None"
                after = f"{shape.pair('new', 'None')} if is_alone else None"
                source.line(f"yield {absent}, {before}, {after}")


def _write_match(source: Source, shape: JoinShape) -> None:
    """Write what becomes of the one match of a left row."""
    old, new = shape.pair("old", "gone"), shape.pair("new", "come")
    with source.block("if before is after or before == after:"):
        with source.block("if gone is None:"), source.block("if come is not None:"):
            source.line(f"yield {shape.pair('key', 'after')}, None, {new}")
        with source.block("else:"):
            now = f"None if come is None else {new}"
            source.line(f"yield {shape.pair('key', 'after')}, {old}, {now}")
    with source.block("else:"):
        with source.block("if gone is not None:"):
            source.line(f"yield {shape.pair('key', 'before')}, {old}, None")
        with source.block("if come is not None:"):
            source.line(f"yield {shape.pair('key', 'after')}, None, {new}")


def _write_matches(source: Source, shape: JoinShape) -> None:
    """Write what becomes of the matches of a left row, some of which may match it still."""
    key, old, new = shape.pair("key", "other"), shape.pair("old", "match"), shape.pair
    with source.block("if gone is come:"), source.block("for other, match in come.items():"):
        source.line(f"yield {key}, {old}, {new('new', 'match')}")
    with source.block("else:"):
        with source.block("for other, match in gone.items():"):
            source.line("then = come.get(other)")
            source.line(f"yield {key}, {old}, None if then is None else {new('new', 'then')}")
        with (
            source.block("for other, match in come.items():"),
            source.block("if other not in gone:"),
        ):
            source.line(f"yield {key}, None, {new('new', 'match')}")


def _write_right(source: Source, shape: JoinShape) -> None:
    """Write the pass over the right rows that changed."""
    key, old, new = shape.pair("key", "other"), shape.pair("row", "old"), shape.pair("row", "new")
    if shape.primary:
        with source.block("for other, old, new in delta:"):
            _skip_unread(source, shape)
            with _each_left(source, "other"):
                source.line(
                    f"yield {key}, None if old is None else {old}, None if new is None else {new}"
                )
                if shape.outer:
                    absent, alone = shape.pair("key", "ABSENT"), shape.pair("row", "None")
                    with source.block("if old is None:"):
                        source.line(f"yield {absent}, {alone}, None")
                    with source.block("elif new is None:"):
                        source.line(f"yield {absent}, None, {alone}")
        return
    with source.block("for (other, old, new), before, after in delta:"):
        with source.block("if before is after or before == after:"):
            _skip_unread(source, shape)
            with _each_left(source, "after"):
                source.line(f"yield {key}, {old}, {new}")
        with source.block("else:"):
            with _each_left(source, "before"):
                source.line(f"yield {key}, {old}, None")
            with _each_left(source, "after"):
                source.line(f"yield {key}, None, {new}")


def _write_turned(source: Source, shape: JoinShape) -> None:
    """Write the coming and going of unmatched left rows, of the values that got their first match or lost their last."""
    with source.block("for value, had in turned:"), _each_left(source, "value"):
        absent, row = shape.pair("key", "ABSENT"), shape.pair("row", "None")
        source.line(f"yield ({absent}, None, {row}) if had else ({absent}, {row}, None)")


def _skip_unread(source: Source, shape: JoinShape) -> None:
    """Write code that goes on to the next right row if this one is an update of nothing that is read."""
    if shape.reads_right:
        with source.block("if old is not None and new is not None and same_right(old, new):"):
            source.line("continue")


@contextmanager
def _each_left(source: Source, value: str) -> Iterator[None]:
    """Write a loop over the left rows of a join key that have not changed themselves."""
    source.line(f"rows = left.get({value}, NO_ROWS)")
    source.line("reader.touched += len(rows)")
    with source.block("for key, row in rows.items():"), source.block("if key not in moved:"):
        yield


def _write_scan(source: Source, shape: JoinShape) -> None:
    pair = shape.pair
    with source.block("def scan(pairs, right):"), source.block("for key, row in pairs:"):
        source.line("value = left_key(row)")
        if shape.primary:
            source.line("match = right.get(value)")
            with source.block("if match is not None:"):
                source.line(f"yield {pair('key', 'value')}, {pair('row', 'match')}")
        else:
            source.line("matches = right.get(value, NO_ROWS)")
            with source.block("for other, match in matches.items():"):
                source.line(f"yield {pair('key', 'other')}, {pair('row', 'match')}")
        if shape.outer:
            with source.block("else:" if shape.primary else "if not matches:"):
                source.line(f"yield {pair('key', 'ABSENT')}, {pair('row', 'None')}")
