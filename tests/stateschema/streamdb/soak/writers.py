"""Writers: what they have written is known to a model.

Producing     sends events of its own entries by an idempotent producer: exactly once
Acting        shows each change at once, by an optimistic action whose function appends it with a
              txid, and waits until that is observed, in the ledger and now and then in a view
Transferring  moves amounts between the accounts of its pair by the handlers of the collections,
              both in one append; these are sent once, so of a failed one nobody knows
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dataflow import Transaction, TransactionError, action
from stateschema.errors import NetworkError
from stateschema.events import ChangeEvent, new_txid
from stateschema.stream.client.client import StreamClient
from stateschema.stream.client.producer import Producer
from stateschema.stream.client.retry import Retry
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.soak.ledger import (
    BASE,
    DERIVED,
    PAIR,
    Account,
    Entry,
    Ledger,
    Shown,
)

TIRELESS = Retry(initial=0.005, maximum=0.1, max_retries=None)
KEYS = 20  # per writer


class Tally:
    """How many events have been written by all."""

    def __init__(self) -> None:
        self.written = 0
        self._moved = asyncio.Event()

    def add(self, events: int) -> None:
        self.written += events
        self._moved.set()

    async def reached(self, events: int) -> None:
        """Wait until so many have been written."""
        while self.written < events:
            self._moved.clear()
            await self._moved.wait()


class Writer(ABC):
    """One who writes events; `entries` is what they add up to.

    Args:
        number: Tells writers apart.
        url: Below it the streams are.
        tally: Counts the events of all writers.
    """

    def __init__(self, number: int, url: str, tally: Tally) -> None:
        self._number = number
        self._url = url
        self._tally = tally
        self._chance = random.Random(number)
        self._n = 0
        self.entries: dict[str, Entry] = {}

    @abstractmethod
    async def write(self, events: int) -> None:
        """Write events, and wait until they are acknowledged."""

    def _next(self) -> ChangeEvent:
        """Make the next change, in the model too."""
        self._n += 1
        self._tally.add(1)
        key = f"{self._number}-{self._chance.randrange(KEYS)}"
        if key in self.entries and self._chance.random() < 0.2:
            del self.entries[key]
            return Ledger.entries.delete(key, txid=new_txid())
        write = Ledger.entries.update if key in self.entries else Ledger.entries.insert
        row = Entry(id=key, writer=self._number, n=self._n, text="x" * self._chance.randrange(80))
        self.entries[key] = row
        return write(row, txid=new_txid())


class Producing(Writer):
    """Sends by a producer."""

    async def write(self, events: int) -> None:
        async with (
            StreamClient(self._url + BASE, retry=TIRELESS) as stream,
            stream.producer(max_batch_bytes=4096, linger=0.005) as producer,
        ):
            for _ in range(events):
                await producer.append(self._next())
                if self._n % 50 == 0:
                    await producer.flush()


class Acting(Writer):
    """Shows first and sends then."""

    async def write(self, events: int) -> None:
        async with (
            StreamClient(self._url + BASE, retry=TIRELESS) as stream,
            stream.producer(linger=0) as producer,
            StreamDB(Ledger, url=self._url + BASE, retry=TIRELESS) as db,
            StreamDB(Shown, url=self._url + DERIVED, retry=TIRELESS) as shown,
        ):
            act = action(on_mutate=_shows(db), mutation_fn=_sends(producer, db))
            for number in range(events):
                event = self._next()
                transaction = act(event)
                visible = db.collections.entries.get(event.key)
                assert visible == self.entries.get(event.key), "it is not shown at once"
                await transaction
                assert db.collections.entries.get(event.key) == visible
                if number % 5 == 0:
                    txid = event.headers.txid
                    assert txid is not None
                    await observed(shown, txid, lambda: True)


def _shows(db: StreamDB[Ledger]) -> Callable[[ChangeEvent], None]:
    entries = db.collections.entries

    def show(event: ChangeEvent) -> None:
        match event.headers.operation:
            case "insert":
                entries.insert(Entry(**event.value))
            case "update":
                entries.update(event.key, event.value)
            case _:
                entries.delete(event.key)

    return show


def _sends(producer: Producer, db: StreamDB[Ledger]) -> Callable[[ChangeEvent], Any]:
    async def send(event: ChangeEvent) -> None:
        await producer.append(event)
        offset = await producer.flush()
        assert event.headers.txid is not None
        assert offset is not None
        await observed(db, event.headers.txid, lambda: db.offset >= offset)

    return send


async def observed(db: StreamDB[Any], txid: str, is_past: Callable[[], bool]) -> None:
    """Wait for a txid; who has fallen behind a compaction is told the rows, but no txids."""
    while True:
        try:
            return await db.wait_txid(txid, timeout=10)
        except TimeoutError:
            if is_past():
                return None


class Transferring(Writer):
    """Moves amounts between two accounts."""

    def __init__(self, number: int, url: str, tally: Tally) -> None:
        super().__init__(number, url, tally)
        self.completed = 0  # number of the last transfer that is known to be in the stream

    @property
    def attempted(self) -> int:
        """Number of the last transfer."""
        return self._n

    async def write(self, events: int) -> None:
        async with StreamDB(Ledger, url=self._url + BASE, retry=TIRELESS) as db:
            for _ in range(events // 2):
                self._n += 1
                self._tally.add(2)
                transaction = self._transfer(db).commit()
                with suppress(TransactionError):
                    await transaction
                if transaction.state == "completed":
                    self.completed = self._n
                else:
                    assert isinstance(transaction.error, NetworkError), repr(transaction.error)

    def _transfer(self, db: StreamDB[Ledger]) -> Transaction:
        accounts = db.collections.accounts
        amount = self._chance.randrange(PAIR + 1)
        transaction = Transaction(mutation_fn=db.persist)
        with transaction:
            for side, held in (("a", amount), ("b", PAIR - amount)):
                key = f"{self._number}{side}"
                if key in accounts:
                    accounts.update(key, n=self._n, amount=held)
                else:
                    accounts.insert(Account(id=key, pair=self._number, n=self._n, amount=held))
        return transaction
