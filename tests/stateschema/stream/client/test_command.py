"""The commands `stream …` in a shell: what they print, and how they end."""

import io
import json
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import httpx
import pytest

from stateschema.__main__ import main
from stateschema.stream.client import BlockingStreamClient, ClientBatch
from stateschema.stream.client.command import Progress
from stateschema.stream.offset import Offset

ROOT = __file__.partition("/tests/")[0]


class Shell:
    """Runs commands in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
        """Return exit code, standard output and standard error."""
        written, told = io.BytesIO(), io.StringIO()
        out = io.TextIOWrapper(written, encoding="utf-8", newline="")
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with redirect_stdout(out), redirect_stderr(told):
            try:
                code = main(["stream", *arguments])
            except SystemExit as end:
                code = int(str(end.code))
        out.flush()
        return code, written.getvalue(), told.getvalue()

    def values(self, *arguments: str, given: bytes = b"") -> list[Any]:
        """Return the JSON values that a command prints, which has to succeed."""
        code, out, told = self.run(*arguments, given=given)
        assert (code, told) == (0, "")
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(monkeypatch)


def test_a_stream_from_its_beginning_to_its_end(shell: Shell, url: str) -> None:
    (created,) = shell.values("create", url, "--ttl", "60")
    first = created["offset"]
    assert created == {
        "offset": first,
        "contentType": "application/json",
        "isClosed": False,
        "isNew": True,
    }
    (appended,) = shell.values("append", url, '{"ä": 1}', "2")
    assert appended["messages"] == 2
    (closed,) = shell.values("append", url, "--close", given=b'[3]\n\n"four"\n')
    (head,) = shell.values("head", url)
    assert closed["messages"] == 2
    assert head == {
        "offset": closed["offset"],
        "contentType": "application/json",
        "isClosed": True,
        "ttl": 60,
    }
    assert shell.values("read", url, "--quiet") == [{"ä": 1}, 2, [3], "four"]
    offset = appended["offset"]
    assert shell.values("read", url, "--quiet", "--offset", offset) == [[3], "four"]
    assert shell.values("follow", url, "--quiet", "--offset", offset) == [[3], "four"]
    assert shell.values("delete", url) == []
    code, out, told = shell.run("head", url)
    assert (code, out) == (1, b"")
    assert told.startswith(f"error: stream '{url}' does not exist\n")


def test_a_read_tells_where_to_go_on(shell: Shell, url: str) -> None:
    shell.values("create", url)
    (appended,) = shell.values("append", url, "1", "2")
    code, out, told = shell.run("read", url)
    assert (code, out) == (0, b"1\n2\n")
    assert told == f"done: 2 messages in 1 batches, next offset {appended['offset']}\n"


def test_streams_of_bytes_pass_as_they_are(shell: Shell, url: str) -> None:
    shell.values("create", url, "--content-type", "application/octet-stream")
    data = bytes(range(256)) * 1000
    shell.values("append", url, given=data)
    code, out, _ = shell.run("read", url)
    assert (code, out) == (0, data)


def test_a_line_that_is_no_json_is_named(shell: Shell, url: str) -> None:
    shell.values("create", url)
    code, out, told = shell.run("append", url, given=b"1\n{\n3\n")
    assert (code, out) == (1, b"")
    assert told.startswith("error: message 2: message without JSON form: ")


def test_following_prints_what_comes(shell: Shell, url: str) -> None:
    shell.values("create", url)
    with BlockingStreamClient(url) as stream:
        timer = threading.Timer(0.2, lambda: stream.close_stream("late"))
        timer.start()
        assert shell.values("follow", url, "--quiet", "--live", "long-poll") == ["late"]
        timer.join()


def test_following_ends_in_time(shell: Shell, url: str) -> None:
    shell.values("create", url)
    assert shell.values("follow", url, "--quiet", "--timeout", "0.2") == []


def test_headers_are_sent(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        offset = request.headers["authorization"] + request.headers["x"]
        return httpx.Response(200, headers={"Stream-Next-Offset": offset})

    http = httpx.Client(transport=httpx.MockTransport(handler))
    monkeypatch.setattr(httpx, "Client", lambda **_: http)
    headers = ["--header", "Authorization: me", "--header", "x:you"]
    assert shell.values("head", "http://fake/s", *headers) == [
        {"offset": "meyou", "isClosed": False}
    ]


@pytest.mark.parametrize(
    "arguments",
    [[], ["head"], ["explode", "http://h/s"], ["head", "http://h/s", "--header", "x"]],
)
def test_wrong_arguments(shell: Shell, arguments: list[str]) -> None:
    assert shell.run(*arguments)[0] == 2


def test_a_url_that_is_none(shell: Shell) -> None:
    assert shell.run("head", "nowhere") == (1, b"", "error: url 'nowhere' is no http URL\n")


def test_a_reader_that_has_seen_enough_ends_the_read(shell: Shell, url: str) -> None:
    shell.values("create", url)
    shell.values("append", url, given=b'"' + b"x" * 100_000 + b'"\n' * 1)
    script = f"{sys.executable} -m stateschema stream read {url} | head -c 10"
    result = subprocess.run(script, shell=True, cwd=ROOT, capture_output=True, check=True)
    assert result.stdout == b'"xxxxxxxxx'
    assert b"Traceback" not in result.stderr


def test_progress_is_told_every_second_while_catching_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 0.5, 1.0, 1.0, 1.5, 2.5, 2.5])
    progress = Progress(is_quiet=False, clock=lambda: next(times))
    for number in range(4):
        offset = Offset(str(number))
        progress.took(ClientBatch(messages=[1, 2], next_offset=offset, up_to_date=False))
    assert capsys.readouterr().err == (
        "reading: 4 messages in 2 batches, next offset 1\n"
        "reading: 8 messages in 4 batches, next offset 3\n"
    )
