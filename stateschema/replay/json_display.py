"""The JSON displays: for programs that read what a replay shows. Rows are in wire form.

Letters are written as they are, unless the output has no form for one of them: lone surrogates have
none anywhere. Then all that are not ASCII are escaped, which every reader understands.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from pydantic.alias_generators import to_camel

from dataflow.collection.changes import Change
from dataflow.query.source import Source
from stateschema.replay.player import Summary


class ChangeLines:
    """Writes the changes of one view as JSON lines."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._changes: list[Change[Any]] = []
        self._epoch = 0

    def changed(self, view: str, changes: Sequence[Change[Any]]) -> None:
        """Take in the changes of the view."""
        self._changes += changes

    def after_epoch(self, seen: int) -> None:
        """Write the changes of the epoch."""
        self._epoch += 1
        if self._changes:
            wire = [
                {"op": change.op, "key": change.key, "value": change.value.to_json()}
                for change in self._changes
            ]
            line = {"epoch": self._epoch, "changes": wire}
            self._out.write(f"{_dump(line, self._out, indent=None)}\n")
            self._changes.clear()

    def finish(self, summary: Summary, *, skipped: int) -> None:
        """There is nothing more to write."""


class FinalCollections:
    """Writes all collections when the replay is over."""

    def __init__(self, out: TextIO, views: Mapping[str, Source[Any]]) -> None:
        self._out = out
        self._views = views

    def changed(self, view: str, changes: Sequence[Change[Any]]) -> None:
        """Changes do not matter here."""

    def after_epoch(self, seen: int) -> None:
        """Epochs do not matter here."""

    def finish(self, summary: Summary, *, skipped: int) -> None:
        """Write the rows of every collection."""
        wire = {
            to_camel(name): [row.to_json() for row in view.rows()]
            for name, view in self._views.items()
        }
        self._out.write(f"{_dump(wire, self._out, indent=2)}\n")


def _dump(value: object, out: TextIO, *, indent: int | None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text
