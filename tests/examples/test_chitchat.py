"""The chat replay keeps its four answers right: against a handmade history, and a recount of the real one."""

import random
import re
from collections.abc import Iterable

import pytest

from examples.chitchat import EPOCH, Board, Message, main, read_history, recount

HANDMADE = [
    Message(0, "tea", "ann", "2018-05-01T09:59:58Z", "Tea?", is_reply=False),
    Message(1, "tea", "bob", "2018-05-01T09:59:59Z", "Yes", is_reply=True),
    Message(2, "tea", "bob", "2018-05-01T10:00:00Z", "please", is_reply=False),
    Message(3, "sun", "cat", "2018-05-01T10:30:00Z", "Sun!", is_reply=False),
    Message(4, "sun", "ann", "2018-05-01T10:30:00Z", "At last", is_reply=True),
    Message(5, "sun", "cat", "2018-05-01T10:59:00Z", "Bye", is_reply=True),
]
ANSWERS = [
    {"tea": "please", "sun": "Bye"},
    {"ann": 2, "bob": 2, "cat": 2},
    {"ann": 2, "bob": 2, "cat": 2},
    {"2018-05-01T09": 1, "2018-05-01T10": 2},
]


@pytest.fixture(scope="module")
def history() -> list[Message]:
    return read_history()


def add(board: Board, messages: Iterable[Message]) -> None:
    with board.messages.sync() as write:
        for message in messages:
            write.insert(message)


def test_recount_and_live_answers_know_a_handmade_history() -> None:
    assert recount(HANDMADE) == ANSWERS
    for arrival in (HANDMADE, HANDMADE[::-1]):
        board = Board()
        for message in arrival:
            add(board, [message])
        assert board.answers() == ANSWERS
        assert list(board.answers()[2]) == ["ann", "bob", "cat"]


def test_answers_follow_a_message_that_is_taken_back() -> None:
    board = Board()
    add(board, HANDMADE)
    with board.messages.sync() as write:
        write.delete(5)
    assert board.answers() == [
        {"tea": "please", "sun": "At last"},
        {"ann": 2, "bob": 2, "cat": 1},
        {"ann": 2, "bob": 2, "cat": 1},
        {"2018-05-01T09": 1, "2018-05-01T10": 1},
    ]


def test_messages_may_arrive_in_any_order(history: list[Message]) -> None:
    waiting = history[:3_000]
    random.Random(0).shuffle(waiting)
    board, arrived = Board(), list[Message]()
    while waiting:
        fresh, waiting = waiting[:500], waiting[500:]
        add(board, fresh)
        arrived = sorted([*arrived, *fresh], key=lambda message: (message.sent_at, message.id))
        assert board.answers() == recount(arrived)


def test_the_whole_history_is_answered_as_a_recount_does(history: list[Message]) -> None:
    assert len(history) == 258_145
    board = Board()
    for first in range(0, len(history), EPOCH):
        add(board, history[first : first + EPOCH])
    expected = recount(history)
    assert board.answers() == expected
    assert list(board.answers()[2].items()) == list(expected[2].items())


def test_the_summary_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--limit", "2500"]) == 0
    lines = capsys.readouterr().out.splitlines()
    while not lines[0].startswith("answer"):  # the progress bar, where rich is installed
        del lines[0]
    numbers = [re.sub(r" +", " ", line) for line in lines]
    assert numbers[0] == "answer rows changes rows touched"
    assert [len(line) for line in lines[:7]] == [80] * 7
    assert re.fullmatch(r"2,500 events in 3 epochs, [\d.]+ us per event", numbers[7])
    assert numbers[8] == "A recount in plain Python says the same."
