"""What the SQLite store promises beyond the rules: durability, group commit, and which files it opens."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from stateschema.errors import StreamError
from stateschema.stream.protocol.append import Append
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.store.commits import Commits
from stateschema.stream.store.sqlite import SqliteStore


def text(content: str) -> Append:
    return Append(record=Record(content.encode(), len(content)), content_type="text/plain")


class Connection:
    """Notes statements, and lets a COMMIT pass only when told so."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.committing = Event()
        self.may_commit = Event()
        self.fails = False

    def execute(self, statement: str) -> None:
        if statement == "COMMIT":
            self.committing.set()
            assert self.may_commit.wait(timeout=30)
            if self.fails:
                raise sqlite3.OperationalError("disk is full")
        self.statements.append(statement)


@pytest.fixture
def connection() -> Generator[Connection]:
    made = Connection()
    yield made
    made.may_commit.set()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_nobody_hears_of_a_write_before_its_commit_has_returned(connection: Connection) -> None:
    async def main() -> None:
        woken: list[int] = []
        commits = Commits(connection.execute, woken.append)

        def work() -> str:
            commits.changed(7)
            return "done"

        write = asyncio.create_task(commits.run(work))
        await asyncio.to_thread(connection.committing.wait, 30)
        await settle()
        assert (write.done(), woken) == (False, [])
        connection.may_commit.set()
        assert await write == "done"
        assert woken == [7]
        await commits.close()

    asyncio.run(main())


def test_writes_that_gather_during_a_commit_share_the_next_one(connection: Connection) -> None:
    async def main() -> None:
        commits = Commits(connection.execute, lambda _: None)
        first = asyncio.create_task(commits.run(lambda: 0))
        await asyncio.to_thread(connection.committing.wait, 30)
        others = [asyncio.create_task(commits.run(lambda n=n: n)) for n in range(1, 50)]  # type: ignore[misc] # the default binds n
        await settle()
        connection.may_commit.set()
        assert await asyncio.gather(first, *others) == list(range(50))
        await commits.close()

    asyncio.run(main())
    assert connection.statements.count("COMMIT") == 2


def test_a_job_that_fails_is_undone_alone(connection: Connection) -> None:
    connection.may_commit.set()

    async def main() -> list[Any]:
        commits = Commits(connection.execute, lambda _: None)
        jobs = [lambda: "kept", lambda: 1 // 0, lambda: "kept too"]
        found = await asyncio.gather(*map(commits.run, jobs), return_exceptions=True)
        await commits.close()
        return found

    kept, failed, kept_too = asyncio.run(main())
    assert (kept, type(failed), kept_too) == ("kept", ZeroDivisionError, "kept too")
    undone = connection.statements.index("ROLLBACK TO job")
    assert connection.statements[undone - 1 : undone + 2] == [
        "SAVEPOINT job",
        "ROLLBACK TO job",
        "RELEASE job",
    ]


def test_a_commit_that_fails_fails_all_its_jobs_and_wakes_nobody(connection: Connection) -> None:
    connection.may_commit.set()
    connection.fails = True
    woken: list[int] = []

    async def main() -> None:
        commits = Commits(connection.execute, woken.append)
        with pytest.raises(StreamError, match="could not be made durable: disk is full"):
            await commits.run(lambda: commits.changed(1))
        await commits.close()

    asyncio.run(main())
    assert woken == []
    assert connection.statements[-1] == "ROLLBACK"


def test_closing_finishes_what_was_begun_and_refuses_the_rest(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "s.db")
        await store.create("a", Creation(content_type="text/plain"))
        writes = [asyncio.create_task(store.append("a", text("x"))) for _ in range(20)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*writes)
        with pytest.raises(RejectedError, match="the store is closed"):
            await store.append("a", text("y"))
        await store.close()
        again = SqliteStore(tmp_path / "s.db")
        assert again.head("a").tail == 20
        await again.close()

    asyncio.run(main())


def test_the_writer_waits_for_the_disk_at_every_commit(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    pragmas = [
        store._file.writing.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    ]
    asyncio.run(store.close())
    assert pragmas == ["wal", 2]


SCRIPT = """
import asyncio, os, sys
from stateschema.stream.protocol.append import Append
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.record import Record
from stateschema.stream.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(sys.argv[1])
    await store.create("a", Creation(content_type="text/plain"))
    for n in range(20):
        await store.append("a", Append(record=Record(b"x", 1), content_type="text/plain"))
        os.write(1, b"acknowledged")
    os._exit(0)

asyncio.run(main())
"""


def test_the_system_sees_a_sync_between_a_write_and_its_acknowledgement(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    trace = tmp_path / "trace.txt"
    calls = "trace=fdatasync,fsync,write,pwrite64"
    command = [
        strace,
        "-f",
        "-e",
        calls,
        "-s",
        "16",
        "-o",
        str(trace),
        sys.executable,
        "-c",
        SCRIPT,
    ]
    subprocess.run([*command, str(tmp_path / "s.db")], check=True, stdout=subprocess.DEVNULL)
    events = "".join(
        "A" if '"acknowledged"' in line else "S" if "sync(" in line and "= 0" in line else "W"
        for line in trace.read_text().splitlines()
        if any(call in line for call in ("pwrite64(", "sync(", '"acknowledged"', "sync resumed"))
    )
    acknowledgements = events.split("A")
    assert len(acknowledgements) == 21
    assert [part.rstrip("S")[-1:] + part[-1:] for part in acknowledgements[:-1]] == ["WS"] * 20


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        for place in range(4096, size, 4096):
            file.seek(place)
            file.write(b"\xff" * 512)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def of_another_format(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def of_somebody_else(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()


def of_another_kind(path: Path) -> None:
    path.write_text("a text")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage, "is damaged"),
        (cut_short, "is damaged"),
        (of_another_format, "has format 99, not 1"),
        (of_somebody_else, "holds something else than streams"),
        (of_another_kind, "is no SQLite database"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_and_left_alone(
    change: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.db"

    async def fill() -> None:
        store = SqliteStore(path)
        await store.create("a", Creation(content_type="text/plain"))
        for _ in range(20):
            await store.append("a", text("x" * 2000))
        await store.close()

    asyncio.run(fill())
    change(path)
    before = path.read_bytes()
    with pytest.raises(StreamError, match=message):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_file_that_another_store_has_open_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    with pytest.raises(StreamError, match="is in use by another server"):
        SqliteStore(tmp_path / "s.db")
    asyncio.run(store.close())
    asyncio.run(SqliteStore(tmp_path / "s.db").close())


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="its folder does not exist"):
        SqliteStore(tmp_path / "none" / "s.db")
