"""The engine: collections, one live query, one subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers.receiver import Receiver
from dataflow import Collection, LiveQuery, batch, live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.questions import Question
    from benchmarks.traffic import Row, Tables, Write


class Ours:
    """A question as a live query, used the way an application would."""

    def __init__(self, question: Question) -> None:
        self.receiver = Receiver()
        self._question = question
        self._collections: dict[str, Collection[dict[str, Any]]] = {}
        self._live: LiveQuery[Any] | None = None

    def load(self, tables: Tables) -> None:
        """Fill fresh collections, one epoch each."""
        self._collections = {name: Collection(name, key="id") for name in tables}
        for name, rows in tables.items():
            with self._collections[name].sync() as write:
                write.insert_all(rows)

    def hydrate(self) -> None:
        """Start the live query and subscribe to it."""
        self._live = live(self._question.ask(self._collections))
        if self._question.positions:
            self._live.subscribe_ordered(self.receiver)
        else:
            self._live.subscribe(self.receiver)

    def forget(self) -> None:
        """Close the live query, which releases its plan."""
        if self._live is not None:
            self._live.close()
        self._live = None

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes as one epoch."""
        if len(writes) == 1:
            op, table, key, row = writes[0]
            with self._collections[table].sync() as write:
                if row is None:
                    write.delete(key)
                elif op == "insert":
                    write.insert(row)
                else:
                    write.update(row)
        elif len(self._collections) == 1:
            self._write_all(writes)
        else:
            with batch():
                self._write_all(writes)

    def _write_all(self, writes: Sequence[Write]) -> None:
        for name, collection in self._collections.items():
            with collection.sync() as write:
                for op, table, key, row in writes:
                    if table != name:
                        continue
                    if row is None:
                        write.delete(key)
                    elif op == "insert":
                        write.insert(row)
                    else:
                        write.update(row)

    def result(self) -> Mapping[Any, Row]:
        """Return the live query."""
        assert self._live is not None
        return self._live

    def rows(self) -> list[Row]:
        """Return the rows of the live query."""
        return list(self.result().values())

    def close(self) -> None:
        """Close the live query and let go of the rows."""
        self.forget()
        self._collections = {}
