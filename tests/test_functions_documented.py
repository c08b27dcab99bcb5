"""docs/functions.md names every function, and its examples have the values beside them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dataflow.query import aggregates, functions
from dataflow.query.expr import Expr
from tests.test_docs import ROOT, blocks

DOCUMENT = (ROOT / "docs" / "functions.md").read_text("utf-8")
ROW = re.compile(
    r"^\| `(?P<name>\w+)` \| (?P<what>[^|]+) \| (?:`(?P<example>.+)` \| `(?P<value>.+)`)?[ |]*\|$",
    re.MULTILINE,
)
SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ENTRIES = [
    (section["title"], row)
    for section in SECTION.finditer(DOCUMENT)
    for row in ROW.finditer(section["text"])
]
WITHOUT_EXAMPLE = {"asc", "desc", "selected", "facts"}
METHODS = {name for name in vars(Expr) if not name.startswith("_")}
FUNCTIONS = {*functions.__all__, *aggregates.__all__} - {"AggregateExpr", "OrderBy"}


@pytest.fixture(scope="module")
def namespace() -> dict[str, Any]:
    """The names the examples use: what the Python blocks of the document define."""
    names: dict[str, Any] = {}
    for block in blocks(DOCUMENT):
        if block.is_executed:
            exec(block.text, names)
    return names


def test_every_row_of_a_table_is_read() -> None:
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]
    assert len(ENTRIES) == len(lines)


def test_every_function_and_method_is_in_a_table() -> None:
    named = [(title == "Methods of an expression", row["name"]) for title, row in ENTRIES]
    assert len(set(named)) == len(named)
    assert {name for is_method, name in named if is_method} == METHODS
    assert {name for is_method, name in named if not is_method} == FUNCTIONS
    assert {row["name"] for _, row in ENTRIES if row["example"] is None} == WITHOUT_EXAMPLE


@pytest.mark.parametrize(
    ("title", "row"),
    [pytest.param(title, row, id=row["example"]) for title, row in ENTRIES if row["example"]],
)
def test_an_example_has_the_value_beside_it(
    title: str, row: re.Match[str], namespace: dict[str, Any]
) -> None:
    compute = namespace["of_all" if title == "Aggregates" else "of_first"]
    assert row["name"] in row["example"]
    found = compute(eval(row["example"], namespace))
    expected = eval(row["value"], namespace)
    assert (type(found), found) == (type(expected), expected)
