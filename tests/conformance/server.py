"""A server of its own process, as users start it, for tests that talk to it from outside."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = "serving streams at "
PREFIX = "/v1/stream/"


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: the process, and the URL that paths are added to."""

    process: "subprocess.Popen[str]"
    url: str

    def stream(self, name: str) -> str:
        """Return the URL of a stream."""
        return f"{self.url}{PREFIX}{name}"


@contextmanager
def serving(store: str, *arguments: str, port: int = 0) -> Generator[Served]:
    """Run `python -m stateschema serve` until the block ends; it must end cleanly by SIGTERM."""
    command = [sys.executable, "-m", "stateschema", "serve", "--port", str(port), "--store", store]
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith(READY), f"the server did not start: {line!r}"
            yield Served(process, line.removeprefix(READY).strip().removesuffix(PREFIX))
        finally:
            process.terminate()
            process.wait(timeout=30)
