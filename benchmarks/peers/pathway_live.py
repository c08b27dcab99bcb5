"""Pathway, a dataflow in Rust that is fed from Python and tells a subscriber in Python what changed.

It is no dependency of the benchmarks: who has it installed gets it measured. Setting: a source that replaces rows by key;
batches netted by key; every commit ended by hand and waited for. What happened to the answer is netted by key over
the commit and handed to the subscriber at its end. Pathway fills tables only while it runs, so loading keeps the rows and
hydrating puts them in.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.peers.pathway_run import Run
from benchmarks.peers.pathway_views import VIEWS
from benchmarks.peers.peer import Unavailable
from benchmarks.peers.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class Pathway:
    """A question as a dataflow; one at a time in a process.

    Args:
        question: its name.
    """

    def __init__(self, question: str) -> None:
        try:
            self._pathway: Any = import_module("pathway")
        except ImportError as error:
            raise Unavailable("needs the package pathway") from error
        if question not in VIEWS:
            raise Unavailable(f"{question} is not written for pathway")
        logging.getLogger("pathway_engine").setLevel(logging.ERROR)
        self.receiver = Receiver()
        self._view = VIEWS[question]
        self._rows: dict[tuple[str, Any], Row] = {}
        self._types: dict[str, dict[str, type]] = {}
        self._run: Run | None = None

    def load(self, tables: Tables) -> None:
        """Keep the rows."""
        self._rows = {(table, row["id"]): row for table, rows in tables.items() for row in rows}
        self._types = {
            table: {
                name: type(next(row[name] for row in rows if row[name] is not None))
                for name in rows[0]
            }
            for table, rows in tables.items()
        }

    def hydrate(self) -> None:
        """Start the dataflow and put the rows in."""
        self._run = Run(self._pathway, self._view, self._types)
        self._run.commit(self._rows)

    def forget(self) -> None:
        """End the dataflow, if it runs."""
        if self._run is not None:
            self._run.close()
        self._run = None

    def commit(self, writes: Sequence[Write]) -> None:
        """Put in what was written, wait until it is through, then tell the subscriber."""
        last = {(table, key): row for _, table, key, row in writes}
        for place, row in last.items():
            if row is None:
                self._rows.pop(place, None)
            else:
                self._rows[place] = row
        if events := self._running().commit(last):
            self.receiver(events)

    def rows(self) -> list[Row]:
        """Return the answer."""
        return list(self._running().rows.values())

    def close(self) -> None:
        """End the dataflow."""
        self.forget()

    def _running(self) -> Run:
        assert self._run is not None
        return self._run
