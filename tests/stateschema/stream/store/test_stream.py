"""A stream of a store, held in the process of the server: what every stream promises."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from stateschema.errors import (
    LocalProtocolError,
    OffsetGoneError,
    RefusedError,
    StreamClosedError,
    StreamNotFoundError,
)
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.append import Append
from stateschema.stream.protocol.create import Creation
from stateschema.stream.store.interface import Store
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.sqlite import SqliteStore
from stateschema.stream.store.stream import StoreStream
from tests.stateschema.stream.logs import event, numbers, take


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    if request.param == "memory":
        return MemoryStore
    return lambda: SqliteStore(tmp_path / "s.db")


def test_it_is_appended_to_read_and_followed(make: Callable[[], Store]) -> None:
    async def run() -> None:
        store = make()
        stream = StoreStream(store, "s")
        await stream.create()
        await stream.create()
        first = await stream.append(event(1))
        last = await stream.append([event(2), event(3)])
        assert first < last == await stream.head()
        assert numbers(await stream.read()) == [1, 2, 3]
        assert numbers(await stream.read(first)) == [2, 3]
        cut = await stream.read(limit=2)
        assert (numbers(cut), cut.up_to_date) == ([1, 2], False)
        assert numbers(await stream.read(cut.next_offset)) == [3]
        async with aclosing(stream.follow(first)) as batches, aclosing(stream.follow("now")) as new:
            assert await take(batches, 1) == [[2, 3]]
            assert await take(new, 1) == [[]]
            await stream.append([event(4), event(5)])
            await stream.append(event(6))
            assert await take(batches, 2) == [[4, 5], [6]]  # each append as it was made
            assert await take(new, 2) == [[4, 5], [6]]
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("by", ["handle", "stream"])
def test_followers_end_when_it_is_closed(make: Callable[[], Store], by: str) -> None:
    async def run() -> None:
        store = make()
        stream = StoreStream(store, "s")
        await stream.create()
        seen: list[list[int]] = []

        async def follow() -> None:
            seen.extend([numbers(batch) async for batch in stream.follow()])

        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        if by == "handle":
            await stream.close()
        else:
            await store.append("s", Append(close=True))
        await asyncio.wait_for(following, 10)
        assert seen == [[]]
        with pytest.raises(StreamClosedError):
            await stream.append(event(1))
        await store.close()

    asyncio.run(run())


def test_refusals_are_those_of_a_client(make: Callable[[], Store]) -> None:
    async def run() -> None:
        store = make()
        missing = StoreStream(store, "missing")
        for attempt in (missing.read, missing.head, lambda: missing.append(event(1))):
            with pytest.raises(StreamNotFoundError, match="'missing'"):
                await attempt()
        with pytest.raises(StreamNotFoundError, match="'missing'"):
            missing.follow()
        await store.create("text", Creation(content_type="text/plain"))
        with pytest.raises(RefusedError) as refused:
            await StoreStream(store, "text").create()
        assert refused.value.status == 409
        await missing.create()
        with pytest.raises(OffsetGoneError):
            await missing.read(Offset.mint(1))
        with pytest.raises(LocalProtocolError, match="malformed"):
            await missing.read("x")
        await store.close()

    asyncio.run(run())
