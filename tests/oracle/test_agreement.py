"""The two oracles agree on random queries, and SQLite can take a good part of them.

They share no code but the tree they walk, and only one of them was written here: a slip in the
reference evaluator would otherwise become the law.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from dataflow.query import ir, scalar
from dataflow.query.alias import Alias
from tests.oracle import sqlite
from tests.oracle.reference import TooLargeError, evaluate, is_ordered
from tests.oracle.semantics import by_total_order, same
from tests.oracle.sqlite_scalars import NotExpressibleError, Parameters, Scope, sql_of
from tests.programs import bind
from tests.strategies import cases, random_case

if TYPE_CHECKING:
    from tests.cases import Case
    from tests.oracle.reference import Tables

Entries = list[tuple[Any, Any]]


@dataclass(eq=False)
class Still:
    """A source that only has a name and rows."""

    name: str
    entries: Entries
    row_type: Any = None
    key_field: str | None = None

    def alias(self, name: str) -> Alias[Any]:
        return Alias(ir.Scan(ir.SourceRef(self), name))


def answers(case: Case) -> list[tuple[ir.Node, Tables, Entries]]:
    """Evaluate every view of a case over its initial rows; live ones by themselves."""
    sources = {
        name: Still(name, [(row["id"], row) for row in rows]) for name, rows in case.initial.items()
    }
    tables: dict[ir.SourceRef, Entries] = {
        ir.SourceRef(source): source.entries for source in sources.values()
    }
    found: list[tuple[ir.Node, Tables, Entries]] = []

    def still(query: Any, key: Any = None) -> Still:
        node = query._plan()
        if key is not None:
            names = (key,) if isinstance(key, str) else key
            node = ir.Rekey(node, names, single=not isinstance(key, tuple))
        result = Still("view", evaluate(node, tables))
        tables[ir.SourceRef(result)] = result.entries
        found.append((node, dict(tables), result.entries))
        return result

    for bound in bind(case.views, sources, still).values():
        if not isinstance(bound, Still):
            still(bound)
    return found


def sorted_by_key(entries: Entries) -> Entries:
    return sorted(entries, key=lambda entry: by_total_order(entry[0]))


def compared(case: Case) -> int:
    """Compare the oracles on every view that both can take; return how many those are."""
    count = 0
    try:
        answered = answers(case)
    except TooLargeError:
        return 0
    for node, tables, ours in answered:
        try:
            theirs = sqlite.evaluate(node, tables)
        except sqlite.NotExpressibleError:
            continue
        if not is_ordered(node):
            ours, theirs = sorted_by_key(ours), sorted_by_key(theirs)
        assert same(ours, theirs), f"reference {ours}\nSQLite {theirs}\n{case}"
        count += 1
    return count


@given(cases(commits=1, views=4))
def test_oracles_agree(case: Case) -> None:
    compared(case)


def test_sqlite_takes_a_good_part_of_the_queries() -> None:
    some = [random_case(random.Random(seed), commits=1, views=4) for seed in range(60)]
    total = sum(len(case.views) for case in some)
    assert sum(map(compared, some)) > total // 8


def test_sqlite_is_not_asked_about_nan_which_it_would_take_for_null() -> None:
    with pytest.raises(NotExpressibleError, match="a constant that SQL does not know"):
        sql_of(scalar.Const(math.nan), Scope(), Parameters())
