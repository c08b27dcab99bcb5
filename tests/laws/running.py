"""Run a case on the engine, with an oracle beside it.

A `Run` has the collections of a case and its live views; `commit` changes the collections as one
epoch, and in the same breath the models that the oracle reads. Nothing the oracle sees comes from
the engine but the tree of each query.
"""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.errors import QueryError
from dataflow.live.live import LiveQuery, live
from dataflow.query import ir
from tests.cases import Case, Commit, Model, Op, Thing
from tests.laws.shrinking import Failure
from tests.oracle.reference import TooLargeError, evaluate, is_ordered
from tests.oracle.semantics import by_total_order, same
from tests.programs import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Entries = list[tuple[Any, Any]]


class Refused(Exception):  # noqa: N818 - not an error of the engine
    """The engine refused a query of the case; the cause says why."""


@dataclass
class Watched:
    """A live view: the engine's result and the tree the oracle evaluates."""

    name: str
    result: LiveQuery[Any]
    tree: ir.Node


@dataclass
class Run:
    """A case under way.

    Attributes:
        collections: Name -> collection.
        models: Name -> what it should hold.
        watched: Live views in order, a view after those it reads.
    """

    case: Case
    collections: dict[str, Collection[Any]] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    watched: list[Watched] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, rows in self.case.initial.items():
            self.collections[name] = Collection(name, key="id")
            if self.case.has_objects:
                self.collections[name] = Collection(name, key="id", row=Thing)
            self.models[name] = Model(rows)
            self.write(name, [Op(name, "insert", row) for row in rows])

    def start_views(self) -> None:
        """Start every view; a subquery runs on its own as well.

        Raises:
            Refused: A query means nothing, or cannot run.
        """
        try:
            for name, bound in bind(self.case.views, self.collections, self._live).items():
                if not isinstance(bound, LiveQuery):
                    self._live(bound, view=name)
        except (QueryError, NameError, TypeError) as error:
            raise Refused from error

    def _live(self, query: Any, key: Any = None, view: str | None = None) -> LiveQuery[Any]:
        tree: ir.Node = query._plan()
        if key is not None:
            single = not isinstance(key, tuple)
            tree = ir.Rekey(tree, (key,) if isinstance(key, str) else key, single=single)
        result = live(query, key=key)
        self.watched.append(Watched(view or f"live view {len(self.watched)}", result, tree))
        return result

    def commit(self, commit: Commit) -> None:
        """Make the changes of a commit one epoch, in the engine and in the models."""
        for op in commit:
            self.models[op.collection].apply(op)
        names = {op.collection for op in commit}
        if len(names) == 1:
            self.write(names.pop(), commit)
            return
        with batch():
            for op in commit:
                self.write(op.collection, [op])

    def write(self, name: str, ops: Iterable[Op]) -> None:
        """Make changes of one collection as one commit; each row is a new object."""
        with self.collections[name].sync() as writer:
            for op in ops:
                is_row = op.verb != "delete"
                getattr(writer, op.verb)(self.case.row(op.value) if is_row else op.value)

    def tables(self) -> dict[ir.SourceRef, Entries]:
        """Return what each collection should hold, by its model."""
        return {
            ir.SourceRef(self.collections[name]): [
                (key, self.case.row(row)) for key, row in model.entries
            ]
            for name, model in self.models.items()
        }

    def expected(self) -> list[Entries]:
        """Return what each live view should hold, by the oracle, from the models alone."""
        tables = self.tables()
        results = []
        for view in self.watched:
            entries = evaluate(view.tree, tables)
            tables[ir.SourceRef(view.result)] = entries
            results.append(entries)
        return results


def start(tree: ir.Node, name: str = "variant") -> LiveQuery[Any]:
    """Run a tree as it is: no rule of the optimizer is applied to it."""
    return LiveQuery(tree, name=name, key=None, row_type=None)


def held(result: LiveQuery[Any] | Collection[Any]) -> Entries:
    """Return the (key, row) pairs a collection or live result shows."""
    return list(zip(result, result.rows(), strict=True))


def by_key(entries: Entries) -> Entries:
    """Sort pairs by key, where their order has no meaning."""
    return sorted(entries, key=lambda entry: by_total_order(entry[0]))


def difference(tree: ir.Node, expected: Entries, actual: Entries) -> str | None:
    """Say how a result differs from what it should be: in keys, rows, or their order."""
    if not is_ordered(tree):
        expected, actual = by_key(expected), by_key(actual)
    if same(expected, actual):
        return None
    return f"\n  expected {expected}\n  but got  {actual}"


@contextmanager
def closing(run: Run) -> Iterator[Run]:
    """End the views of a run, so that no case leaves nodes behind for the next."""
    try:
        yield run
    finally:
        for view in reversed(run.watched):
            view.result.close()


def attempt(case: Case, body: Callable[[Run], Failure | None]) -> Failure | None:
    """Run a case through a check; what the engine raises is a failure as well.

    A query that is refused is a failure of its own kind, so that shrinking, which may write
    nonsense, never takes a refusal for the failure it follows. A case that is too large for the
    oracle is let go.
    """
    try:
        with closing(Run(case)) as run:
            return body(run)
    except TooLargeError:
        return None
    except Refused as refused:
        return Failure(f"refused: {type(refused.__cause__).__name__}", str(refused.__cause__))
    except Exception as error:  # noqa: BLE001 - whatever the engine raises is what we look for
        return Failure(f"raised {type(error).__name__}", traceback.format_exc(limit=-6))
