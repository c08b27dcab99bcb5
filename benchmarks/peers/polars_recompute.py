"""Polars, which computes the answer anew after every commit.

Best setting: frames in memory, the question as SQL through the lazy optimizer, a commit as one filter by key and one
concatenation. It wins where an answer is computed once; nobody is told what changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.peer import Unavailable
from benchmarks.peers.sql import SELECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

try:
    import polars
except ImportError:
    IS_INSTALLED = False
else:
    IS_INSTALLED = True


class Polars:
    """A question as SQL over frames."""

    def __init__(self, question: str) -> None:
        if not IS_INSTALLED:
            raise Unavailable("needs the package polars")
        if question not in SELECT:
            raise Unavailable(f"{question} is not written as SQL")
        self._select = SELECT[question]
        self._frames: dict[str, polars.DataFrame] = {}
        self._answer: polars.DataFrame | None = None

    def load(self, tables: Tables) -> None:
        """Make the frames."""
        self._frames = {
            table: polars.DataFrame(rows, infer_schema_length=None)
            for table, rows in tables.items()
        }

    def hydrate(self) -> None:
        """Compute the answer."""
        self._answer = polars.SQLContext(self._frames).execute(self._select, eager=True)

    def forget(self) -> None:
        """Drop the answer."""
        self._answer = None

    def commit(self, writes: Sequence[Write]) -> None:
        """Replace what was written, then compute the answer."""
        last: dict[str, dict[object, Row | None]] = {}
        for _, table, key, row in writes:
            last.setdefault(table, {})[key] = row
        for table, rows in last.items():
            frame = self._frames[table]
            kept = frame.filter(~polars.col("id").is_in(list(rows)))
            new = [row for row in rows.values() if row is not None]
            self._frames[table] = polars.concat([kept, polars.DataFrame(new, frame.schema)])
        self.hydrate()

    def rows(self) -> list[Row]:
        """Return the answer."""
        assert self._answer is not None
        return self._answer.to_dicts()

    def close(self) -> None:
        """Let go of the frames."""
        self._frames, self._answer = {}, None
