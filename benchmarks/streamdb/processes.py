"""The other processes: our server with its view, and the TypeScript client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers.node_process import installed

if TYPE_CHECKING:
    from collections.abc import Generator

SOURCES = Path(__file__).parent / "node"
ROOT = Path(__file__).parents[2]
READY = "serving streams at "


@contextmanager
def server() -> Generator[str]:
    """Run our server with its view over a store in memory; give the URL below which streams are."""
    serve = [sys.executable, "-m", "stateschema", "serve", "--port", "0", "--store", "memory:"]
    views = ["--views", "benchmarks.streamdb.tasks:VIEWS"]
    process = subprocess.Popen([*serve, *views], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(READY):
            raise RuntimeError("the server did not start")
        yield line.removeprefix(READY).strip()
    finally:
        process.terminate()
        process.communicate()


class TypeScript:
    """The TypeScript StreamDB in a process that stays up, so that it is compiled when it is measured.

    Raises:
        Unavailable: Without Node, or where its packages neither are there nor can be fetched.
    """

    def __init__(self) -> None:
        folder = installed(SOURCES, "streamdb")
        shutil.copy(SOURCES / "client.mjs", folder)
        self._process = subprocess.Popen(
            ["node", "--expose-gc", "--max-old-space-size=4096", "client.mjs"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "NODE_ENV": "production"},
        )

    def ask(self, command: str, **given: Any) -> dict[str, Any]:
        """Have it do something, and return what it says about it.

        Raises:
            RuntimeError: It failed.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"command": command, **given}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        answer: dict[str, Any] = json.loads(line or '{"error": "it has ended"}')
        if "error" in answer:
            raise RuntimeError(f"the TypeScript client failed: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def typescript() -> Generator[TypeScript]:
    """Run the TypeScript client."""
    made = TypeScript()
    try:
        yield made
    finally:
        made.close()
