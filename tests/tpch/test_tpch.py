"""The 22 queries of TPC-H are kept up to date by the engine, and DuckDB agrees after every epoch.

All queries are live at once, over one set of tables. They are of scale 0.01, made by the generator of
the `tpchgen-cli` package; smaller scales repeat keys of partsupp. The quick run loads half of the
60,000 lines. The history is told once and judged query by query.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from dataflow import Change, Collection, batch, live
from tests.tpch.questions import QUERIES
from tests.tpch.tables import KEYS, Tables, collections
from tests.tpch.updates import Updates, Write

pytest.importorskip("duckdb")
from tests.tpch.oracle import Oracle, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow import Query

SCALE: Final = "0.01"
GENERATOR: Final = Path(sys.executable).with_name("tpchgen-cli")

NEWS: Final = {
    "q1": 16, "q2": 7, "q3": 6, "q4": 14, "q5": 13, "q6": 15, "q7": 14, "q8": 5, "q9": 30, "q10": 7, "q11": 10,
    "q12": 9, "q13": 15, "q14": 13, "q15": 5, "q16": 9, "q17": 5, "q18": 6, "q19": 2, "q20": 1, "q21": 6, "q22": 5,
}  # fmt: skip
"""Query -> how many of the 36 epochs of the quick run change its answer."""


class Followed:
    """A live query, what its changes add up to, and how it compared with the oracle.

    Attributes:
        news: Number of epochs that changed the answer.
        faults: What was wrong, and after which epoch.
    """

    def __init__(self, function: Callable[[Tables], Query[dict[str, Any]]], tables: Tables) -> None:
        self._question = Question.of(function)
        self._live = live(function(tables))
        self._folded: dict[Any, dict[str, Any]] = dict(self._live)
        self._rows = self._live.rows()
        self.subscription = self._live.subscribe(self._fold)
        self.news = 0
        self.faults: list[str] = []

    def compare(self, oracle: Oracle, epoch: int) -> None:
        """Judge the present answer."""
        rows, full = self._live.rows(), oracle.answer(self._question)
        self.news += rows != self._rows
        self._rows = rows
        if self._live.error is not None:
            self.faults.append(f"epoch {epoch}: {self._live.error!r}")
        if not self._question.accepts(rows, full):
            self.faults.append(f"epoch {epoch}: {rows} is not {full}")
        if self._folded != dict(self._live):
            self.faults.append(f"epoch {epoch}: changes add up to {self._folded}, not {rows}")

    def _fold(self, changes: list[Change[dict[str, Any]]]) -> None:
        for change in changes:
            if change.op == "delete":
                del self._folded[change.key]
            else:
                self._folded[change.key] = change.value


def follow(files: Path, *, share: int, rounds: int, seed: int) -> dict[str, Followed]:
    """Load the tables, keep all queries live, and compare after every epoch of a history."""
    oracle = Oracle(files, share)
    contents = {table: oracle.rows(table) for table in KEYS}
    written = collections()
    for table, collection in written.items():
        with collection.sync() as write:
            for row in contents[table]:
                write.insert(row)
    updates = Updates(contents, seed)
    _apply(updates.hold_back(), written, oracle)
    followed = {function.__name__: Followed(function, Tables(**written)) for function in QUERIES}
    for one in followed.values():
        one.compare(oracle, 0)
    for epoch, writes in enumerate(updates.steps(rounds), start=1):
        _apply(writes, written, oracle)
        for one in followed.values():
            one.compare(oracle, epoch)
    for one in followed.values():
        one.subscription.close()
    return followed


def _apply(writes: list[Write], written: dict[str, Collection[Any]], oracle: Oracle) -> None:
    """Make one epoch of all writes, and tell the oracle."""
    with batch():
        for table, key, row in writes:
            with written[table].sync() as write:
                if row is None:
                    write.delete(key)
                else:
                    write.upsert(row)
    oracle.write(writes)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not GENERATOR.exists():
        pytest.skip("needs tpchgen-cli")
    folder = tmp_path_factory.mktemp("tpch")
    command = [str(GENERATOR), "parquet", "--scale-factor", SCALE, "--quiet"]
    subprocess.run([*command, "--output-dir", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def history(files: Path) -> dict[str, Followed]:
    return follow(files, share=2, rounds=4, seed=1)


@pytest.mark.parametrize("name", NEWS)
def test_query_follows_its_tables(history: dict[str, Followed], name: str) -> None:
    followed = history[name]
    assert followed.faults == []
    assert followed.news == NEWS[name]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 6))
def test_queries_follow_long_histories(files: Path, seed: int) -> None:
    history = follow(files, share=1, rounds=20, seed=seed)
    assert {name: one.faults for name, one in history.items() if one.faults} == {}
    assert {name for name, one in history.items() if not one.news} == set()
