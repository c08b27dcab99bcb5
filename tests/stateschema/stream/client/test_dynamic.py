"""Headers and parameters of users, evaluated for every request."""

import asyncio
from itertools import count
from typing import Any

import pytest

from stateschema.errors import LocalProtocolError
from stateschema.stream.client.blocking import BlockingStreamClient
from stateschema.stream.client.client import StreamClient
from stateschema.stream.client.dynamic import Preparation
from stateschema.stream.client.effects import Request

URL = "https://host/s?token=t#f"
GET = Request(method="GET", params={"offset": "-1", "live": "sse"}, headers={"Stream-Seq": "1"})


def test_parameters_are_sorted_and_those_of_the_protocol_win() -> None:
    preparation = Preparation(
        URL, headers={"Stream-Seq": "mine", "X": "1"}, params={"a": ["1", "2"], "offset": "9"}
    )
    prepared = preparation.prepare(GET)
    assert prepared.url == "https://host/s?a=1&a=2&live=sse&offset=-1&token=t"
    assert prepared.headers == {"x": "1", "stream-seq": "1"}


def test_functions_are_called_for_each_request() -> None:
    numbers, letters = count(), iter("ab")
    preparation = Preparation(
        URL, headers={"n": lambda: str(next(numbers))}, params=lambda: {"letter": next(letters)}
    )
    assert [preparation.prepare(GET).headers["n"] for _ in range(2)] == ["0", "1"]
    with pytest.raises(StopIteration):
        next(letters)


def test_coroutine_functions_are_awaited() -> None:
    async def token() -> str:
        return "secret"

    async def params() -> dict[str, str]:
        return {"p": "1"}

    preparation = Preparation("http://host/s", headers={"authorization": token}, params=params)
    prepared = asyncio.run(preparation.prepare_async(Request(method="GET")))
    assert (prepared.url, prepared.headers) == ("http://host/s?p=1", {"authorization": "secret"})


def test_a_blocking_client_cannot_await() -> None:
    async def token() -> str:
        return "secret"

    with pytest.raises(LocalProtocolError, match="blocking client is awaitable"):
        Preparation(URL, headers={"authorization": token}, params=None).prepare(GET)


@pytest.mark.parametrize("url", ["", "/v1/stream/a", "ftp://host/s", "http:///s"])
def test_a_url_without_host_is_refused(url: str) -> None:
    with pytest.raises(LocalProtocolError, match="is no http URL"):
        Preparation(url, headers=None, params=None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"headers": 5}, "headers= takes a mapping or a function, not 5"),
        ({"params": "a=b"}, "params= takes a mapping or a function, not 'a=b'"),
        ({"retry": 5}, r"retry= takes Retry\(...\), not 5"),
        ({"timeouts": 0}, r"timeouts= takes Timeouts\(...\), not 0"),
    ],
)
def test_settings_of_another_kind_are_refused(wrong: dict[str, Any], message: str) -> None:
    for client in (StreamClient, BlockingStreamClient):
        with pytest.raises(TypeError, match=message):
            client(URL, **wrong)
