"""Queries that mean nothing, or not what they seem to, are refused while they are written.

The tables in `refused` list every such construct with what is said about it. Each place in the code
that refuses something has a row: the last test finds those places and watches which of them speak.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dataflow.errors import QueryError
from dataflow.query.clauses import _REFUSED_AFTER
from tests.dataflow.query.refused import (
    arguments,
    comparisons,
    conditions,
    functions,
    joins,
    names,
    nests,
    places,
    recursions,
    rows,
    sets,
    windows,
)
from tests.test_docs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from tests.dataflow.query.refused.parts import Refused

TABLES = (
    arguments, comparisons, conditions, functions, joins, names, nests, places, recursions, rows,
    sets, windows,
)  # fmt: skip
REFUSED = [
    pytest.param(row, id=f"{table.__name__.rpartition('.')[2]}-{number}-{row.names}")
    for table in TABLES
    for number, row in enumerate(table.REFUSED)
]
CODE = ROOT / "dataflow" / "query"
ERRORS = {"refusal", "QueryError", "UnknownFieldError"}


def matches(text: str, expected: str) -> bool:
    return text.startswith(expected[:-3]) if expected.endswith("...") else text == expected


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("row", REFUSED)
def test_a_construct_that_means_nothing_is_refused(row: Refused) -> None:
    with pytest.raises(QueryError) as caught:
        row.build()
    assert type(caught.value) is row.error
    assert matches(str(caught.value), row.text), str(caught.value)
    assert row.names in str(caught.value)
    notes = caught.value.__notes__
    assert any(matches(note, row.hint) for note in notes), notes


def test_every_clause_is_refused_somewhere() -> None:
    named = {row.names for table in TABLES for row in table.REFUSED}
    assert set(_REFUSED_AFTER) - named == set()


def places_that_refuse() -> Iterator[tuple[str, range]]:
    """Yield file and lines of every call that makes an error, but those found while compiling."""
    for path in sorted(CODE.rglob("*.py")):
        if {"compiler", "optimizer"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ERRORS:
                assert node.end_lineno is not None
                yield str(path), range(node.lineno, node.end_lineno + 1)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_every_place_that_refuses_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[str, int]] = set()
    make = QueryError.__init__

    def watched(self: QueryError, *args: Any) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        make(self, *args)

    monkeypatch.setattr(QueryError, "__init__", watched)
    for table in TABLES:
        for row in table.REFUSED:
            with pytest.raises(QueryError):
                row.build()
    silent = [
        f"{Path(path).relative_to(ROOT)}:{lines.start}"
        for path, lines in places_that_refuse()
        if not any((path, line) in seen for line in lines)
    ]
    assert silent == []
