"""Readers that come and go, each in another way, and hold every epoch they see to what must be true of it."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import Any, Literal

from stateschema.stream.client.following import Live
from stateschema.stream.client.retry import Retry
from stateschema.stream.offset import Offset
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.router import Committed
from tests.stateschema.streamdb.soak.ledger import BASE, DERIVED, PAIR, Ledger, Shown, told

IMPATIENT = Retry(initial=0.005, maximum=0.2, max_retries=None)

Of = Literal["ledger", "shown"]

_KINDS: tuple[tuple[Of, Live, bool, bool], ...] = tuple(
    product(("ledger", "shown"), ("sse", "long-poll", "auto"), (False, True), (False, True))
)


class Reader:
    """A place at which somebody reads, for a while, again and again.

    Args:
        number: Decides how: what, how to wait for news, with a cache or not, over which network.
        urls: Below them the streams are: the good network and the bad one.
        folder: Where the cache goes.
    """

    def __init__(self, number: int, urls: tuple[str, str], folder: Path) -> None:
        of, live, has_cache, is_bad = _KINDS[number * 7 % len(_KINDS)]
        self.of: Of = of
        self._chance = random.Random(number)
        self._settings: dict[str, Any] = {
            "url": urls[is_bad] + (BASE if of == "ledger" else DERIVED),
            "live": live,
            "retry": IMPATIENT,
            "cache": folder / f"reader-{number}.db" if has_cache else None,
        }
        self.visits = 0
        self.epochs = 0

    async def come_and_go(self, is_over: asyncio.Event, stay: float) -> None:
        """Follow for some time, up to `stay` seconds, leave, and come again, until it is over."""
        while not is_over.is_set():
            async with self._open():
                await _either(is_over, self._chance.uniform(0.1, stay))
            await _either(is_over, self._chance.uniform(0.0, stay / 4))

    async def read_to(self, end: Callable[[Of], Offset]) -> Any:
        """Follow up to an offset of the stream, and return what is there."""
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(self._open())
            arrived = asyncio.Event()

            def look(_: object) -> None:
                if db.offset >= end(self.of):
                    arrived.set()

            stack.callback(db.subscribe_commits(look))
            look(None)
            await asyncio.wait_for(arrived.wait(), 60)
            if self.of == "shown":
                return told(db.collections)
            return dict(db.collections.entries), dict(db.collections.accounts)

    def _open(self) -> StreamDB[Any]:
        self.visits += 1
        if self.of == "shown":
            db: StreamDB[Any] = StreamDB(Shown, on_commit=self._look_at_views, **self._settings)
        else:
            db = StreamDB(Ledger, on_commit=self._look_at_accounts, **self._settings)
            self._watch(db)
        self._db = db
        return db

    def _watch(self, db: StreamDB[Ledger]) -> None:
        """Hold the entries to what logs promise: nobody is ever told something older."""
        seen: dict[str, int] = {}

        def look(changes: list[Any]) -> None:
            for change in changes:
                if change.op != "delete":
                    assert change.value.n > seen.get(change.key, 0), (change, seen[change.key])
                    seen[change.key] = change.value.n

        db.collections.entries.subscribe(look)

    def _look_at_accounts(self, _: Committed) -> None:
        self.epochs += 1
        held: dict[int, int] = {}
        for account in self._db.collections.accounts.values():
            held[account.pair] = held.get(account.pair, 0) + account.amount
        assert set(held.values()) <= {PAIR}, held

    def _look_at_views(self, _: Committed) -> None:
        self.epochs += 1
        shown = told(self._db.collections)
        assert set(shown["pairs"].values()) <= {PAIR}, shown["pairs"]
        assert shown["newest"] == sorted(shown["newest"], key=lambda row: (-row[1], row[0]))


async def _either(over: asyncio.Event, seconds: float) -> None:
    """Wait for an event or for some time, whatever comes first."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        pass
