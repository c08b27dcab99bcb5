"""A dataflow of Pathway that runs in a thread, and how to know that a commit is through.

There is one source, whose rows say which table they belong to: with a source for each table, a commit to one would not be
through before the others had something new as well, and a commit to two would be two.

Pathway tells that a time is over only where something changed, and a commit may leave the answer as it is. So the source has one
row more, its marker, which every commit rewrites last; it goes past the question and joins the answer behind it. A commit is
through when the time is over that brought its marker.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from benchmarks.floors.floor import net_events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.floors.floor import Event as Told
    from benchmarks.traffic import Row

NULLABLE: Final = frozenset({"user_id"})
"""Columns that may be None."""

_MARKER: Final = ""
"""The table of the marker."""


class Run:
    """A running dataflow without rows; one at a time in a process, for Pathway has one graph.

    Args:
        pathway: the package.
        view: the package and the tables, whose `id` is called `key` -> the answer.
        tables: the types of the columns of each.

    Attributes:
        rows: the answer, by Pathway's keys.
    """

    def __init__(
        self,
        pathway: Any,
        view: Callable[[Any, Mapping[str, Any]], Any],
        tables: Mapping[str, Mapping[str, type]],
    ) -> None:
        self.rows: dict[Any, Row] = {}
        self._before: dict[Any, Row | None] = {}
        self._number = 0
        self._is_through, self._ended = Event(), Event()
        self._has_marker = False
        self._error: BaseException | None = None
        self._pathway = pathway
        pathway.internals.parse_graph.G.clear()
        self._subject = _subject(pathway, self._ended)
        source = _source(pathway, self._subject, tables)
        answer = view(
            pathway, {name: _table(pathway, source, name, tables[name]) for name in tables}
        )
        told = _with_marker(pathway, answer, source)
        pathway.io.subscribe(told, self._changed, on_time_end=self._time_ended)
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def commit(self, rows: Mapping[tuple[str, Any], Row | None]) -> Sequence[Told]:
        """Put in the rows of some keys of tables, or None to take one out; return the net events when they are through.

        Raises:
            RuntimeError: Pathway gave up.
        """
        self._before = {}
        self._number += 1
        self._is_through.clear()
        put, drop = self._subject.next, self._subject.delete
        for (table, key), row in rows.items():
            if row is None:
                drop(table=table, id=key)
            else:
                put(table=table, **row)
        put(table=_MARKER, id=0, tick=self._number)
        self._subject.commit()
        self._is_through.wait()
        if self._error is not None:
            raise RuntimeError("pathway gave up") from self._error
        return net_events(self._before, self.rows)

    def close(self) -> None:
        """End the dataflow and wait for its end."""
        self._ended.set()
        self._thread.join()
        self._pathway.internals.parse_graph.G.clear()

    def _work(self) -> None:
        error: BaseException = EOFError("the dataflow has ended")
        try:
            self._pathway.run(
                monitoring_level=self._pathway.MonitoringLevel.NONE, default_logging=False
            )
        except BaseException as raised:  # noqa: BLE001 - told to whoever waits
            error = raised
        self._error = error
        self._is_through.set()

    def _changed(self, key: Any, row: Row, time: int, is_addition: bool) -> None:  # noqa: FBT001 - called so
        if (tick := row.pop("tick")) is not None:
            self._has_marker |= tick == self._number
            return
        if "key" in row:
            row["id"] = row.pop("key")
        rows = self.rows
        old = rows.get(key)
        self._before.setdefault(key, old)
        if is_addition:
            rows[key] = row
        elif old == row:  # else what replaces it came first
            del rows[key]

    def _time_ended(self, time: int) -> None:
        if self._has_marker:
            self._has_marker = False
            self._is_through.set()


def _subject(pathway: Any, ended: Event) -> Any:
    """Return what rows are put into, which ends when the run does."""

    class Subject(pathway.io.python.ConnectorSubject):  # type: ignore[misc]  # the package may not be there
        def run(self) -> None:
            ended.wait()

    return Subject(session_type="upsert")


def _source(pathway: Any, subject: Any, tables: Mapping[str, Mapping[str, type]]) -> Any:
    """Return one table with the columns of all."""
    column = pathway.column_definition
    types = {name: kind for columns in tables.values() for name, kind in columns.items()}
    columns = {
        name: column(dtype=kind | None, default_value=None)
        for name, kind in {**types, "tick": int}.items()
    }
    columns["table"] = column(dtype=str, primary_key=True)
    columns["id"] = column(dtype=int, primary_key=True)
    schema = pathway.schema_builder(columns)
    read = pathway.io.python.read(subject, schema=schema, autocommit_duration_ms=None)
    return read.rename_by_dict({"id": "key"})


def _table(pathway: Any, source: Any, name: str, columns: Mapping[str, type]) -> Any:
    """Return the rows of one table."""
    mine = source.filter(source.table == name)
    return mine.select(
        **{
            column: mine[column] if column in NULLABLE else pathway.declare_type(kind, mine[column])
            for column, kind in {**columns, "key": int}.items()
            if column != "id"
        }
    )


def _with_marker(pathway: Any, answer: Any, source: Any) -> Any:
    marker = source.filter(source.table == _MARKER)
    nothing = dict.fromkeys(answer.column_names())
    return pathway.Table.concat_reindex(
        answer.select(*pathway.this, tick=None), marker.select(**nothing, tick=marker.tick)
    )
