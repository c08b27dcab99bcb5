"""A process that is killed at any statement it sends to SQLite leaves a whole epoch, and loses no effect and repeats none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.dataflow.io import killed_store

ROOT = Path(__file__).parents[3]


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


def test_rows_and_offset_of_a_store_are_those_of_one_epoch(tmp_path: Path) -> None:
    offsets = []
    for left in killed(killed_store.__name__, tmp_path):
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
