"""Killing a process at every statement it sends to SQLite, before and after.

Run as a program, in a fresh interpreter: `python -m tests.dataflow.io.killing <scenario> <folder>`. For each point a child is
forked that runs the scenario and kills itself there with SIGKILL; then the scenario says what is left. The last child is the one
that met no more points. Prints one JSON line per child.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


class KillingConnection(sqlite3.Connection):
    """A connection that kills its process at one point.

    A point is the start of a statement, each of those of `executemany` included, or the end of a call. Points are counted over all
    connections of the process.
    """

    point = -1  # which one kills; none if negative
    passed = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_trace_callback(lambda _: pass_point())

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        finally:
            pass_point()

    def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        try:
            return super().executemany(sql, parameters)
        finally:
            pass_point()


def pass_point() -> None:
    """Die, if this is the point."""
    if KillingConnection.passed == KillingConnection.point:
        os.kill(os.getpid(), signal.SIGKILL)
    KillingConnection.passed += 1


def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
    """Open a file with a connection that kills."""
    return sqlite3.connect(*args, factory=KillingConnection, **kwargs)


def run_child(scenario: Callable[[Path], None], folder: Path, point: int) -> bool:
    """Run a scenario in a child that dies at a point; tell whether it did."""
    pid = os.fork()
    if pid == 0:
        KillingConnection.point = point
        try:
            scenario(folder)
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, f"the scenario failed at point {point}"
    return False


def main(name: str, folder: str) -> None:
    """Run a scenario (a module with `run` and `left`) once per point."""
    scenario = import_module(name)
    point, died = 0, True
    while died:
        place = Path(folder) / str(point)
        place.mkdir()
        died = run_child(scenario.run, place, point)
        line = {"point": point, "died": died, "left": scenario.left(place)}
        sys.stdout.write(json.dumps(line) + "\n")
        point += 1


if __name__ == "__main__":
    # The scenario imports this module under its name: the point is to be set there.
    import_module("tests.dataflow.io.killing").main(*sys.argv[1:])
