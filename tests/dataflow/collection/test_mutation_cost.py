"""What a mutation costs: rows touched, whatever else there is and whatever else is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow import Collection, Transaction, live, query

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 100_000
PENDING = 1_000


@pytest.fixture(scope="module")
def rows() -> Collection[dict[str, Any]]:
    """A hundred thousand rows, and a query over them."""
    made = Collection("rows", key="id")
    with made.sync() as write:
        for number in range(ROWS):
            write.insert({"id": number, "n": number % 7, "text": "x"})
    return made


def touched(rows: Collection[dict[str, Any]], action: Callable[[], object]) -> int:
    """Return how many rows of the collection an action looked at."""
    before = rows.physical()[0].touched
    action()
    return rows.physical()[0].touched - before


def pending(rows: Collection[dict[str, Any]], key: int, **fields: Any) -> Transaction:
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        rows.update(key, fields)
    return tx


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Rows of which copies with other fields were made."""
    seen: list[Any] = []
    replace = Collection.replace

    def counted(self: Any, row: Any, changes: Any) -> Any:
        seen.append(row)
        return replace(self, row, changes)

    monkeypatch.setattr(Collection, "replace", counted)
    return seen


@pytest.mark.parametrize("same_row", [False, True])
def test_a_mutation_touches_its_own_row_among_a_thousand_pending_ones(
    rows: Collection[dict[str, Any]], replaced: list[Any], same_row: bool
) -> None:
    row = rows.alias("row")
    watched = live(query(row).where(row.n >= 3))
    made = [pending(rows, 5 if same_row else n, n=n % 5) for n in range(PENDING)]
    before = watched.statistics().rows_touched
    replaced.clear()
    assert touched(rows, lambda: made.extend([pending(rows, 5, n=6)])) == 1
    assert touched(rows, lambda: made.extend([pending(rows, 70_000, n=6)])) == 1
    assert len(replaced) == 2
    assert watched.statistics().rows_touched - before <= 4
    assert (rows[5]["n"], rows[70_000]["n"]) == (6, 6)
    for tx in made:
        tx._state = "persisting"  # so that none takes others along
    assert touched(rows, made[-2].rollback) == 1
    assert rows[5]["n"] == ((PENDING - 1) % 5 if same_row else 0)
    assert touched(rows, made[5].rollback) == 1
    made[0].rollback()
    for tx in made:
        tx.rollback()
    assert (rows[5]["n"], rows[70_000]["n"], rows.overlay) == (5, 0, None)
    assert all(tx.error for tx in made)


def test_sync_beneath_pending_mutations_touches_what_it_writes(
    rows: Collection[dict[str, Any]],
) -> None:
    made = [pending(rows, n, text=str(n)) for n in range(PENDING)]

    def sync() -> None:
        with rows.sync() as write:
            write.update({"id": 3, "n": 99, "text": "y"})
            write.update({"id": 50_000, "n": 98, "text": "z"})

    assert touched(rows, sync) == 2
    assert rows[3] == {"id": 3, "n": 99, "text": "3"}
    assert rows[50_000] == {"id": 50_000, "n": 98, "text": "z"}
    for tx in made:
        tx.rollback()
    assert all(tx.error for tx in made)
    assert rows[3] == {"id": 3, "n": 99, "text": "y"}
    assert rows.overlay is None
