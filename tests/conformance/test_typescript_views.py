"""Derived streams and StreamDBs across languages: the published TypeScript packages, unmodified."""

import asyncio
import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stateschema.stream.client import StreamClient
from stateschema.streamdb.db import StreamDB
from tests.conformance.node import node_folder, run_node
from tests.conformance.server import PREFIX, READY, serving
from tests.stateschema.streamdb.chat import Chat, Message

VIEWS = ("--views", "tests.stateschema.streamdb.chat_views:VIEWS", "--long-poll-timeout", "2")


@pytest.mark.parametrize(
    ("store", "live"), [("memory:", "sse"), ("sqlite:///{folder}/s.db", "long-poll")]
)
def test_a_typescript_db_follows_a_view_and_acts_across_it(
    store: str, live: str, tmp_path: Path
) -> None:
    folder = node_folder()
    with serving(store.format(folder=tmp_path), *VIEWS) as server:
        run = run_node(folder, "node", "views.mjs", STREAMS_URL=server.url, LIVE=live)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "preloaded": ["c", "m"],
        "optimistic": ["c", "m", "f"],  # where the client put it
        "settled": ["c", "f", "m"],  # where the view has it
        "unchanged": ["c", "f", "m"],
        "moved": ["a", "f"],
        "totals": {'""': 1, "a": 1, "f": 1},  # the client puts the key into the row
        "write": 405,
    }


@contextmanager
def reference_server(folder: Path) -> Generator[str]:
    """The URL below which the reference server serves streams."""
    command = ["node", "reference.mjs"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith(READY), f"the server did not start: {line!r}"
            yield line.removeprefix(READY).strip().removesuffix(PREFIX)
        finally:
            process.terminate()
            process.wait(timeout=30)


def test_our_db_follows_the_reference_server_with_a_typescript_producer() -> None:
    folder = node_folder()

    async def program(url: str) -> None:
        async with StreamClient(f"{url}{PREFIX}chat") as stream:
            await stream.create()
            async with StreamDB(Chat, stream=stream) as db:
                writing = asyncio.to_thread(run_node, folder, "node", "writer.mjs", STREAMS_URL=url)
                run, _ = await asyncio.gather(writing, db.wait_txid("done", timeout=60))
                assert (run.returncode, run.stdout) == (0, "[]\n"), run.stderr
                expected = {
                    str(n): Message(id=str(n), text="first" if n % 2 else "second")
                    for n in range(100)
                    if n % 5
                }
                expected["last"] = Message(id="last", text="done")
                assert dict(db.collections.messages) == expected
                await db.collections.messages.insert(Message(id="own", text="of ours"))
            async with StreamDB(Chat, stream=stream) as late:
                own = Message(id="own", text="of ours")
                assert dict(late.collections.messages) == {**expected, "own": own}

    with reference_server(folder) as url:
        asyncio.run(program(url))
