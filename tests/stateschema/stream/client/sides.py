"""Both clients behind one face, so that one test holds for both.

A test writes `side.call(stream.append(1))`: the asynchronous side awaits what the method returned,
the blocking side has the result already. When a side ends, nothing may be left behind.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from typing import Any

import httpx

from stateschema.stream.client import BlockingStreamClient, StreamClient


class AsyncSide:
    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._streams: list[StreamClient] = []

    def open(self, url: str, **settings: Any) -> StreamClient:
        stream = StreamClient(url, **settings)
        self._streams.append(stream)
        return stream

    def faked(self, handler: Callable[[httpx.Request], httpx.Response], **settings: Any) -> Any:
        """A client whose server is a function."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
        return self.open("http://fake/s", http=http, **settings)

    def call(self, made: Any) -> Any:
        return self._runner.run(_awaited(made))

    def all(self, *calls: Callable[[], Any]) -> list[Any]:
        """Call at the same time; give results or exceptions."""

        async def gathered() -> list[Any]:
            return await asyncio.gather(*(call() for call in calls), return_exceptions=True)

        return self._runner.run(gathered())

    def take(self, batches: Any, until: Callable[[Any], bool]) -> list[Any]:
        """Take batches up to the first that `until` holds for, or to the end."""

        async def taken() -> list[Any]:
            found: list[Any] = []
            async with aclosing(batches):
                async for batch in batches:
                    found.append(batch)
                    if until(batch):
                        break
            return found

        return self._runner.run(taken())

    def end(self) -> None:
        for stream in self._streams:
            self.call(stream.close())
        left = self._runner.run(_tasks())
        self._runner.close()
        assert left == [], left


class BlockingSide:
    def __init__(self) -> None:
        self._streams: list[BlockingStreamClient] = []
        self._before = set(threading.enumerate())

    def open(self, url: str, **settings: Any) -> BlockingStreamClient:
        stream = BlockingStreamClient(url, **settings)
        self._streams.append(stream)
        return stream

    def faked(self, handler: Callable[[httpx.Request], httpx.Response], **settings: Any) -> Any:
        """A client whose server is a function."""
        http = httpx.Client(transport=httpx.MockTransport(handler))
        return self.open("http://fake/s", http=http, **settings)

    def call(self, made: Any) -> Any:
        return made

    def all(self, *calls: Callable[[], Any]) -> list[Any]:
        """Call at the same time; give results or exceptions."""
        with ThreadPoolExecutor(len(calls)) as pool:
            futures = [pool.submit(call) for call in calls]
        return [future.exception() or future.result() for future in futures]

    def take(self, batches: Any, until: Callable[[Any], bool]) -> list[Any]:
        """Take batches up to the first that `until` holds for, or to the end."""
        found: list[Any] = []
        with closing(batches):
            for batch in batches:
                found.append(batch)
                if until(batch):
                    break
        return found

    def end(self) -> None:
        for stream in self._streams:
            stream.close()
        assert set(threading.enumerate()) - self._before == set()


async def _awaited(made: Any) -> Any:
    return await made


async def _tasks() -> list[str]:
    for _ in range(10):  # asyncio ends generators that were left in tasks of a moment
        await asyncio.sleep(0)
    return [repr(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]
