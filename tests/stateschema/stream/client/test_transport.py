"""httpx: an extra, imported with the first client, and what its failures mean."""

import subprocess
import sys

import httpx
import pytest

from stateschema.errors import LocalProtocolError, NetworkError
from stateschema.stream.client import BlockingStreamClient
from stateschema.stream.client.transport import failure

ROOT = __file__.partition("/tests/")[0]


def test_httpx_is_not_imported_before_it_is_needed() -> None:
    modules = "stateschema.stream.client, stateschema.streamdb, stateschema.__main__"
    script = f"import {modules}, sys; print('httpx' in sys.modules)"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_without_httpx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError) as caught:
        BlockingStreamClient("http://host/s")
    assert caught.value.__notes__ == [
        "the clients of streams need httpx: pip install 'stateschema[client]'"
    ]


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.ProxyError("no"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.RemoteProtocolError("ended early"), True),
    ],
)
def test_failures_of_the_network(error: httpx.HTTPError, was_sent: bool) -> None:
    found = failure(error, "s")
    assert isinstance(found, NetworkError)
    assert (str(found), found.was_sent) == (f"no answer from stream 's': {error}", was_sent)


@pytest.mark.parametrize("error", [httpx.LocalProtocolError("bad"), httpx.InvalidURL("bad")])
def test_failures_of_the_caller(error: httpx.HTTPError | httpx.InvalidURL) -> None:
    found = failure(error, "s")
    assert isinstance(found, LocalProtocolError)
    assert str(found) == "request to stream 's' cannot be sent: bad"


@pytest.mark.parametrize("value", ["a\r\nb", "ä"])
def test_a_header_that_cannot_be_sent_is_the_callers_fault(silent: str, value: str) -> None:
    with (
        BlockingStreamClient(silent, headers={"x": value}) as stream,
        pytest.raises(LocalProtocolError),
    ):
        stream.head()
