"""Two processes that write the same rows optimistically end equal, with the truth and with each other."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.dataflow.io import rivals

ROOT = Path(__file__).parents[3]


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", rivals.__name__, str(folder), name]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def truth(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "truth.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM items ORDER BY id")]


def test_two_writers_of_the_same_rows_end_equal(tmp_path: Path) -> None:
    rivals.make_database(tmp_path)
    processes = [start(tmp_path, name) for name in ("left", "right")]
    assert [line_of(process) for process in processes] == ["written\n"] * 2
    shown = [process.communicate("go on\n", timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    rows = truth(tmp_path)
    assert [json.loads(text) for text in shown] == [rows, rows]
    # Each has a field of its own, whose last value is there, and one in which the later writer won.
    last = [max(range(key, rivals.ROUNDS, rivals.KEYS)) for key in range(rivals.KEYS)]
    assert [(row["x"], row["y"]) for row in rows] == [(n, n) for n in last]
    assert {row["by"] for row in rows} <= {
        f"{name} {n}" for name in ("left", "right") for n in last
    }
