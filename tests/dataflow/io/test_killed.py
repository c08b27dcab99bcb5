"""A process that is killed at any statement it sends to SQLite leaves a whole epoch, and loses no effect and repeats none."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dataflow.io import killed_migration, killed_outbox, killed_store

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: nobody pulls the plug, so what a disk has synced does not matter."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def killed(scenario: str, folder: Path) -> list[dict[str, Any]]:
    """What is left by a process killed at its first point, its second, and so on; the last one was not killed."""
    command = [sys.executable, "-m", "tests.dataflow.io.killing", scenario, str(folder)]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["died"] for line in lines] == [True] * (len(lines) - 1) + [False]
    return [line["left"] for line in lines]


def test_rows_and_offset_of_a_store_are_those_of_one_epoch(folder: Path) -> None:
    offsets = []
    for left in killed(killed_store.__name__, folder):
        offset = left["offset"]
        rows, numbers = killed_store.state(offset) if offset >= 0 else ({}, {})
        assert left == {
            "offset": offset,
            "left": [list(row) for row in rows.items()],
            "right": list(numbers.values()),
        }
        offsets.append(offset)
    assert offsets == sorted(offsets)
    assert set(offsets) == {-1, *range(killed_store.EPOCHS)}
    assert len(offsets) > 60  # points: before and after every statement


def test_a_migration_happens_once_and_as_a_whole(folder: Path) -> None:
    found = killed(killed_migration.__name__, folder)
    keys = sorted(range(-killed_migration.ROWS, 0))
    for left in found:
        left["rows"].sort(key=lambda row: row["id"])
        assert left == {"rows": [{"id": key, "number": -key} for key in keys], "offset": 7}
    assert len(found) > 20


def test_an_outbox_has_every_call_sent_with_exactly_one_effect_and_in_order(folder: Path) -> None:
    repeated = 0
    for left in killed(killed_outbox.__name__, folder):
        effects = left["effects"]
        assert effects == list(range(len(effects)))  # each once, in order, none left out
        assert left["returned"] == effects[: len(left["returned"])]
        assert len(effects) - len(left["returned"]) in (0, 1)  # one was written down, not returned
        repeated += len(left["requests"]) > len(effects)
    assert repeated > 0  # some were killed between the effect and its confirmation
