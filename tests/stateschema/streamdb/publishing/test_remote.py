"""Publishing to a stream on a server, over a network that loses requests and answers: exactly once."""

import asyncio
from typing import Any

import pytest

from dataflow import Collection
from stateschema.errors import RefusedError
from stateschema.stream.client import BlockingStreamClient, Retry, StreamClient
from stateschema.streamdb.publishing.publisher import BlockingPublisher, publish
from tests.stateschema.stream.client.servers import FAULTS, faulty, served

TIRELESS = Retry(initial=0.001, maximum=0.01, max_retries=None)
EPOCHS = 40

Row = dict[str, Any]


def write(rows: Collection[Row], n: int) -> None:
    with rows.sync() as writer:
        writer.upsert({"id": "counter", "n": n})
        writer.upsert({"id": f"row {n}"})
        writer.delete(f"row {n - 1}")


def expected(epochs: int) -> list[tuple[str, str, int | None]]:
    """Operation, key and count of each event."""
    told: list[tuple[str, str, int | None]] = []
    for n in range(epochs):
        told.append(("update" if n else "upsert", "counter", n))
        told.append(("upsert", f"row {n}", None))
        if n:
            told.append(("delete", f"row {n - 1}", None))
    return sorted(told)


def found(url: str) -> list[tuple[str, str, int | None]]:
    with BlockingStreamClient(url) as stream:
        return sorted(
            (wire["headers"]["operation"], wire["key"], wire.get("value", {}).get("n"))
            for wire in stream.read_all()
            if wire["type"] == "row"
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_every_epoch_is_told_once(seed: int) -> None:
    async def program(url: str, through: str) -> None:
        rows = Collection[Row]("rows", key="id")
        async with StreamClient(url) as stream:
            await stream.create()
        for restart in range(2):
            async with (
                StreamClient(through, retry=TIRELESS) as stream,
                publish(rows, stream, type="row") as publisher,
            ):
                for n in range(EPOCHS):
                    write(rows, restart * EPOCHS + n)
                    if n % 3 == 0:
                        await publisher.flush()

    with served() as server:
        url = f"{server}view"
        with faulty(url, chance=0.3, seed=seed) as (through, proxy):
            asyncio.run(program(url, through))
        assert found(url) == expected(2 * EPOCHS)
        assert set(proxy.faults) == set(FAULTS)


def test_a_blocking_publisher_tells_every_epoch_once() -> None:
    with served() as server:
        url = f"{server}view"
        with BlockingStreamClient(url) as made:
            made.create()
        rows = Collection[Row]("rows", key="id")
        with faulty(url, chance=0.3, seed=3) as (through, proxy):
            stream = StreamClient(through, retry=TIRELESS)
            with BlockingPublisher(rows, stream, type="row") as publisher:
                for n in range(EPOCHS):
                    write(rows, n)
                    if n % 3 == 0:
                        publisher.flush()
        assert found(url) == expected(EPOCHS)
        assert "swallow" in proxy.faults


def test_a_publisher_that_was_succeeded_adds_nothing_unseen() -> None:
    """Even if its successor has had nothing to say so far."""

    async def program(url: str) -> None:
        old, new = Collection[Row]("old", key="id"), Collection[Row]("new", key="id")
        for rows in (old, new):
            with rows.sync() as writer:
                writer.upsert({"id": "1"})
        async with StreamClient(url) as stream, StreamClient(url) as again:
            await stream.create()
            first, second = publish(old, stream, type="row"), publish(new, again, type="row")
            await first.start()
            await second.start()
            with old.sync() as writer:
                writer.upsert({"id": "of an old version"})
            with pytest.raises(RefusedError):
                await first.flush()
            assert [wire["key"] for wire in await stream.read_all() if wire["type"] == "row"] == [
                "1"
            ]
            await first.close()
            await second.close()

    with served() as url:
        asyncio.run(program(f"{url}views"))
