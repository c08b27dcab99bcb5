"""Answers: whether all peers ended in the same state, without which their times mean nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.peers.by_hand import ByHand
    from benchmarks.peers.ours import Ours
    from benchmarks.questions import Question
    from benchmarks.traffic import Row


class DisagreementError(AssertionError):
    """Two peers ended in different states."""


def agree(question: Question, ours: Ours, floor: ByHand) -> None:
    """Compare the engine with the floor as exactly as they can be: keys, rows, order, and what was delivered.

    Raises:
        DisagreementError: if anything differs.
    """
    mine, theirs = dict(ours.result()), dict(floor.result())
    if mine != theirs:
        wrong = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
        key = min(wrong, key=repr)
        raise DisagreementError(
            f"{question.name}: {len(wrong)} keys differ, the first at {key!r}:"
            f" ours {mine.get(key)!r}, by hand {theirs.get(key)!r}"
        )
    if question.ordered and list(mine) != list(theirs):
        raise DisagreementError(f"{question.name}: the same rows in another order")
    counts = [(side.receiver.calls, side.receiver.events) for side in (ours, floor)]
    if counts[0] != counts[1]:
        raise DisagreementError(f"{question.name}: (calls, events) delivered differ: {counts}")


def same_answer(question: Question, answers: Mapping[str, Sequence[Row]]) -> int:
    """Return the checksum that all answers have.

    Raises:
        DisagreementError: if one differs from the first.
    """
    sums = {peer: checksum(rows, ordered=question.ordered) for peer, rows in answers.items()}
    (first, expected), *others = sums.items()
    for peer, found in others:
        if found != expected:
            raise DisagreementError(
                f"{question.name}: {peer} has another answer than {first}:"
                f" {_difference(answers[peer], answers[first])}"
            )
    return expected


def _difference(answer: Sequence[Row], expected: Sequence[Row]) -> str:
    wrong = {_text(row) for row in answer} ^ {_text(row) for row in expected}
    if not wrong:
        return f"the same rows in another order or number ({len(answer)}, {len(expected)})"
    return f"{len(wrong)} rows are in one of them only, such as {min(wrong)}"


def checksum(rows: Sequence[Row], *, ordered: bool = False) -> int:
    """Return a number that depends on the rows, and on their order if asked; the same in every process.

    Numbers count by value, for not all peers tell 2 from 2.0.
    """
    total = 0
    for place, row in enumerate(rows, 1):
        total += crc32(_text(row).encode()) * (place if ordered else 1)
    return total & 0xFFFF_FFFF


def _text(row: Row) -> str:
    return repr(sorted((name, _settled(value)) for name, value in row.items()))


def _settled(value: Any) -> Any:
    if isinstance(value, float | Decimal) and value == value.__trunc__():
        return int(value)
    return value
