"""What one more chunk costs with every view attached: counted, not timed."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from stateschema.session import message_view
from tests.stateschema.session.boards import Board, Json

DELTA: Json = {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "word "}
FINISHED: Json = {"type": "RUN_FINISHED", "runId": "r"}


def chunk(message: str, seq: int, event: Json) -> Json:
    return {
        "id": f"{message}:{seq}", "messageId": message, "actorId": "kermit", "role": "assistant",
        "chunk": json.dumps(event), "seq": seq, "createdAt": f"2026-01-15T10:{seq:010}Z",
    }  # fmt: skip


class Work(NamedTuple):
    """What one chunk made the engine do: rows touched per view, chunks read and fold steps."""

    touched: dict[str, int]
    read: int
    steps: int


class Counters:
    """How often the views read a chunk and stepped a fold."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = {"parse": 0, "step": 0}
        for name in self.calls:
            monkeypatch.setattr(message_view, name, self._counting(name))

    def _counting(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(message_view, name)

        def counted(*args: Any) -> Any:
            self.calls[name] += 1
            return function(*args)

        return counted


def session_of(size: int, history: int) -> Board:
    """Return a session of some finished messages and one that has `size` chunks so far."""
    board = Board()
    finished = [
        chunk(f"h{n}", seq, DELTA if seq < 20 else FINISHED)
        for n in range(history)
        for seq in range(21)
    ]
    board.put(*finished, *(chunk("m", seq, DELTA) for seq in range(size)))
    return board


def work_of(board: Board, counters: Counters, wire: Json) -> Work:
    views = board.views.named()
    before = {name: view.statistics().rows_touched for name, view in views.items()}
    called = dict(counters.calls)
    board.put(wire)
    touched = {name: view.statistics().rows_touched - before[name] for name, view in views.items()}
    calls = {name: count - called[name] for name, count in counters.calls.items()}
    return Work(touched, calls["parse"], calls["step"])


@pytest.mark.parametrize("history", [0, 100])
def test_one_more_chunk_costs_the_same_however_long_message_and_session_are(
    monkeypatch: pytest.MonkeyPatch, history: int
) -> None:
    counters = Counters(monkeypatch)
    short = work_of(session_of(10, 0), counters, chunk("m", 10, DELTA))
    assert (short.read, short.steps) == (1, 1)
    for size in (10, 1_000, 20_000):
        board = session_of(size, history)
        assert work_of(board, counters, chunk("m", size, DELTA)) == short
        assert work_of(board, counters, chunk("m", size + 1, DELTA)) == short
        assert len(board.views.messages["m"].text) == (size + 2) * len("word ")


def test_an_answer_costs_the_same_however_long_the_session_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask: list[Json] = [
        {"type": "TOOL_CALL_START", "toolCallId": "c1", "toolCallName": "deploy"},
        {"type": "CUSTOM", "name": "approval-requested",
         "value": {"toolCallId": "c1", "approval": {"id": "ap1"}}},
    ]  # fmt: skip
    event = {"type": "approval-response", "approvalId": "ap1", "approved": True}
    answer = {**chunk("y", 0, event), "role": "user"}
    works: list[Work] = []
    counters = Counters(monkeypatch)
    for size in (10, 20_000):
        board = session_of(size, size // 200)
        board.put(*(chunk("m", size + n, asked) for n, asked in enumerate(ask)))
        works.append(work_of(board, counters, answer))
        assert board.shown()["pendingApprovals"] == []
    assert works[0] == works[1]
    assert (works[0].read, works[0].steps) == (1, 0)


def test_a_late_chunk_is_folded_from_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters(monkeypatch)
    board = session_of(20_000, 0)
    work = work_of(board, counters, {**chunk("m", 19_990, DELTA), "chunk": json.dumps(FINISHED)})
    assert work.read == 1
    assert work.steps <= 4 * 10
    assert board.views.messages["m"].is_complete
