"""The file stream: torn lines, locks, other writers, arrays, places in errors."""

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stateschema.errors import EventError, OffsetGoneError, StreamError, StreamNotFoundError, Where
from stateschema.stream import logfile
from stateschema.stream.batch import Batch
from stateschema.stream.logfile import LogFile
from stateschema.stream.offset import Offset
from stateschema.stream.replay import read_log, read_pipe
from tests.stateschema.stream.logs import event, numbers, take, until


def line(key: int) -> bytes:
    return event(key).to_json().encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def test_one_event_is_one_line(path: Path) -> None:
    with LogFile(path, create=True, fsync=True) as log:
        log.append_now([event(1), event(2)])
        log.append_now(event(3))
    assert path.read_bytes() == line(1) + line(2) + line(3)


def test_missing_file_is_an_error_unless_created(path: Path) -> None:
    with pytest.raises(StreamNotFoundError, match="does not exist"):
        LogFile(path)
    assert numbers(LogFile(path, create=True).read_now()) == []


def test_offsets_hold_across_restarts(path: Path) -> None:
    with LogFile(path, create=True) as log:
        offset = log.append_now(event(1))
        log.append_now(event(2))
    with LogFile(path) as log:
        log.append_now(event(3))
        assert numbers(log.read_now(offset)) == [2, 3]


def test_torn_line_is_not_seen_and_is_cut_off_when_writing(path: Path) -> None:
    whole = line(1) + line(2)
    for size in range(1, len(line(3)) - 1):
        path.write_bytes(whole + line(3)[:size])
        with LogFile(path) as log:
            batch = log.read_now()
            assert (numbers(batch), batch.up_to_date) == ([1, 2], True)
            assert batch.next_offset == log.head_now() == Offset.mint(len(whole))
            log.append_now(event(4))
            assert numbers(log.read_now(batch.next_offset)) == [4]
        assert path.read_bytes() == whole + line(4)


def test_complete_last_line_needs_no_newline(path: Path) -> None:
    path.write_bytes(line(1) + line(2).rstrip())
    with LogFile(path) as log:
        batch = log.read_now()
        assert (numbers(batch), batch.up_to_date) == ([1, 2], True)
        log.append_now(event(3))
        later = log.read_now(batch.next_offset)
        assert (numbers(later), later.lines) == ([3], [3])
    assert path.read_bytes() == line(1) + line(2) + line(3)


@pytest.mark.parametrize(
    "bad", [b"nope\n", b"nope", b'{"a": 1}}', b'{"a": tr\n', b"\xff\n", b"1 2\n"]
)
def test_malformed_line_names_file_and_line(path: Path, bad: bytes) -> None:
    path.write_bytes(line(1) + b"\n" + line(2) + bad)
    with pytest.raises(EventError, match="is no JSON") as caught:
        LogFile(path).read_now()
    assert caught.value.where == Where(source=str(path), line=4)
    offset = Offset.mint(len(line(1)) + 1)
    with pytest.raises(EventError) as caught:
        LogFile(path).read_now(offset)
    assert caught.value.where.line == 4


def test_illegal_event_names_file_line_and_field(path: Path) -> None:
    path.write_bytes(line(1) + b"\n" + b'{"type": "n", "headers": {"operation": "delete"}}\n')
    with pytest.raises(EventError) as caught:
        LogFile(path).read_now().events()
    error = caught.value
    assert (error.where, error.field) == (Where(source=str(path), line=3, index=1), "key")
    assert str(error) == f"bad event in {str(path)!r}, line 3, field 'key': is missing"


def test_offset_within_a_line_is_gone(path: Path) -> None:
    path.write_bytes(line(1) + line(2))
    with pytest.raises(OffsetGoneError):
        LogFile(path).read_now(Offset.mint(3))


def test_second_writer_is_refused_until_the_first_closes(path: Path) -> None:
    first, second = LogFile(path, create=True), LogFile(path)
    first.append_now(event(1))
    with pytest.raises(StreamError, match="is being written by another handle"):
        second.append_now(event(2))
    first.close_now()
    second.append_now(event(2))
    assert numbers(second.read_now()) == [1, 2]
    second.close_now()


def test_killed_writer_leaves_no_lock(path: Path) -> None:
    script = (
        "import os, sys; from stateschema.stream import LogFile; from stateschema import parse_event;"
        "log = LogFile(sys.argv[1], create=True);"
        "log.append_now(parse_event(sys.argv[2])); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script, str(path), event(1).to_json()]
    assert subprocess.run(command, check=False).returncode == -9
    with LogFile(path) as log:
        log.append_now(event(2))
        assert numbers(log.read_now()) == [1, 2]


def test_failed_append_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: Any, data: bytes) -> None:
        file.write(data[:5])
        raise OSError("no space left")

    with LogFile(path, create=True) as log:
        log.append_now(event(1))
        with monkeypatch.context() as patch:
            patch.setattr(logfile, "_write_all", fail)
            with pytest.raises(OSError, match="no space"):
                log.append_now(event(2))
        assert path.read_bytes() == line(1)
        log.append_now(event(3))
    assert path.read_bytes() == line(1) + line(3)


def test_lines_longer_than_a_read_and_files_of_many_reads(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "READ_BYTES", 100)
    long = event(0).model_copy(update={"value": "x" * 450})
    with LogFile(path, create=True) as log:
        log.append_now([event(1), long, *(event(key) for key in range(2, 12))])
        batches = list(log.batches())
    assert [value for batch in batches for value in numbers(batch)] == [1, "x" * 450, *range(2, 12)]
    assert [number for batch in batches for number in batch.lines or ()] == list(range(1, 13))
    assert [batch.up_to_date for batch in batches] == [False] * (len(batches) - 1) + [True]
    assert len(batches) > 3


def test_another_handle_of_this_process_wakes_followers(path: Path) -> None:
    async def run() -> None:
        reader = LogFile(path, create=True, poll_interval=3600)
        writer = LogFile(path)
        batches = reader.follow()
        await anext(batches)
        waiting = asyncio.ensure_future(take(batches, 2))
        await until(lambda: reader._signal.waiting == 1)
        writer.append_now([event(1), event(2)])
        writer.append_now(event(3))
        assert await waiting == [[1, 2], [3]]
        await batches.aclose()
        writer.close_now()

    asyncio.run(run())


class Timers:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.started: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    def __call__(self, delay: float, callback: Callable[[], None], /) -> "Timers":
        self.started.append((delay, callback))
        return self

    def cancel(self) -> None:
        self.cancelled += 1


def test_appends_of_other_processes_are_found_by_polling(path: Path) -> None:
    async def run() -> None:
        timers = Timers()
        log = LogFile(path, create=True, poll_interval=7, call_later=timers)
        batches = log.follow()
        await anext(batches)
        waiting = asyncio.ensure_future(take(batches, 1))
        await until(lambda: len(timers.started) == 1)
        with path.open("ab") as other:
            other.write(line(1) + line(2) + line(3)[:9])
        timers.started[0][1]()
        assert await waiting == [[1, 2]]
        assert ([delay for delay, _ in timers.started], timers.cancelled) == ([7], 1)
        await batches.aclose()

    asyncio.run(run())


ARRAY = [json.loads(line(key)) for key in (1, 2, 3)]


@pytest.mark.parametrize("indent", [None, 2])
def test_file_that_is_an_array_is_read_by_message(path: Path, indent: int | None) -> None:
    path.write_text(" " + json.dumps(ARRAY, indent=indent))
    log = LogFile(path)
    batches = list(log.batches(limit=2))
    assert [numbers(batch) for batch in batches] == [[1, 2], [3]]
    assert numbers(log.read_now(batches[0].next_offset)) == [3]
    assert log.head_now() == batches[1].next_offset
    lines = [number for batch in batches for number in batch.lines or ()]
    assert lines == ([1, 1, 1] if indent is None else [2, 10, 18])
    with pytest.raises(StreamError, match="is a JSON array"):
        log.append_now(event(4))
    with pytest.raises(OffsetGoneError):
        log.read_now(Offset.mint(4))


@pytest.mark.parametrize(
    "text",
    ["[1,\n", "[1,\n]", "[1\n2]", "[1\n,,]", "[1]\n2", "[1,\nNaN]", "[", "[" * 100_000],
)
def test_malformed_array_names_the_file(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(EventError, match="is no JSON") as caught:
        LogFile(path).read_now()
    assert caught.value.where.source == str(path)


def test_empty_array_and_empty_file_hold_nothing(path: Path) -> None:
    for text in ("[]", "[ \n ]", "", "\n\n"):
        path.write_text(text)
        batch = LogFile(path).read_now()
        assert (list(batch.messages), batch.up_to_date) == ([], True)


class SlowPipe(io.BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(min(size or 0, 100))


def drain(batches: list[Batch]) -> tuple[list[Any], list[int]]:
    lines = [number for batch in batches for number in batch.lines or ()]
    return [value for batch in batches for value in numbers(batch)], lines


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("pipe", [io.BytesIO, SlowPipe])
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (line(1) + b"\n" + line(2) + line(3), [1, 3, 4]),
        (line(1) + line(2) + line(3) + line(4)[:20], [1, 2, 3]),
        (line(1) + line(2) + line(3).rstrip(), [1, 2, 3]),
        (json.dumps(ARRAY).encode(), [1, 1, 1]),
    ],
)
def test_pipe_is_read_like_a_file(
    text: bytes, lines: list[int], pipe: Callable[[bytes], io.BytesIO], limit: int | None
) -> None:
    batches = list(read_pipe(pipe(text), limit=limit))
    assert drain(batches) == ([1, 2, 3], lines)
    assert [batch.up_to_date for batch in batches] == [False] * (len(batches) - 1) + [True]
    if limit is not None:
        assert max(len(batch.messages) for batch in batches) == 1


def test_pipe_names_the_line_of_a_malformed_message() -> None:
    with pytest.raises(EventError) as caught:
        list(read_pipe(SlowPipe(line(1) + line(2) + b"nope\n")))
    assert caught.value.where == Where(source="<stdin>", line=3)


def test_log_is_read_from_a_path_or_from_standard_input(path: Path) -> None:
    path.write_bytes(line(1) + line(2))
    assert drain(list(read_log(str(path)))) == ([1, 2], [1, 2])
    script = "from stateschema.stream import read_log; print([len(b.messages) for b in read_log('-')][0])"
    run = subprocess.run(
        [sys.executable, "-c", script], input=path.read_bytes(), capture_output=True, check=True
    )
    assert run.stdout.strip() == b"2"


def test_malformed_lines_can_be_left_out_and_are_reported(path: Path) -> None:
    text = b"nope\n" + line(1) + b"{\n" + line(2) + b"tail"
    path.write_bytes(text)
    pipe = SlowPipe(text)
    errors: list[EventError] = []
    read = list(read_log(str(path), on_malformed=errors.append))
    piped = list(read_pipe(pipe, source=str(path), on_malformed=errors.append))
    assert drain(read) == drain(piped) == ([1, 2], [2, 4])
    places = [Where(source=str(path), line=number) for number in (1, 3, 5)]
    assert [error.where for error in errors] == [*places, *places]


def test_a_malformed_line_is_reported_once_to_a_follower(path: Path) -> None:
    path.write_bytes(b"nope\n" + line(1))
    errors: list[EventError] = []

    async def run() -> None:
        batches = LogFile(path, on_malformed=errors.append).follow()
        assert await take(batches, 1) == [[1]]
        await batches.aclose()

    asyncio.run(run())
    assert [error.where for error in errors] == [Where(source=str(path), line=1)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"  \n"])
def test_a_log_that_grows_byte_by_byte_can_be_resumed_at_every_byte(path: Path, end: bytes) -> None:
    text = b"".join(b" " + line(key).rstrip() + end for key in (1, 2)) + b"\n" + line(3)
    offset, seen = Offset.START, []
    path.touch()
    for byte in text:
        with path.open("ab") as file:
            file.write(bytes([byte]))
        batch = LogFile(path).read_now(offset)
        offset = batch.next_offset
        seen += numbers(batch)
    assert (seen, offset) == ([1, 2, 3], LogFile(path).head_now())


def test_a_log_that_was_cut_off_is_followed_to_its_new_end(path: Path) -> None:
    async def run() -> None:
        log = LogFile(path, create=True, poll_interval=0)
        for key in (10**30, 1, 2):
            log.append_now(event(key))
        os.truncate(path, 0)
        batches = log.follow()
        assert await take(batches, 1) == [[]]
        with path.open("ab") as file:  # somebody else
            file.write(line(3))
        assert await take(batches, 1) == [[3]]
        log.append_now(event(4))
        assert await take(batches, 1) == [[4]]
        await batches.aclose()
        log.close_now()

    asyncio.run(run())


def test_a_path_may_name_a_pipe(path: Path) -> None:
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[line(1) + line(2)])
    writer.start()
    assert drain(list(read_log(str(path)))) == ([1, 2], [1, 2])
    writer.join()


def test_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(StreamNotFoundError, match="standard input is closed"):
        read_log("-")
