"""Measurements as lines of JSON, each with what else its figures depend on: code, versions, machine, command."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from benchmarks.measurement import Measurement
from benchmarks.peers.node_process import SOURCES
from benchmarks.plan import SEED

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGES = (
    "stateschema",
    "sortedcontainers",
    "numpy",
    "pydantic",
    "msgspec",
    "duckdb",
    "polars",
    "pathway",
)


def environment(command: str) -> dict[str, Any]:
    """Return what a number depends on."""
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "code": _code(),
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in PACKAGES},
            "sqlite": sqlite3.sqlite_version,
            "node": _node(),
            **json.loads((SOURCES / "package.json").read_text("utf-8"))["dependencies"],
        },
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cpus": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        },
        "seed": SEED,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # ours runs from a checkout, too
        return None


def _node() -> str | None:
    return _said("node", "--version")


def _code() -> str | None:
    """Return the commit that is checked out, marked if files differ from it; None outside of a repository."""
    return _said("git", "-C", str(SOURCES), "describe", "--always", "--dirty", "--exclude=*")


def _said(program: str, *arguments: str) -> str | None:
    """Return what a program writes, or None where it is missing or fails."""
    if which(program) is None:
        return None
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _processor() -> str:
    """Return the model of the processor; Linux hides it in a file."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write(path: Path, measurements: Iterable[Measurement], around: dict[str, Any]) -> None:
    """Write one JSON object a line: a measurement and its environment, each as soon as it is there."""
    with path.open("w", encoding="utf-8") as file:
        for found in measurements:
            file.write(json.dumps({**asdict(found), **around}) + "\n")
            file.flush()


def read(path: Path) -> tuple[list[Measurement], dict[str, Any]]:
    """Read what `write` wrote; the environment is that of the first line."""
    if not path.exists():
        raise SystemExit(f"there is no file {path}")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if not lines:
        raise SystemExit(f"{path} holds no measurements")
    names = [field.name for field in fields(Measurement)]
    around = {name: value for name, value in lines[0].items() if name not in names}
    try:
        return [Measurement(**{name: line[name] for name in names}) for line in lines], around
    except KeyError as missing:
        raise SystemExit(f"{path} was written by another version: no {missing}") from missing
