"""The other processes: our server with its view, and the TypeScript client."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import node_process

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


@contextmanager
def typescript() -> Generator[node_process.NodeProcess]:
    """Run the TypeScript client.

    Raises:
        Unavailable: Without Node, or where its packages neither are there nor can be fetched.
    """
    folder = node_process.installed(SOURCES, "streamdb")
    shutil.copy(node_process.SOURCES / "protocol.mjs", folder)
    shutil.copy(SOURCES / "client.mjs", folder)
    client = node_process.NodeProcess(folder, "client.mjs", megabytes=4096)
    try:
        yield client
    finally:
        client.close()
