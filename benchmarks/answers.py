"""Answers: whether all peers ended in the same state, without which their times mean nothing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks.checksum import checksum, text_of
from benchmarks.peers.sql import SELECT
from benchmarks.peers.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peers.peer import Peer
    from benchmarks.questions import Question
    from benchmarks.traffic import Row, Tables


class DisagreementError(AssertionError):
    """Two peers ended in different states."""


def same_answer(question: Question, peers: dict[str, Peer]) -> int:
    """Return the checksum that all answers have.

    Raises:
        DisagreementError: if one differs from the first; the message names a row.
    """
    (first, leader), *others = peers.items()
    expected = leader.checksum(ordered=question.ordered)
    for name, peer in others:
        if peer.checksum(ordered=question.ordered) != expected:
            wrong = _difference(peer.rows(), leader.rows())
            raise DisagreementError(
                f"{question.name}: {name} has another answer than {first}: {wrong}"
            )
    return expected


def same_news(question: Question, peers: dict[str, Peer]) -> None:
    """Compare what the subscribers were told.

    Raises:
        DisagreementError: if the number of calls or of events differs.
    """
    heard = {name: peer.heard() for name, peer in peers.items()}
    if len({*heard.values()}) > 1:
        raise DisagreementError(f"{question.name}: (calls, events) delivered differ: {heard}")


def recount(question: Question, tables: Tables) -> int | None:
    """Return the checksum of the answer computed from the tables alone; None of a question that is not asked as SQL."""
    if question.name not in SELECT:
        return None
    with closing(Sqlite(question.name, delivers=False)) as base:
        base.load(tables)
        return checksum(base.select(), ordered=question.ordered)


def _difference(answer: Sequence[Row], expected: Sequence[Row]) -> str:
    wrong = {text_of(row, sorted(row)) for row in answer} ^ {
        text_of(row, sorted(row)) for row in expected
    }
    if not wrong:
        return f"the same rows in another order or number ({len(answer)}, {len(expected)})"
    return f"{len(wrong)} rows are in one of them only, such as {min(wrong)}"
