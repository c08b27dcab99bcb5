"""SQLite with triggers: the answer is a table that triggers keep up to date, in memory, called from Python.

Best setting: keys as rowids, indexes for whatever a trigger looks up, statements kept prepared, one transaction per batch, no
journal. What happened to the answer is told by triggers that call into Python, netted by key over the commit and handed to the
subscriber at its end; where the answer is not a table but has to be read, it is read and compared. The silent one is the
same without all that: nobody is told what happened, which flatters it.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import net_events
from benchmarks.peers.peer import Unavailable
from benchmarks.peers.receiver import Receiver
from benchmarks.peers.sql import SELECT, columns
from benchmarks.peers.sqlite_views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class Sqlite:
    """A question as a table and its triggers.

    Args:
        question: its name.
        delivers: whether a subscriber is told what changes.
    """

    def __init__(self, question: str, *, delivers: bool) -> None:
        if question not in VIEWS:
            raise Unavailable(f"{question} is not written as triggers")
        self._view = VIEWS[question]
        self._select = SELECT[question]
        self._base = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._insert: dict[str, str] = {}
        self._update: dict[str, str] = {}
        self._delete: dict[str, str] = {}
        self.receiver = Receiver() if delivers else None
        self._before: dict[Any, Row | None] = {}
        self._after: dict[Any, Row] = {}
        self._seen: dict[Any, tuple[Any, ...]] = {}
        if delivers:
            self._listen()

    def _listen(self) -> None:
        """Make the functions that triggers call: with key and row of what came or went, or with both of before and after."""
        told = len(self._view.key) + len(self._view.columns)
        for name, arguments in (("came", told), ("went", told), ("changed", 2 * told)):
            self._base.create_function(name, arguments, getattr(self, f"_{name}"))

    def load(self, tables: Tables) -> None:
        """Create the tables and fill them."""
        for table, rows in tables.items():
            self._create(table, columns(rows))
            self._base.execute("BEGIN")
            self._base.executemany(self._insert[table], rows)
            self._base.execute("COMMIT")

    def _create(self, table: str, types: dict[str, str]) -> None:
        declared = ", ".join(
            "id INTEGER PRIMARY KEY" if name == "id" else f"{name} {kind}"
            for name, kind in types.items()
        )
        self._base.execute(f"DROP TABLE IF EXISTS {table}")
        self._base.execute(f"CREATE TABLE {table} ({declared})")
        values = ", ".join(f":{name}" for name in types)
        pairs = ", ".join(f"{name} = :{name}" for name in types if name != "id")
        self._insert[table] = f"INSERT INTO {table} VALUES ({values})"
        self._update[table] = f"UPDATE {table} SET {pairs} WHERE id = :id"
        self._delete[table] = f"DELETE FROM {table} WHERE id = ?"

    def hydrate(self) -> None:
        """Build the answer with its indexes, then add the triggers."""
        self._base.executescript(self._view.build.format(select=self._select))
        self._base.executescript(self._view.triggers)
        if self.receiver is None:
            return
        if self._view.reads:
            self._seen = self._read()
        else:
            self._base.executescript(self._view.news)

    def forget(self) -> None:
        """Drop the answer, the triggers and the indexes."""
        found = self._base.execute(
            "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND"
            " (type IN ('trigger', 'index') OR name = 'answer') ORDER BY type = 'table'"
        ).fetchall()
        for kind, name in found:
            self._base.execute(f"DROP {kind} {name}")

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes as one transaction; where the answer is not a table, read it."""
        execute = self._base.execute
        if len(writes) > 1:
            execute("BEGIN")
        for op, table, key, row in writes:
            if row is None:
                execute(self._delete[table], (key,))
            else:
                execute(self._insert[table] if op == "insert" else self._update[table], row)
        if len(writes) > 1:
            execute("COMMIT")
        if self.receiver is None:
            if self._view.reads:
                execute(self._view.rows).fetchall()
            return
        if self._view.reads:
            self._compare()
        if self._before:
            events = net_events(self._before, self._after)
            self._before, self._after = {}, {}
            if events:
                self.receiver(events)

    def _came(self, *told: Any) -> None:
        key, row = self._taken(told)
        self._before.setdefault(key, None)
        self._after[key] = row

    def _went(self, *told: Any) -> None:
        key, row = self._taken(told)
        self._before.setdefault(key, row)
        self._after.pop(key, None)

    def _changed(self, *told: Any) -> None:
        half = len(told) // 2
        was, now = self._taken(told[:half]), self._taken(told[half:])
        self._before.setdefault(was[0], was[1])
        if was[0] != now[0]:
            self._after.pop(was[0], None)
            self._before.setdefault(now[0], None)
        self._after[now[0]] = now[1]

    def _taken(self, told: tuple[Any, ...]) -> tuple[Any, Row]:
        """Return key and row."""
        columns = self._view.columns
        width = len(told) - len(columns)
        key = told[0] if width == 1 else told[:width]
        return key, dict(zip(columns, told[width:], strict=True))

    def _compare(self) -> None:
        """Read the answer, and find what is not as it was."""
        seen, self._seen = self._seen, self._read()
        if seen == self._seen:
            return
        now, columns = self._seen, self._view.columns
        for key in seen.keys() | now.keys():
            old, new = seen.get(key), now.get(key)
            if old != new:
                self._before[key] = None if old is None else dict(zip(columns, old, strict=True))
                if new is not None:
                    self._after[key] = dict(zip(columns, new, strict=True))

    def _read(self) -> dict[Any, tuple[Any, ...]]:
        """Return the answer under its keys, which are first in its rows."""
        return {row[0]: row for row in self._base.execute(self._view.rows)}

    def rows(self) -> list[Row]:
        """Return the answer."""
        return self._named(self._view.rows)

    def select(self) -> list[Row]:
        """Return what the question itself gives, without the answer that is kept."""
        return self._named(self._select)

    def _named(self, query: str) -> list[Row]:
        found = self._base.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def close(self) -> None:
        """Close the database."""
        self._base.close()
