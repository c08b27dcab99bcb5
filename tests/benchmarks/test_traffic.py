"""Traffic is repeatable and always possible: updates and deletes meet rows that are there."""

from collections.abc import Callable

import pytest

from benchmarks.lines import Lines
from benchmarks.questions import QUESTIONS
from benchmarks.traffic import Row, Shop, Traffic, Transcript, history

KINDS: tuple[Callable[[int], Traffic], ...] = (
    lambda seed: Shop(30, seed, users=0.3, orphans=0.1, hot=5),
    lambda seed: Transcript(10, seed, edits=0.5),
    lambda seed: Lines(30, seed),
    *(lambda seed, make=question.traffic: make(200, seed) for question in QUESTIONS),
)


@pytest.mark.parametrize("make", KINDS)
def test_a_seed_decides_everything(make: Callable[[int], Traffic]) -> None:
    one, same, other = make(1), make(1), make(2)
    assert one.tables() == same.tables() != other.tables()
    assert history(one, batches=9, size=3) == history(same, batches=9, size=3)
    assert one.tables() == same.tables()


@pytest.mark.parametrize("make", KINDS)
def test_changes_lead_from_the_first_tables_to_the_last(make: Callable[[int], Traffic]) -> None:
    traffic = make(3)
    tables = {name: {row["id"]: row for row in rows} for name, rows in traffic.tables().items()}
    for write in (write for batch in history(traffic, batches=500) for write in batch):
        table: dict[object, Row] = tables[write.table]
        assert (write.key in table) == (write.op != "insert")
        if write.row is None:
            assert write.op == "delete"
            del table[write.key]
        else:
            assert write.row["id"] == write.key
            table[write.key] = write.row
    now = {name: {row["id"]: row for row in rows} for name, rows in traffic.tables().items()}
    assert tables == now
