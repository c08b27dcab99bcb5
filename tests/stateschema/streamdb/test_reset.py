"""Resets that say where to read on: followed, atomically, and never for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from stateschema.errors import LocalProtocolError, RefusedError
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, message
from tests.stateschema.streamdb.recording import Recording


def reset(offset: str) -> dict[str, Any]:
    return {"headers": {"control": "reset", "offset": offset}}


def shown_after(*batches: list[dict[str, Any]], page: int | None = None) -> set[str]:
    with BlockingStreamDB(Chat, stream=Recording(*batches, page=page)) as db:
        return set(db.collections.messages)


@pytest.mark.parametrize("page", [None, 1, 2])
@pytest.mark.parametrize(
    ("offset", "left"),
    [
        ("-1", "1234"),  # everything again
        (Offset.mint(1), "234"),
        (Offset.mint(2), "34"),  # where the reset stands
        (Offset.mint(3), "34"),  # behind it
        (Offset.mint(4), "4"),  # a part is left out
    ],
)
def test_what_is_shown_is_the_fold_from_the_offset(
    offset: str, left: str, page: int | None
) -> None:
    history = [message("1"), message("2"), reset(offset), message("3"), message("4")]
    assert shown_after(history, page=page) == set(left)


def test_a_live_reader_goes_on_from_there_in_one_epoch_and_stays_ready() -> None:
    async def run() -> None:
        stream = Recording([message("1")], [message("2")])
        async with StreamDB(Chat, stream=stream) as db:
            epochs: list[Any] = []
            states: set[str] = set()
            db.collections.messages.subscribe(
                lambda changes: epochs.append(sorted((c.op, c.key) for c in changes))
            )
            db.collections.messages.subscribe_status(lambda status: states.add(str(status)))
            stream.put([message("3"), reset(Offset.mint(1)), message("4", txid="t")])
            await db.wait_txid("t")
            assert epochs == [[("delete", "1"), ("insert", "3"), ("insert", "4")]]
            stream.put([message("5", txid="u")])
            await db.wait_txid("u")
            assert (set(db.collections.messages), db.status) == (set("2345"), "ready")
            assert db.offset == stream.head_now()
            assert states == set()
        assert stream.starts == [Offset.START, Offset.mint(1)]

    asyncio.run(run())


def test_a_blocking_reader_does_so_too() -> None:
    stream = Recording([message("1")], [message("2")])
    with BlockingStreamDB(Chat, stream=stream) as db:
        stream.put([reset(Offset.mint(1)), message("3")], [message("4")])
        db.poll()
        assert (set(db.collections.messages), db.offset) == (set("234"), stream.head_now())
        stream.put([reset(Offset.mint(4))])
        db.poll()
        assert set(db.collections.messages) == {"4"}
        stream.put([reset(Offset.mint(1))])  # back to what was left before
        db.poll()
        assert set(db.collections.messages) == set("234")


@given(
    st.lists(st.sampled_from("abcdef") | st.integers(0, 8), max_size=8),
    st.integers(1, 4),
    st.integers(0, 8),
)
def test_any_history_leads_to_the_fold_from_its_last_reset_and_reading_ends(
    words: list[str | int], page: int, live: int
) -> None:
    start, history = 0, []
    for place, word in enumerate(words):
        if isinstance(word, int):
            start = min(word, place + 1)
            history.append(reset(Offset.mint(start)))
        else:
            history.append(message(word))
    stream = Recording(*[[wire] for wire in history[:live]], page=page)
    with BlockingStreamDB(Chat, stream=stream) as db:
        for wire in history[live:]:
            stream.put([wire])
            db.poll()
        left = {wire["key"] for wire in history[start:] if "key" in wire}
        assert set(db.collections.messages) == left
    assert len(stream.starts) <= len(history) + 1


class Refusing(Recording):
    """A stream that does not give itself away to those who ask from somewhere."""

    def __init__(self, *batches: list[dict[str, Any]], status: int) -> None:
        super().__init__(*batches)
        self.status = status

    @override
    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        if offset == "nowhere":
            raise RefusedError("not here", status=self.status)
        return super().follow(offset)


NOWHERE = [
    (Recording, "offset 'nowhere' is malformed"),
    (partial(Refusing, status=400), "not here"),
]


@pytest.mark.parametrize(("make", "reason"), NOWHERE)
def test_a_reset_to_nowhere_is_one_to_the_start(
    make: Callable[..., Recording], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"a reset leads to nowhere, reading from the start: {reason}"
    stream = make([message("1")])
    with BlockingStreamDB(Chat, stream=stream) as db:
        stream.put([message("2"), reset("nowhere"), message("3")])
        assert db.poll() == 2  # what led away, and what was read instead
        assert (db.status, set(db.collections.messages)) == ("ready", {"1", "2", "3"})
        stream.put([message("4")])
        assert (db.poll(), len(db.collections.messages)) == (1, 4)
    assert [record.message for record in caplog.records] == [said]

    async def run() -> None:
        async with StreamDB(Chat, stream=stream) as db:
            stream.put([reset("nowhere"), message("5", txid="t")])
            await db.wait_txid("t")
            assert (db.status, set(db.collections.messages)) == ("ready", set("12345"))

    caplog.clear()
    asyncio.run(run())
    assert {record.message for record in caplog.records} == {said}


def test_a_reset_that_is_no_event_is_left_out_as_any_other() -> None:
    bad = {"headers": {"control": "reset", "offset": 7}}
    batch = Batch(
        messages=[message("1"), bad, message("2")], next_offset=Offset.mint(3), up_to_date=True
    )

    class Given(Recording):
        @override
        async def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
            self.starts.append(offset)
            yield batch

    stream = Given()
    with BlockingStreamDB(Chat, stream=stream, on_error="skip", live=False) as db:
        assert set(db.collections.messages) == {"1", "2"}
    assert stream.starts == [Offset.START]


def test_an_offset_of_the_caller_that_is_none_is_fatal() -> None:
    db = BlockingStreamDB(Chat, stream=Recording([message("1")]), offset="nowhere")
    with pytest.raises(LocalProtocolError, match="'nowhere' is malformed"):
        db.preload()
    assert db.status == "error"
    db.close()
