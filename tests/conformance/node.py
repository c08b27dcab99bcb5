"""Node programs in tests: the pinned packages of `node/`, installed once into an ignored folder."""

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.conformance.server import ROOT

SOURCES = Path(__file__).parent / "node"


def node_folder() -> Path:
    """Return a folder with the packages installed and the programs of `node/` beside them.

    Skips without Node, or where the packages neither are there nor can be fetched.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    lock = (SOURCES / "package-lock.json").read_bytes()
    folder = ROOT / ".node_cache" / sha256(lock).hexdigest()[:16]
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, folder)
        # Scripts of packages are not run: nothing here needs them.
        install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"needs the packages of {SOURCES.name}/ from npm: {done.stderr[-500:]}")
        (folder / ".installed").touch()
    for program in SOURCES.glob("*.mjs"):
        shutil.copy(program, folder)
    return folder


def run_node(folder: Path, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of the folder to its end."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
