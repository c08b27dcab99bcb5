"""The servers that are measured, each a process of its own, all of them up during the whole run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".node_cache" / "benchmarks"

MEMORY = ("ours, memory", "node, memory")
DURABLE = ("ours, sqlite", "node, files")


@contextmanager
def running(*, durable: bool) -> Generator[dict[str, int]]:
    """Start our server and the reference with stores of one kind; give their ports by name."""
    node = _installed()
    ours, theirs = DURABLE if durable else MEMORY
    with TemporaryDirectory(dir=CACHE) as folder:  # /tmp may be no disk at all
        store = f"sqlite:///{folder}/streams.db" if durable else "memory:"
        ports = {ours: _free_port(), theirs: _free_port()}
        serve = [sys.executable, "-m", "stateschema", "serve", "--store", store]
        commands = [
            [*serve, "--port", str(ports[ours])],
            [*node, str(ports[theirs]), *([f"{folder}/node"] * durable)],
        ]
        processes = [
            subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True)
            for command, place in zip(commands, (ROOT, CACHE), strict=True)
        ]
        try:
            for process in processes:
                assert process.stdout is not None
                if not any(line.startswith("serving streams") for line in process.stdout):
                    raise RuntimeError("a server did not start")
            yield ports
        finally:
            for process in processes:
                process.kill()
                process.wait()


def _installed() -> list[str]:
    """Install the reference server once; return the command that runs it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise RuntimeError("the reference server needs node and npm")
    if not (CACHE / ".installed").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "node" / "package.json", CACHE)
        subprocess.run(
            [npm, "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"],
            cwd=CACHE,
            check=True,
            stdout=sys.stderr,
        )
        (CACHE / ".installed").touch()
    shutil.copy(HERE / "node" / "reference.mjs", CACHE)
    return [node, "reference.mjs"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
