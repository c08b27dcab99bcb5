"""Compaction: a smaller stream that says the same, to readers at any offset, while others write."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stateschema.__main__ import main
from stateschema.errors import EventError, LocalProtocolError, OffsetGoneError
from stateschema.events import parse_events
from stateschema.state import MaterializedState
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.append import Append
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.record import JSON, Record
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server import Settings, StreamServer
from stateschema.stream.store import log, snapshot
from stateschema.stream.store.compaction import Compactor, compact
from stateschema.stream.store.interface import Store
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.sqlite import SqliteStore
from stateschema.stream.store.stream import StoreStream
from stateschema.streamdb.attach import attach
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.router import Router
from tests.stateschema.streamdb.chat import (
    Chat,
    change,
    control,
    events,
    expected,
    histories,
    message,
    shown,
)

Wire = dict[str, Any]


class Reader:
    """Folds a stream from wherever it is, as a client does: it merges or replaces by its schema."""

    def __init__(self, stream: StoreStream) -> None:
        self._stream = stream
        self.restart()

    def restart(self) -> None:
        self.offset: Offset = Offset.START
        self.collections = attach(Chat)
        self._router = Router(self.collections)
        self.replaced = MaterializedState()

    async def read(self, limit: int | None = None) -> None:
        while True:
            try:
                batch = await self._stream.read(self.offset, limit=limit)
            except OffsetGoneError:
                self.restart()
                continue
            self._router.apply(batch.messages)
            self.replaced.apply_batch(parse_events(batch.messages))
            self.offset = batch.next_offset
            if batch.up_to_date or limit is not None:
                return

    def state(self) -> tuple[Any, Any]:
        rows = {name: dict(self.replaced.get_type(name)) for name in self.replaced.types}
        return shown(self.collections), rows


def run(program: Coroutine[Any, Any, None]) -> None:
    asyncio.run(program)


async def stream_in(store: Store, name: str = "s") -> StoreStream:
    stream = StoreStream(store, name)
    await stream.create()
    return stream


def replaced(history: list[Wire]) -> Any:
    state = MaterializedState()
    state.apply_batch(parse_events(history))
    return {name: dict(state.get_type(name)) for name in state.types}


STEPS = st.lists(
    st.one_of(
        histories(max_size=8),
        histories(max_size=8),
        st.sampled_from(["compact", "drop", "reader"]),
        st.integers(1, 9),  # every reader reads as many messages
    ),
    max_size=14,
)


DEVICE = {"actor": "ada", "device": "1"}
DIFFERENT = [  # a row for those who merge, and another one for those who replace
    change("presence", "ada:1", "insert", {**DEVICE, "name": "a"}),
    change("presence", "ada:1", "update", {**DEVICE, "status": "b"}),
]


@settings(max_examples=settings().max_examples // 3)
@given(STEPS)
@example([DIFFERENT, "compact", "drop"])
def test_readers_at_any_offset_see_nothing_but_the_state(steps: list[Any]) -> None:
    async def program() -> None:
        store = MemoryStore()
        stream = await stream_in(store)
        history: list[Wire] = []
        snapshots: list[int] = [0]
        readers = [Reader(stream)]
        for step in steps:
            match step:
                case "compact":
                    snapshots.append(await compact(store, "s"))
                case "drop":
                    await store.drop("s", snapshots[-1])
                case "reader":
                    readers.append(Reader(stream))
                case int():
                    for reader in readers:
                        await reader.read(limit=step)
                case _:
                    history += step
                    if step:
                        await stream.append(events(step))
        for reader in [*readers, Reader(stream)]:
            await reader.read()
            assert reader.state() == (expected(history), replaced(history))

    run(program())


@settings(max_examples=settings().max_examples // 3)
@given(histories(), histories())
def test_a_new_reader_gets_the_state_and_not_the_history(
    before: list[Wire], after: list[Wire]
) -> None:
    async def program() -> None:
        store = MemoryStore()
        stream = await stream_in(store)
        await stream.append(events([message("0"), *before]))
        await store.drop("s", await compact(store, "s"))
        rows = sum(map(len, replaced([message("0"), *before]).values()))
        said = (await stream.read()).messages
        assert said[0] == control("snapshot-start")
        assert len(said) <= 4 * rows + 3  # a row may take two events, and be in two snapshots
        if after:
            await stream.append(events(after))
        reader = Reader(stream)
        await reader.read()
        whole = [message("0"), *before, *after]
        assert reader.state() == (expected(whole), replaced(whole))

    run(program())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_it_is_invisible_while_ten_writers_append(kind: str, tmp_path: Path) -> None:
    async def program() -> None:
        store: Any = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "s.db")
        stream = await stream_in(store)
        writing = 10

        async def write(number: int) -> None:
            nonlocal writing
            for n in range(40):
                row = message(str(number), str(n), txid=f"{number}:{n}")
                shared = message("shared", f"{number}:{n}")
                gone = [change("message", f"{number}-{n - 1}", "delete")] if n else []
                await stream.append(events([row, shared, message(f"{number}-{n}"), *gone]))
                await asyncio.sleep(0)
            writing -= 1

        async def keep_compacting() -> int:
            rounds = 0
            while writing:
                await store.drop("s", await compact(store, "s"))
                rounds += 1
                await asyncio.sleep(0)
            return rounds

        async def keep_joining(readers: AsyncExitStack) -> list[StreamDB[Chat]]:
            """Readers that begin at the start, wherever that is by then, and go on from there."""
            joined = [await readers.enter_async_context(StreamDB(Chat, stream=stream))]
            while writing and len(joined) < 8:
                for _ in range(2 ** len(joined)):
                    await asyncio.sleep(0)
                reader = StreamDB(Chat, stream=stream)
                joined.append(await readers.enter_async_context(reader))
            return joined

        async with AsyncExitStack() as readers:
            joining = asyncio.create_task(keep_joining(readers))
            compacting = asyncio.create_task(keep_compacting())
            await asyncio.gather(*(write(n) for n in range(10)))
            assert await compacting > 1
            joined = await joining
            assert len(joined) > 1
            await stream.append(events([message("last", txid="end")]))  # a snapshot has no txids
            await asyncio.gather(*(reader.wait_txid("end") for reader in joined))
            (found,) = {tuple(sorted(reader.collections.messages.items())) for reader in joined}
        texts = {key: row.text for key, row in found}
        assert {key: text for key, text in texts.items() if key.isdigit()} == {
            str(number): "39" for number in range(10)
        }
        assert {key for key in texts if "-" in key} == {f"{number}-39" for number in range(10)}
        async with StreamDB(Chat, stream=stream) as new:
            assert tuple(sorted(new.collections.messages.items())) == found
        await store.close()

    run(program())


def test_a_large_snapshot_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "RECORD_BYTES", 200)

    async def program() -> None:
        store = MemoryStore()
        stream = await stream_in(store)
        await stream.append(events([message(str(n), "x" * 50) for n in range(20)]))
        start = await compact(store, "s")
        assert len(store.read("s", start, max_bytes=1).data) == 1
        assert not store.read("s", start, max_bytes=1).up_to_date
        assert len((await stream.read(Offset.mint(start))).messages) == 22

    run(program())


def test_older_offsets_are_gone_and_later_ones_stay() -> None:
    async def program() -> None:
        store = MemoryStore()
        stream = await stream_in(store)
        old = await stream.append(events([message("1")]))
        tail = await stream.append(events([message("1", "a")]))
        await store.drop("s", await compact(store, "s"))
        with pytest.raises(OffsetGoneError):
            await stream.read(old)
        late = (await stream.read(tail)).messages
        assert late == [
            control("snapshot-start"),
            {**message("1", "a")},
            control("snapshot-end"),
        ]

    run(program())


def test_what_holds_no_events_is_not_compacted() -> None:
    async def program() -> None:
        store = MemoryStore()
        await store.create("text", Creation(content_type="text/plain"))
        with pytest.raises(RejectedError, match="'text' holds no events"):
            await compact(store, "text")
        await stream_in(store)
        await store.append("s", Append(record=Record(b'{"n":1}', 1), content_type=JSON))
        with pytest.raises(EventError):
            await compact(store, "s")
        elsewhere = await stream_in(store, "elsewhere")
        reset = {"headers": {"control": "reset", "offset": "-1"}}
        await elsewhere.append(events([message("1"), reset]))
        with pytest.raises(LocalProtocolError, match="reset to an offset"):
            await compact(store, "elsewhere")
        assert (await elsewhere.read()).messages == [message("1"), reset]

    run(program())


def test_a_server_compacts_what_has_grown(caplog: pytest.LogCaptureFixture) -> None:
    async def program() -> None:
        now = 1000.0
        store = MemoryStore()
        compactor = Compactor(store, max_bytes=1000, grace=60, clock=lambda: now)
        stream = await stream_in(store)
        small = await stream_in(store, "small")
        await small.append(events([message("1")]))
        await store.create("other", Creation(content_type=JSON, body=b'["%b"]' % (b"x" * 2000)))
        for n in range(30):
            await stream.append(events([message("1", str(n))]))
        for _ in range(3):
            await compactor.sweep()  # a snapshot, once
        assert store.head("s").tail == 33
        assert store.head("s").first == 0
        now += 61
        await compactor.sweep()
        assert store.head("s").first == 30
        await compactor.sweep()
        assert (store.head("s").tail, store.head("small").tail) == (33, 1)
        for n in range(30):
            await stream.append(events([message("1", str(n))]))
        await compactor.sweep()
        assert store.head("s").tail == 66

    run(program())
    assert caplog.text.count("stream 'other' is not compacted") == 1


def test_a_server_sweeps_with_its_compactor() -> None:
    async def program() -> None:
        store = MemoryStore()
        swept = asyncio.Event()

        class Noting(Compactor):
            async def sweep(self) -> None:
                swept.set()

        server = StreamServer(
            store,
            settings=Settings(sweep_interval=0.001),
            compactor=Noting(store, max_bytes=1),
        )
        sent: list[Any] = []

        async def send(reply: Any) -> None:
            sent.append(reply)

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/health",
            "query_string": b"",
            "headers": [],
        }
        await server(scope, receive, send)
        await asyncio.wait_for(swept.wait(), 10)
        await server.aclose()

    run(program())


def test_a_log_file_is_not_compacted(tmp_path: Path) -> None:
    async def program() -> None:
        store = log.LogStore(tmp_path / "s.jsonl")
        assert list(store.larger_than(0)) == []
        with pytest.raises(RejectedError, match="keeps no compaction"):
            await compact(store, "s")
        with pytest.raises(RejectedError, match="keeps no compaction"):
            await store.drop("s", 0)
        await store.close()

    run(program())


def test_the_command_does_not_compact_what_it_drops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--compact-bytes", "1000", "--retain-bytes", "1000"]) == 2
    assert "--compact-bytes keeps what --retain-... would drop" in capsys.readouterr().err
