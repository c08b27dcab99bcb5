"""Streams and their forks whose time is over: nobody is hindered by what nobody can use any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stateschema.stream.protocol.create import Creation, ForkPoint
from stateschema.stream.protocol.expiry import Expiry
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from stateschema.stream.store.interface import Store

SOURCE = Creation(content_type="text/plain", body=b"abc", expiry=Expiry(ttl=10))
FORK = Creation(content_type="text/plain", fork=ForkPoint(source="source"))


class Bench:
    """A store with a clock that stands until told to go on."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.now = 0.0
        self.store: Store = (
            MemoryStore(clock=self.time)
            if kind == "memory"
            else SqliteStore(folder / "streams.db", clock=self.time)
        )

    def time(self) -> float:
        return self.now

    async def made(self, *, fork_at: float) -> None:
        """Make a source that lasts ten seconds, and later a fork that does."""
        await self.store.create("source", SOURCE)
        self.now = fork_at
        await self.store.create("fork", FORK)

    def refusal(self, name: str) -> int | None:
        try:
            self.store.read(name, None, max_bytes=100)
        except RejectedError as error:
            return error.status
        return None


def on_both(check: Callable[[Bench], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Turn a check into a test of both stores."""

    @pytest.mark.parametrize("kind", ["memory", "sqlite"])
    def test(tmp_path: Path, kind: str) -> None:
        async def run() -> None:
            bench = Bench(tmp_path, kind)
            try:
                await check(bench)
            finally:
                await bench.store.close()

        asyncio.run(run())

    return test


@on_both
async def test_a_name_is_free_once_the_stream_and_its_forks_have_expired(bench: Bench) -> None:
    await bench.made(fork_at=0)
    bench.now = 10
    assert (await bench.store.create("source", SOURCE)).is_new


@on_both
async def test_a_stream_is_hidden_as_long_as_a_fork_of_it_lasts(bench: Bench) -> None:
    await bench.made(fork_at=5)
    bench.now = 10
    assert (bench.refusal("source"), bench.refusal("fork")) == (410, None)
    with pytest.raises(RejectedError, match="has forks"):
        await bench.store.create("source", SOURCE)
    bench.now = 15
    assert (bench.refusal("source"), bench.refusal("fork")) == (404, 404)
    assert (await bench.store.create("source", SOURCE)).is_new


@on_both
async def test_a_fork_that_expires_before_its_source_leaves_nothing_behind(bench: Bench) -> None:
    await bench.made(fork_at=0)
    bench.now = 5
    bench.store.use("source")  # which lasts until 15 now
    bench.now = 15
    await bench.store.sweep()
    assert (bench.refusal("source"), bench.refusal("fork")) == (404, 404)
    assert (await bench.store.create("source", SOURCE)).is_new


@on_both
async def test_a_fork_of_a_hidden_fork_counts(bench: Bench) -> None:
    await bench.made(fork_at=0)
    bench.now = 5
    await bench.store.create(
        "second", Creation(content_type="text/plain", fork=ForkPoint(source="fork"))
    )
    bench.now = 12
    assert [bench.refusal(name) for name in ("source", "fork", "second")] == [410, 410, None]
    bench.now = 15
    assert [bench.refusal(name) for name in ("source", "fork", "second")] == [404, 404, 404]
