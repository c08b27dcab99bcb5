"""The plain display: one line per thing that happened, for pipes, files and simple terminals.

Presence as it changes, a message when it is complete, and what changes in it after that.
"""

from collections.abc import Sequence
from typing import Any, TextIO

from dataflow.collection.changes import Change
from stateschema.replay.player import Summary
from stateschema.replay.wording import (
    Phrase,
    actor_name,
    phrases,
    question,
    speaker,
    summary_rows,
    time_of_day,
)
from stateschema.session.message import Message
from stateschema.session.view_rows import Actor


class PlainDisplay:
    """Writes lines.

    Args:
        out: Where to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lines: list[str] = []
        self._told: dict[Any, list[Phrase]] = {}  # message id -> what has been written of it

    def changed(self, view: str, changes: Sequence[Change[Any]]) -> None:
        """Take in the changes of a view; nothing is written before the epoch is over."""
        for change in changes:
            if view == "presence":
                self._presence(change)
            elif view == "messages":
                self._message(change)
            elif view == "pending_approvals" and change.op != "delete":
                self._questions(change)

    def after_epoch(self, seen: int) -> None:
        """Write what the epoch brought."""
        self._out.writelines(f"{line}\n" for line in self._lines)
        self._lines.clear()

    def finish(self, summary: Summary, *, skipped: int) -> None:
        """Write the closing table."""
        rows = summary_rows(summary, skipped=skipped)
        width = max(len(label) for label, _ in rows)
        self._out.write("\n")
        self._out.writelines(f"{label:<{width}}  {value:>12}\n" for label, value in rows)

    def __enter__(self) -> "PlainDisplay":
        return self

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def _presence(self, change: Change[Actor]) -> None:
        if change.op != "update":
            sign, verb = ("+", "is here") if change.op == "insert" else ("-", "has left")
            self._lines.append(f"{sign} {actor_name(change.value)} {verb}")

    def _message(self, change: Change[Message]) -> None:
        message = change.value
        if change.op == "delete":
            if self._told.pop(change.key, None) is not None:
                self._lines.append(f"- message of {speaker(message)} removed")
        elif message.is_complete:
            told = self._told.get(change.key)
            said = phrases(message)
            if told is None:
                self._lines.append(f"{time_of_day(message.created_at)} {speaker(message)}:")
            self._lines += [
                f"    {line}"
                for phrase in said
                if told is None or phrase not in told
                for line in phrase.text.splitlines()
            ]
            self._told[change.key] = said

    def _questions(self, change: Change[Message]) -> None:
        asked = change.old.pending_approvals() if change.old is not None else []
        before = {call.id for call in asked}
        self._lines += [
            f"? {speaker(change.value)} asks: {question(call)}"
            for call in change.value.pending_approvals()
            if call.id not in before
        ]
