"""`python -m stateschema serve`, as a process: what it prints, how it ends, what it refuses."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.server import PREFIX, ROOT, serving
from tests.stateschema.stream.server.test_kill import Peer, ask_once, contents

APPENDERS = 20


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stateschema", "serve", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_signal_ends_it_cleanly_and_no_acknowledged_write_is_lost(tmp_path: Path) -> None:
    async def append(port: int, number: int, acknowledged: list[int]) -> None:
        peer = Peer(port)
        while True:
            body = json.dumps({"producer": number, "seq": len(acknowledged)}).encode()
            headers = {"Content-Type": "application/json"}
            try:
                status = await peer.ask("POST", f"{PREFIX}s0", headers, body)
            except (OSError, EOFError):
                status = 503
            if status == 503:
                peer.forget()
                return
            assert status == 204
            acknowledged.append(len(acknowledged))

    async def main() -> None:
        store = f"sqlite:///{tmp_path}/s.db"
        with serving(store) as server:
            port = int(server.url.rpartition(":")[2])
            for stream in range(5):
                headers = {"Content-Type": "application/json"}
                assert await ask_once(port, "PUT", f"{PREFIX}s{stream}", headers) == 201
            waiting = [
                asyncio.create_task(ask_once(port, "GET", f"{PREFIX}s1{query}", {}))
                for query in ("?offset=-1&live=long-poll", "?offset=-1&live=sse")
            ]
            acknowledged: list[list[int]] = [[] for _ in range(APPENDERS)]
            appending = [
                asyncio.create_task(append(port, number, own))
                for number, own in enumerate(acknowledged)
            ]
            await asyncio.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.process.wait, 20) == 0
            await asyncio.gather(*appending)
            assert await asyncio.gather(*waiting) == [204, 200]
        with serving(store) as server:
            found = await contents(int(server.url.rpartition(":")[2]))
        for number, own in enumerate(acknowledged):
            # The last one may have been written without an answer.
            assert found[number][: len(own)] == own
            assert len(found[number]) <= len(own) + 1
        assert sum(map(len, acknowledged)) > APPENDERS

    asyncio.run(main())


def test_it_logs_requests_as_json_when_asked_to(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stateschema", "serve", "--port", "0", "--access-log"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        port = int(url.removesuffix(PREFIX).rpartition(":")[2])
        assert asyncio.run(ask_once(port, "PUT", f"{PREFIX}a", {})) == 201
        process.terminate()
        _, errors = process.communicate(timeout=20)
    (entry,) = map(json.loads, errors.splitlines())
    assert (entry["method"], entry["path"], entry["status"]) == ("PUT", f"{PREFIX}a", 201)


@pytest.mark.parametrize(
    ("store", "message"),
    [
        (
            "redis://x",
            "error: store 'redis://x' is of no known kind\nhint: write 'memory:', 'sqlite",
        ),
        ("sqlite:////nowhere/s.db", "error: database '/nowhere/s.db' cannot be made"),
        (f"sqlite:///{__file__}", "is no SQLite database"),
        ("log:////nowhere/s.jsonl", "error: log file '/nowhere/s.jsonl' cannot be opened: No such"),
    ],
)
def test_a_store_that_cannot_be_opened_is_an_error(store: str, message: str) -> None:
    done = run("--store", store)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_a_port_that_is_taken_is_an_error() -> None:
    with serving("memory:") as server:
        done = run("--port", server.url.rpartition(":")[2])
    assert done.returncode == 1
    assert "address already in use" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--long-poll-timeout", "0"),
        ("--max-body", "-1"),
        ("--retain-bytes", "x"),
        ("--port", "65536"),
        ("--port", "-1"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[str, str]) -> None:
    assert run(*arguments).returncode == 2
