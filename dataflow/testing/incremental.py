"""Incremental equals from scratch: a random history, compared after every epoch.

Law     after every epoch a live result is what the query gives when it is run anew: rows, keys and order, and so is the
        fold of its changes
Method  start from what the collections hold; insert, update, delete and re-insert at random, several at a time, over
        several collections in one batch; at last empty every collection, and fill it with all rows given
Source  the idea of law 2 of ARCHITECTURE.md, for users' own queries: here the engine is its own oracle, which finds
        functions that are not pure and engine bugs in what is incremental
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from dataflow.circuit.graph import current_graph
from dataflow.collection.batch import batch
from dataflow.errors import CollectionError
from dataflow.live.children import has_children
from dataflow.live.live import ChildQuery, LiveQuery, live, tree_of
from dataflow.values.equality import equal
from dataflow.values.normal import expose, normal
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from dataflow.collection.changes import Change
    from dataflow.collection.collection import Collection
    from dataflow.query.builder import Query
    from dataflow.query.source import Source

R = TypeVar("R")

SIZES = (1, 1, 1, 1, 2, 3, 5, 8)  # writes per commit
SHOWN = 5  # differing keys in a message


def assert_incremental(
    query: Query[R] | Source[R],
    *sources: tuple[Collection[Any], Iterable[Any]],
    steps: int = 100,
    seed: int = 0,
) -> None:
    """Check that a query stays right under random changes of its sources.

    Args:
        query: the query under test. Its functions must be pure.
        sources: each collection to write to, with rows to write. Updates mix fields of these rows.
        steps: how many commits to make.
        seed: of the history; the same seed makes the same history.

    Raises:
        AssertionError: the live result differs from `run(query)`, or its changes do not add up to it, or a function of the
            query raised. Names the seed, the step, the last commit and the difference.
    """
    histories = [_History(collection, list(rows)) for collection, rows in sources]
    if not histories or not all(history.pool for history in histories):
        raise CollectionError("assert_incremental needs rows to write: (collection, rows), …")
    random_ = random.Random(seed)
    with _restored(histories), live(query, name="query under test") as result:
        folded = _Folded(result)
        _check(query, result, folded, f"before the first step (seed={seed})", [])
        for step in range(steps):
            writes = [random_.choice(histories).next(random_) for _ in range(random_.choice(SIZES))]
            _commit(writes)
            _check(query, result, folded, f"at step {step} (seed={seed})", writes)
        for name, writes in (
            ("emptying the collections", [w for h in histories for w in h.empty()]),
            ("filling the collections", [w for h in histories for w in h.fill()]),
        ):
            _commit(writes)
            _check(query, result, folded, f"after {name} (seed={seed})", writes)


class Write(NamedTuple):
    """One write of a history: a row to upsert, or None to delete the key."""

    op: Literal["insert", "update", "delete"]
    history: _History
    key: Any
    row: Any

    def __str__(self) -> str:
        what = expose(self.key) if self.row is None else self.row
        return f"{self.op} {self.history.collection.name} {what!r}"


class _History:
    """Random writes to one collection.

    Attributes:
        pool: the rows that may be written, by key in normal form.
        present: what the collection will hold after the writes drawn so far.
    """

    def __init__(self, collection: Collection[Any], rows: list[Any]) -> None:
        self.collection = collection
        self.found: list[Any] = collection.rows()
        self.pool: dict[Any, list[Any]] = {}
        for row in [*rows, *self.found]:
            self.pool.setdefault(collection.key_of(row), []).append(row)
        self.present: dict[Any, Any] = {collection.key_of(row): row for row in self.found}

    def next(self, random_: random.Random) -> Write:
        """Draw a write."""
        absent = [key for key in self.pool if key not in self.present]
        if absent and (not self.present or random_.random() < 0.4):
            key = random_.choice(absent)
            return self._put("insert", key, random_.choice(self.pool[key]))
        key = random_.choice(list(self.present))
        if random_.random() < 0.4:
            del self.present[key]
            return Write("delete", self, key, None)
        return self._put("update", key, self._changed(self.present[key], key, random_))

    def empty(self) -> list[Write]:
        """Return the writes that delete everything."""
        keys = list(self.present)
        self.present.clear()
        return [Write("delete", self, key, None) for key in keys]

    def fill(self) -> list[Write]:
        """Return the writes that insert a row of every key."""
        return [self._put("insert", key, rows[0]) for key, rows in self.pool.items()]

    def _put(self, op: Literal["insert", "update"], key: Any, row: Any) -> Write:
        self.present[key] = row
        return Write(op, self, key, row)

    def _changed(self, row: Any, key: Any, random_: random.Random) -> Any:
        """Return a row of the same key, some of its fields taken from another row."""
        adapter = adapter_for_row(row)
        donor = random_.choice(self.pool[random_.choice(list(self.pool))])
        fields = list(adapter_for_row(donor).as_dict(donor).items())
        for name, value in random_.sample(fields, min(len(fields), random_.randint(1, 3))):
            changed = adapter.replace(row, {name: value})
            if self.collection.key_of(changed) == key:
                row = changed
        # a new object even if nothing changed: an update that is none
        return adapter.replace(row, {})


def _commit(writes: list[Write]) -> None:
    """Make writes one epoch."""
    with batch():
        for write in writes:
            with write.history.collection.sync() as writer:
                if write.row is None:
                    writer.delete(write.key)
                else:
                    writer.upsert(write.row)


@contextmanager
def _restored(histories: list[_History]) -> Generator[None]:
    """Leave the collections with the rows they have now, in the order they have now."""
    try:
        yield
    finally:
        for history in histories:
            with history.collection.sync() as writer:
                writer.truncate()
            with history.collection.sync() as writer:
                for row in history.found:
                    writer.insert(row)


class _Folded:
    """The rows of a result, put together from its changes alone."""

    def __init__(self, result: LiveQuery[Any]) -> None:
        self.rows: dict[Any, Any] = {}
        self.problem: str | None = None
        result.subscribe(self._fold, initial=True)

    def _fold(self, changes: list[Change[Any]]) -> None:
        for change in changes:
            key = normal(change.key)
            before = self.rows.pop(key, None)
            if change.op != "delete":
                self.rows[key] = change.value
            if before is not change.old and not equal(before, change.old):
                self.problem = f"{change} does not fit the row before it, {before!r}"


def _check(
    query: Query[Any] | Source[Any],
    result: LiveQuery[Any],
    folded: _Folded,
    when: str,
    writes: list[Write],
) -> None:
    if result.status == "loading":
        raise CollectionError("a source of the query is still loading: mark it ready first")
    if result.error is not None:
        raise AssertionError(_message("the query failed", when, writes)) from result.error
    with current_graph().isolated(), live(query, name="run anew") as anew:
        expected = _seen(query, anew)
        ordered = anew.last_node is not None and anew.last_node.ordered_keys() is not None
        order = list(map(normal, anew))
    actual = _seen(query, result)
    folds = _seen(query, folded.rows)
    for name, rows in (("live result", actual), ("fold of its changes", folds)):
        if difference := _difference(expected, rows):
            what = f"the {name} differs from run(query)"
            raise AssertionError(_message(what, when, writes, difference))
    if ordered and list(actual) != order:
        keys = [f"expected keys {order}", f"but got      {list(actual)}"]
        raise AssertionError(_message("the order differs from run(query)", when, writes, keys))
    if folded.problem is not None:
        what = "the changes do not follow from each other"
        raise AssertionError(_message(what, when, writes, [folded.problem]))


def _seen(query: Query[Any] | Source[Any], rows: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return rows by key in normal form, lists of rows in place of child collections."""
    if not has_children(tree_of(query)[0]):
        return {normal(key): row for key, row in rows.items()}
    return {normal(key): _with_lists(row) for key, row in rows.items()}


def _with_lists(row: Any) -> Any:
    adapter = adapter_for_row(row)
    return adapter.replace(row, {k: _listed(v) for k, v in adapter.as_dict(row).items()})


def _listed(value: Any) -> Any:
    if isinstance(value, ChildQuery):
        return [_with_lists(row) for row in value.rows()]
    if isinstance(value, list):
        return [_listed(item) for item in value]
    return {k: _listed(v) for k, v in value.items()} if isinstance(value, dict) else value


def _difference(expected: dict[Any, Any], actual: dict[Any, Any]) -> list[str]:
    lines = [
        f"{expose(key)!r}: expected {expected.get(key, '(no row)')!r}, got {actual.get(key, '(no row)')!r}"
        for key in {**expected, **actual}
        if key not in expected or key not in actual or not equal(expected[key], actual[key])
    ]
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], f"and {more} more"] if more > 0 else lines


def _message(what: str, when: str, writes: list[Write], difference: Iterable[str] = ()) -> str:
    lines = [f"{what} {when}", "last commit:", *(f"  {write}" for write in writes)]
    shown = [f"  {line}" for line in difference]
    return "\n".join([*lines, "difference:", *shown] if shown else lines)
