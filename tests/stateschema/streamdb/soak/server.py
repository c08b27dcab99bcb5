"""A server of its own process over a SQLite store, with views and compaction; killed and started again.

As a program, `python -m tests.stateschema.streamdb.soak.server PORT DATABASE COMPACT_BYTES GRACE`, it is
`python -m stateschema serve` with less patience: histories are dropped after GRACE seconds, and live
reads end after a few.
"""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

from stateschema.stream.server.app import StreamServer
from stateschema.stream.server.running import run_server
from stateschema.stream.server.settings import Settings
from stateschema.stream.store.compaction import Compactor
from stateschema.stream.store.sqlite import SqliteStore
from tests.conformance.server import READY, ROOT
from tests.stateschema.streamdb.soak.ledger import VIEWS


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Server:
    """One port, one database, one process after the other.

    Args:
        folder: Where the database is.
        compact_bytes: How large a stream has to be to be compacted.
        grace: Seconds after which what was compacted is dropped.
    """

    def __init__(self, folder: Path, *, compact_bytes: int, grace: float) -> None:
        self._port = free_port()
        store = str(folder / "streams.db")
        program = [sys.executable, "-m", __name__]
        self._command = [*program, str(self._port), store, str(compact_bytes), str(grace)]
        self._log = folder / "server.log"
        self._process: subprocess.Popen[str] | None = None
        self.url = f"http://127.0.0.1:{self._port}/v1/stream/"

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    async def kill(self) -> None:
        """End the process as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await asyncio.to_thread(self._process.communicate)
        self._process = None

    def stop(self) -> None:
        """End the process, which has to end well; nothing to do where there is none."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0, self.complaints()
        self._process = None

    def complaints(self) -> str:
        """What the processes have logged: warnings and worse."""
        return self._log.read_text("utf-8")

    def resident(self) -> int:
        """Bytes of memory that the process has now, 0 where nobody tells."""
        assert self._process is not None
        return resident(self._process.pid)

    def _start(self) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith(READY), self.complaints()


def resident(pid: int) -> int:
    """Bytes of memory that a process has in use, 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    found = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return 1024 * int(found[0]) if found else 0


def _announce(url: str) -> None:
    sys.stdout.write(f"{READY}{url}\n")
    sys.stdout.flush()


def main(port: str, store: str, compact_bytes: str, grace: str) -> None:
    opened = SqliteStore(store)
    server = StreamServer(
        opened,
        settings=Settings(long_poll_timeout=2.0, sse_duration=5.0, sweep_interval=0.25),
        companion=VIEWS,
        compactor=Compactor(opened, max_bytes=int(compact_bytes), grace=float(grace)),
    )
    run_server(
        server,
        host="127.0.0.1",
        port=int(port),
        ready=_announce,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
