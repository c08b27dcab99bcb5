"""Views against the oracle: random session histories, compared after every arrival."""

from random import Random

import pytest

from dataflow.live.live import run
from stateschema.session.message_view import messages
from tests.stateschema.session.boards import Board, Json
from tests.stateschema.session.naive_session import naive_views
from tests.stateschema.session.session_histories import session_history


def without_partials(shown: Json) -> Json:
    """Leave out the readable value of unfinished JSON, which the oracle does not compute."""
    for message in (m for rows in shown.values() for m in rows if isinstance(rows, list)):
        for part in message.get("parts", []):
            if part["type"] == "structured-output" and part["status"] != "complete":
                part.pop("partial", None)
    return shown


def check_history(board: Board, seed: int) -> None:
    board.clear()
    rows: dict[str, Json] = {}
    for op, row in session_history(Random(seed)):
        if op == "put":
            rows[row["id"]] = row
            board.put(row)
        else:
            rows.pop(row["id"], None)
            board.delete(row["id"])
        assert without_partials(board.shown()) == naive_views(list(rows.values())), seed
    again = run(messages(board.collections.chunks))
    assert again == board.views.messages.rows()


def check_histories(seeds: range) -> None:
    board = Board()
    for seed in seeds:
        check_history(board, seed)


def test_the_views_agree_with_the_oracle_after_every_arrival() -> None:
    check_histories(range(200))


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1_000, 11_000, 1_000))
def test_the_views_agree_with_the_oracle_on_ten_thousand_histories(first: int) -> None:
    check_histories(range(first, first + 1_000))
