"""What every stream promises, for the one in memory and the one in a file."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stateschema.errors import LocalProtocolError, OffsetGoneError, StreamClosedError
from stateschema.events import Event
from stateschema.stream.interface import Stream
from stateschema.stream.logfile import LogFile
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from tests.stateschema.strategies import events
from tests.stateschema.stream.logs import event, numbers, take, until

Both: TypeAlias = MemoryStream | LogFile
Make: TypeAlias = Callable[[Path], Both]


def memory(_: Path) -> Both:
    return MemoryStream()


def log_file(folder: Path) -> Both:
    return LogFile(folder / "log.jsonl", create=True, poll_interval=3600)


@pytest.fixture(params=[memory, log_file])
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


@pytest.fixture
def stream(make: Make, tmp_path: Path) -> Both:
    return make(tmp_path)


@pytest.mark.parametrize("make", [memory, log_file])
@settings(max_examples=max(settings().max_examples // 5, 20))  # each append waits for a disk
@given(
    history=st.lists(st.lists(events(), min_size=1, max_size=3), max_size=4),
    limit=st.integers(1, 4),
)
def test_reading_from_any_offset_is_the_tail_of_reading_everything(
    make: Make, history: list[list[Event]], limit: int
) -> None:
    with TemporaryDirectory() as folder:
        stream = make(Path(folder))
        for appended in history:
            stream.append_now(appended)
        everything = [one for appended in history for one in appended]
        offset: Offset = Offset.START
        seen = 0
        while True:
            assert stream.read_now(offset).events() == everything[seen:]
            batch = stream.read_now(offset, limit=limit)
            assert batch.events() == everything[seen : seen + limit]
            assert offset < batch.next_offset or not batch.messages
            assert batch.up_to_date == (seen + limit >= len(everything))
            offset, seen = batch.next_offset, seen + len(batch.messages)
            if batch.up_to_date:
                break
        assert offset == stream.head_now()
        stream.close_now()


def test_append_gives_the_offset_behind_it(stream: Both) -> None:
    first = stream.append_now(event(1))
    last = stream.append_now([event(2), event(3)])
    assert first < last == stream.head_now()
    assert numbers(stream.read_now(first)) == [2, 3]
    assert numbers(stream.read_now(last)) == []
    assert stream.read_now(Offset.NOW).next_offset == last
    stream.close_now()


def test_bad_offsets_and_limits_are_refused(stream: Both) -> None:
    stream.append_now(event(1))
    for bad in ("", "1", "x", "-2", "NOW", "\u0660" * 16):
        with pytest.raises(LocalProtocolError, match="malformed"):
            stream.read_now(bad)
        with pytest.raises(LocalProtocolError, match="malformed"):
            stream.follow(bad)
    with pytest.raises(OffsetGoneError, match="holds no offset"):
        stream.read_now(Offset.mint(10**6))
    with pytest.raises(LocalProtocolError, match="limit 0 is not positive"):
        stream.read_now(limit=0)
    stream.close_now()


def test_append_is_all_or_nothing(stream: Both) -> None:
    nan = event(1).model_copy(update={"value": float("nan")})
    for bad in ([], [event(1), nan]):
        with pytest.raises(LocalProtocolError):
            stream.append_now(bad)
    assert numbers(stream.read_now()) == []
    stream.close_now()


def test_closed_stream_is_read_but_not_written(stream: Both) -> None:
    stream.append_now(event(1))
    stream.close_now()
    stream.close_now()
    with pytest.raises(StreamClosedError):
        stream.append_now(event(2))
    assert numbers(stream.read_now()) == [1]


async def use_interface(stream: Stream) -> list[object]:
    offset = await stream.append([event(1), event(2)])
    batch = await stream.read(limit=1)
    head = await stream.head()
    await stream.close()
    return [numbers(batch), batch.up_to_date, head == offset]


def test_interface_is_met(stream: Both) -> None:
    assert asyncio.run(use_interface(stream)) == [[1], False, True]


def test_follower_catches_up_and_then_gets_each_append_as_a_batch(stream: Both) -> None:
    async def run() -> list[object]:
        stream.append_now([event(1), event(2)])
        stream.append_now(event(3))
        batches = stream.follow()
        caught_up = numbers(await anext(batches))
        stream.append_now([event(4), event(5)])
        stream.append_now(event(6))
        live = await take(batches, 2)
        waiting = asyncio.ensure_future(take(batches, 1))
        await until(lambda: stream._signal.waiting == 1)
        await stream.append([event(7), event(8)])
        live += await waiting
        await stream.close()
        ended = [numbers(batch) async for batch in batches]
        return [caught_up, live, ended, stream._signal.waiting, len(asyncio.all_tasks())]

    assert asyncio.run(run()) == [[1, 2, 3], [[4, 5], [6], [7, 8]], [], 0, 1]


def test_follower_of_an_empty_stream_gets_an_empty_batch_at_once(stream: Both) -> None:
    async def run() -> None:
        batches = stream.follow()
        first = await anext(batches)
        assert (list(first.messages), first.up_to_date) == ([], True)
        await batches.aclose()
        await stream.close()

    asyncio.run(run())


def test_following_from_now_begins_at_the_call(stream: Both) -> None:
    async def run() -> None:
        stream.append_now(event(1))
        batches = stream.follow(Offset.NOW)
        stream.append_now(event(2))
        assert await take(batches, 1) == [[2]]
        await batches.aclose()
        await stream.close()

    asyncio.run(run())


def test_cancelled_follower_leaves_nothing_behind(stream: Both) -> None:
    async def run() -> None:
        batches = stream.follow()
        await anext(batches)
        waiting = asyncio.ensure_future(take(batches, 1))
        await until(lambda: stream._signal.waiting == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (stream._signal.waiting, len(asyncio.all_tasks())) == (0, 1)
        stream.append_now(event(1))
        await stream.close()

    asyncio.run(run())


def test_close_ends_waiting_followers(stream: Both) -> None:
    async def run() -> None:
        batches = stream.follow()
        await anext(batches)
        waiting = asyncio.ensure_future(anext(batches, None))
        await until(lambda: stream._signal.waiting == 1)
        stream.close_now()
        assert await waiting is None
        assert (stream._signal.waiting, len(asyncio.all_tasks())) == (0, 1)

    asyncio.run(run())


def test_append_from_another_thread_wakes_a_follower(stream: Both) -> None:
    async def run() -> None:
        batches = stream.follow()
        await anext(batches)
        waiting = asyncio.ensure_future(take(batches, 1))
        await until(lambda: stream._signal.waiting == 1)
        await asyncio.to_thread(stream.append_now, [event(1), event(2)])
        assert await waiting == [[1, 2]]
        await batches.aclose()
        await stream.close()

    asyncio.run(run())


def test_what_was_appended_cannot_be_changed(stream: Both) -> None:
    value = {"list": [1]}
    change = event(1).model_copy(update={"value": value})
    stream.append_now(change)
    value["list"].append(2)
    stream.read_now().messages[0]["value"]["list"].append(3)
    assert stream.read_now().messages[0]["value"] == {"list": [1]}
    stream.close_now()


@pytest.mark.parametrize("given", [{"type": "m", "key": "1"}, [{"type": "m", "key": "1"}]])
def test_what_is_no_event_is_refused_with_a_hint(stream: Both, given: Any) -> None:
    with pytest.raises(LocalProtocolError, match=r"^append takes events, not \{'key'") as caught:
        stream.append_now(given)
    assert "parse_event" in caught.value.__notes__[0]
    assert stream.read_now().messages == []
