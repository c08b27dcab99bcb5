"""A long day in short: nobody is told anything wrong, all end equal, nothing is left, memory stays flat.

Ten writers send exactly once, optimistically, or as they can; twenty readers come and go, by event
streams and long polls, from the start and from caches, of the ledger and of views of it; half of them
over a network that drops, swallows, cuts, delays and doubles. The server is killed again and again,
while it publishes the views and compacts all streams. Rows are bounded, so that whatever grows is a leak.
"""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stateschema.errors import OffsetGoneError
from stateschema.events import new_txid
from stateschema.stream.client.client import StreamClient
from stateschema.stream.offset import Offset
from stateschema.streamdb.db import StreamDB
from tests.stateschema.stream.client.servers import faulty
from tests.stateschema.streamdb.soak import memory
from tests.stateschema.streamdb.soak.ledger import BASE, DERIVED, PAIR, Ledger, Shown, shown_of
from tests.stateschema.streamdb.soak.readers import IMPATIENT, Of, Reader
from tests.stateschema.streamdb.soak.server import Server
from tests.stateschema.streamdb.soak.writers import Acting, Producing, Tally, Transferring, Writer

MEGABYTE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How much happens.

    Attributes:
        producing, acting, transferring: Writers of each kind.
        readers: Readers at a time.
        kills: For each round, how often the server is killed during it.
        events: In each round, of each writer that produces.
        careful: In each round, of each other writer.
        stay: Seconds that a reader stays at most.
        compact_bytes, grace: Of compaction.
    """

    producing: int
    acting: int
    transferring: int
    readers: int
    kills: tuple[int, ...]
    events: int
    careful: int
    stay: float
    compact_bytes: int
    grace: float


SHORT = Day(
    producing=2,
    acting=1,
    transferring=1,
    readers=6,
    kills=(1, 0),
    events=150,
    careful=10,
    stay=0.5,
    compact_bytes=16_384,
    grace=1.0,
)
LONG = Day(
    producing=6,
    acting=2,
    transferring=2,
    readers=20,
    kills=(6, 6, 0, 0),
    events=1500,
    careful=60,
    stay=4.0,
    compact_bytes=200_000,
    grace=3.0,
)


@dataclass(slots=True)
class Rest:
    """What is held at a moment of rest."""

    objects: Counter[str]
    handles: int
    server: int


@dataclass(slots=True)
class World:
    """All that take part."""

    day: Day
    server: Server
    writers: list[Writer]
    readers: list[Reader]
    tally: Tally
    reported: list[str]
    rests: list[Rest] = field(default_factory=list)

    async def live(self) -> None:
        for number, kills in enumerate(self.day.kills):
            await self._round(kills, random.Random(number))
            await self._compare()
            self.rests.append(Rest(memory.objects(), memory.handles(), self.server.resident()))

    async def _round(self, kills: int, chance: random.Random) -> None:
        over = asyncio.Event()
        begun = self.tally.written
        async with asyncio.TaskGroup() as group:
            for reader in self.readers:
                group.create_task(reader.come_and_go(over, self.day.stay))
            writing = [group.create_task(self._write(writer)) for writer in self.writers]
            for kill in range(1, kills + 1):
                due = begun + self.day.events * self.day.producing * kill // (kills + 1)
                await self.tally.reached(due)
                await self.server.kill()
                await asyncio.sleep(chance.uniform(0, 0.3))
                await self.server.start()
            await asyncio.wait(writing)
            over.set()

    async def is_compacted(self) -> bool:
        """Whether the beginnings of both streams are gone."""
        for name in (BASE, DERIVED):
            async with StreamClient(self.server.url + name) as stream:
                try:
                    await stream.read(Offset.mint(0))
                except OffsetGoneError:
                    continue
                return False
        return True

    async def _write(self, writer: Writer) -> None:
        is_producing = isinstance(writer, Producing)
        await writer.write(self.day.events if is_producing else self.day.careful)

    async def _compare(self) -> None:
        """Hold all readers to the model."""
        ends = await self._ends()
        found = await asyncio.gather(*(reader.read_to(ends.__getitem__) for reader in self.readers))
        entries = {key: row for writer in self.writers for key, row in writer.entries.items()}
        accounts = await self._accounts()
        wanted: dict[Of, Any] = {
            "ledger": (entries, accounts),
            "shown": shown_of(entries.values(), accounts.values()),
        }
        for reader, rows in zip(self.readers, found, strict=True):
            assert rows == wanted[reader.of]

    async def _ends(self) -> dict[Of, Offset]:
        """The ends of both streams, once the views say all that was written."""
        txid = new_txid()
        async with (
            StreamClient(self.server.url + BASE, retry=IMPATIENT) as base,
            StreamDB(Shown, url=self.server.url + DERIVED, retry=IMPATIENT) as shown,
        ):
            await base.append(Ledger.entries.delete("nobody's", txid=txid))
            await shown.wait_txid(txid, timeout=60)
            return {"ledger": await base.head(), "shown": shown.offset}

    async def _accounts(self) -> dict[str, Any]:
        """The accounts; each pair is that of one of the transfers that may be in the stream."""
        async with StreamDB(Ledger, url=self.server.url + BASE, live=False) as db:
            accounts = dict(db.collections.accounts)
        for number, writer in enumerate(self.writers):
            if isinstance(writer, Transferring):
                pair = [accounts[key] for key in (f"{number}a", f"{number}b") if key in accounts]
                ns = {account.n for account in pair} or {0}
                assert len(ns) == 1
                assert writer.completed <= ns.pop() <= writer.attempted
                assert sum(account.amount for account in pair) == (PAIR if pair else 0)
        return accounts


async def _live(day: Day, folder: Path) -> World:
    async with AsyncExitStack() as stack:
        server = Server(folder, compact_bytes=day.compact_bytes, grace=day.grace)
        stack.callback(server.stop)
        await server.start()
        bad, _ = stack.enter_context(faulty(server.url, chance=0.2, seed=day.readers))
        tally = Tally()
        kinds: list[type[Writer]] = [Producing] * day.producing
        kinds += [Acting] * day.acting + [Transferring] * day.transferring
        world = World(
            day,
            server,
            [kind(number, bad, tally) for number, kind in enumerate(kinds)],
            [Reader(number, (server.url, bad), folder) for number in range(day.readers)],
            tally,
            [],
        )
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: world.reported.append(repr(context))
        )
        await world.live()
        assert day is SHORT or await world.is_compacted()
        assert memory.tasks() == []
        return world


@pytest.mark.parametrize(
    "day", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)], ids=["short", "long"]
)
def test_all_readers_end_equal_whatever_fails(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stateschema.streamdb.db.LOST_ANSWER", 0.5)
    threads, handles = memory.threads(), memory.handles()
    world = asyncio.run(_live(day, tmp_path))
    assert memory.threads() == threads
    assert memory.handles() <= handles + 2
    assert world.reported == []
    assert world.server.complaints() == ""
    *_, before, last = world.rests
    assert memory.grown(before.objects, last.objects) == {}
    assert last.handles <= before.handles + 5
    assert all(reader.visits > len(day.kills) for reader in world.readers)
    assert all(reader.epochs for reader in world.readers)
    if day is LONG:
        assert world.tally.written >= 36_000
        assert last.server <= before.server * 1.1 + 8 * MEGABYTE
