"""The text of each message, put together from its chunks, by hand."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import Event, Subscriber, by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class FoldFloor:
    """State: the chunks; of each message its chunks in order and its text; the result.

    A chunk at the end is added to the text; any other change puts the text together anew.
    """

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._chunks = by_id(tables["chunks"])
        self._parts: dict[str, list[tuple[int, str, str]]] = {}  # seq, id, text
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        parts: dict[str, list[tuple[int, str, str]]] = {}
        for key, row in self._chunks.items():
            part = row["seq"], key, row["chunk"]
            mine = parts.get(row["message_id"])
            if mine is None:
                parts[row["message_id"]] = [part]
            else:
                mine.append(part)
        for mine in parts.values():
            mine.sort()
        self._parts = parts
        self._rows = {
            message: {"id": message, "text": "".join([text for _, _, text in mine])}
            for message, mine in parts.items()
        }

    def commit(self, writes: Sequence[Write]) -> None:
        chunks = self._chunks
        texts: dict[str, str | None] = {}  # of the messages touched; None: to be put together
        for _, _, key, new in writes:
            old = chunks.get(key)
            if old == new:
                continue
            if old is not None:
                message = old["message_id"]
                mine = self._parts[message]
                del mine[bisect_left(mine, (old["seq"], key, ""))]
                texts[message] = None
            if new is None:
                del chunks[key]
            else:
                chunks[key] = new
                self._add(new, texts)
        if texts and (events := self._flush(texts)):
            self._subscriber(events)

    def _add(self, chunk: Row, texts: dict[str, str | None]) -> None:
        message, part = chunk["message_id"], (chunk["seq"], chunk["id"], chunk["chunk"])
        mine = self._parts.get(message)
        if mine is None:
            self._parts[message] = [part]
            texts[message] = chunk["chunk"]
        elif not mine or part > mine[-1]:
            mine.append(part)
            text = texts[message] if message in texts else self._rows[message]["text"]
            texts[message] = None if text is None else text + chunk["chunk"]
        else:
            insort(mine, part)
            texts[message] = None

    def _flush(self, texts: dict[str, str | None]) -> list[Event]:
        rows = self._rows
        events: list[Event] = []
        for message, text in texts.items():
            old, mine = rows.get(message), self._parts[message]
            if not mine:
                del self._parts[message]
                if old is not None:
                    del rows[message]
                    events.append(("delete", message, old, old))
                continue
            new = {
                "id": message,
                "text": "".join([t for _, _, t in mine]) if text is None else text,
            }
            if old is None:
                rows[message] = new
                events.append(("insert", message, new, None))
            elif new != old:
                rows[message] = new
                events.append(("update", message, new, old))
        return events

    def result(self) -> dict[Any, Row]:
        return self._rows
