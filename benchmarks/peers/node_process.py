"""Peers on Node: one small program each, installed once into an ignored folder, spoken to by lines of JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.checksum import checksum
from benchmarks.peers.peer import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

SOURCES = Path(__file__).parent / "node"
CACHE = Path(__file__).parents[2] / ".node_cache"


class NodeProcess:
    """A program on Node that stays up, so that it is compiled when it is measured, and answers lines of JSON.

    Args:
        folder: where the program is, beside its packages.
        program: its file name.
        arguments: what it is started with.
        megabytes: how large its heap may grow.
    """

    def __init__(self, folder: Path, program: str, *arguments: str, megabytes: int) -> None:
        self._process = subprocess.Popen(
            ["node", "--expose-gc", f"--max-old-space-size={megabytes}", program, *arguments],
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
            RuntimeError: it failed, or has ended.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"command": command, **given}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{process.args!r} ended with status {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{process.args!r} failed: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the program."""
        process = self._process
        if process.poll() is None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


class NodePeer:
    """A program of `node/` that answers one question.

    Args:
        program: its file name.
        question: what it answers.
    """

    def __init__(self, program: str, question: str) -> None:
        folder = installed()
        shutil.copy(SOURCES / "protocol.mjs", folder)
        shutil.copy(SOURCES / program, folder)
        if f"  {question}:" not in (SOURCES / program).read_text("utf-8") and (
            f"  {question}," not in (SOURCES / program).read_text("utf-8")
        ):
            raise Unavailable(f"{question} is not written for {program}")
        self._process = NodeProcess(folder, program, question, megabytes=8192)

    def load(self, tables: Tables) -> int:
        """Take the tables in; return the time."""
        return int(self._process.ask("load", tables=tables)["time"])

    def hydrate(self) -> int:
        """Build the answer anew; return the time."""
        return int(self._process.ask("hydrate")["time"])

    def commits(self, batches: Sequence[Sequence[Write]], allowance: int) -> list[int]:
        """Apply batches; return the times of those that were applied one at a time."""
        times: list[int] = self._process.ask("commits", batches=batches, allowance=allowance)[
            "times"
        ]
        return times

    def rows(self) -> list[Row]:
        """Return the answer."""
        rows: list[Row] = self._process.ask("rows")["rows"]
        return rows

    def checksum(self, *, ordered: bool) -> int:
        """Return the checksum of the answer."""
        return checksum(self.rows(), ordered=ordered)

    def heard(self) -> None:
        """Return nothing: deliveries are not counted there."""

    def memory(self, tables: Tables) -> tuple[int, int]:
        """Load and hydrate; return the bytes that each left on the heap."""
        found = self._process.ask("memory", tables=tables)
        return found["source"], found["answer"]

    def close(self) -> None:
        """End the program."""
        self._process.close()


def installed(sources: Path = SOURCES, name: str = "peers") -> Path:
    """Install the packages once; return the folder.

    Args:
        sources: where the package.json is that names them.
        name: begins the name of the folder.

    Raises:
        Unavailable: without Node, or where the packages neither are there nor can be fetched.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Unavailable("needs node and npm")
    wanted = (sources / "package.json").read_bytes()
    folder = CACHE / f"{name}-{sha256(wanted).hexdigest()[:16]}"
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources / "package.json", folder)
        install = [
            npm,
            "install",
            "--ignore-scripts",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
        ]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"npm could not install the packages: {done.stderr[-300:]}")
        (folder / ".installed").touch()
    return folder
