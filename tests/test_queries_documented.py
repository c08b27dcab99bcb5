"""docs/queries.md names every clause, and what it says to write in place of other languages exists."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

import dataflow
from dataflow.live.live import LiveQuery
from dataflow.query.aggregates import AggregateExpr
from dataflow.query.builder import Query
from dataflow.query.clauses import _REFUSED_AFTER
from dataflow.query.windows import WindowFunction
from tests.test_docs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = (ROOT / "docs" / "queries.md").read_text("utf-8")
TABLES = DOCUMENT[DOCUMENT.index("## Coming from elsewhere") :]
ROW = re.compile(r"^\| (?P<there>`.*?) (?<!\\)\| (?P<here>.*) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
METHODS = {
    name for owner in (Query, AggregateExpr, WindowFunction, LiveQuery) for name in dir(owner)
}
THEIR_FUNCTIONS = (
    "eq gt gte lt lte inArray like ilike isNull isUndefined and or not upper lower length concat "
    "add subtract multiply divide coalesce caseWhen count sum avg min max"
)
THEIR_CLAUSES = (
    "from unionAll join leftJoin rightJoin innerJoin fullJoin where having select $selected groupBy "
    "distinct orderBy stringSort limit offset findOne fn.select fn.where fn.having toArray materialize "
    "createLiveQueryCollection queryOnce getKey subscribeChanges $key"
)


def calls(code: str) -> Iterator[str]:
    """Yield the names called in a piece of code; `.` in front of a method stands for the query."""
    text = code.replace("...", "x").replace("\\|", "|").replace(")x.", ").")
    try:
        tree = ast.parse(f"q{text}" if text.startswith(".") else text, mode="exec")
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}"


def test_every_clause_is_shown() -> None:
    assert [name for name in _REFUSED_AFTER if f".{name}(" not in DOCUMENT] == []


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row["there"]) for row in ROW.finditer(TABLES)]
)
def test_what_a_table_says_to_write_exists(row: re.Match[str]) -> None:
    named = [name for code in CODE.findall(row["here"]) for name in calls(code)]
    known = METHODS | set(dataflow.__all__) | {f".{method}" for method in METHODS}
    assert [name for name in named if name not in known] == []


def test_the_tables_have_every_clause_and_function_of_the_builder_they_translate() -> None:
    table = TABLES[: TABLES.index("### SQL")]
    theirs = " ".join(CODE.findall(" ".join(row["there"] for row in ROW.finditer(table))))
    names = (*THEIR_FUNCTIONS.split(), *THEIR_CLAUSES.split())
    assert [n for n in names if not re.search(rf"(?<![\w$.]){re.escape(n)}(?!\w)", theirs)] == []
