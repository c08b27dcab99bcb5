"""Answers: who must act, and what the head of a stream tells."""

import pytest

from stateschema.errors import (
    LocalProtocolError,
    OffsetGoneError,
    RefusedError,
    RemoteProtocolError,
    ServerError,
    StreamClosedError,
    StreamNotFoundError,
)
from stateschema.stream.client.answers import Head, refuse
from stateschema.stream.client.effects import Response
from tests.stateschema.stream.client.world import answer

NAME = "http://host/s"


@pytest.mark.parametrize(
    ("response", "offset", "kind", "message"),
    [
        (answer(404), None, StreamNotFoundError, "stream 'http://host/s' does not exist"),
        (answer(410), None, StreamNotFoundError, "stream 'http://host/s' has been deleted"),
        (answer(410), "-1", StreamNotFoundError, "stream 'http://host/s' has been deleted"),
        (answer(410), "5", OffsetGoneError, "stream 'http://host/s' does not hold offset '5' any more"),
        (answer(409, closed="true"), None, StreamClosedError, "stream 'http://host/s' is closed"),
        (answer(409), None, RefusedError, "stream 'http://host/s' answers 409"),
        (answer(409, closed="yes"), None, RefusedError, "stream 'http://host/s' answers 409"),
        (answer(400), "x", LocalProtocolError, "offset 'x' is not accepted by stream 'http://host/s'"),
        (answer(400), None, RefusedError, "stream 'http://host/s' answers 400"),
        (answer(401), "x", RefusedError, "stream 'http://host/s' answers 401"),
        (answer(405), None, RefusedError, "stream 'http://host/s' answers 405"),
        (Response(status=405, headers={"allow": "GET, POST"}), None, RefusedError, "stream 'http://host/s' answers 405"),
        (Response(status=405, headers={"allow": "GET"}), None, RefusedError, "stream 'http://host/s' is read-only, as views are"),
        (answer(429), None, ServerError, "server of stream 'http://host/s' answers 429"),
        (answer(503), None, ServerError, "server of stream 'http://host/s' answers 503"),
        (answer(302), None, RemoteProtocolError, "stream 'http://host/s' answers 302, which means nothing here"),
    ],
)  # fmt: skip
def test_errors_by_who_must_act(
    response: Response, offset: str | None, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        refuse(response, NAME, offset=offset)
    assert (type(caught.value), str(caught.value)) == (kind, message)
    status = getattr(caught.value, "status", response.status)
    assert status == response.status


def test_an_error_repeats_what_the_server_says() -> None:
    with pytest.raises(RefusedError) as caught:
        refuse(answer(413, b"too large, at most 10 bytes\n"), NAME)
    assert caught.value.__notes__ == ["the server says: too large, at most 10 bytes"]


def test_a_fenced_producer_is_told_the_epoch() -> None:
    response = Response(status=403, headers={"producer-epoch": "7"})
    with pytest.raises(RefusedError, match=r"producer is fenced off .* by epoch 7") as caught:
        refuse(response, NAME)
    assert (caught.value.status, caught.value.epoch) == (403, 7)


def test_a_head_is_an_offset_that_knows_more() -> None:
    head = Head.of(answer(201, next_offset="5", ttl="60", expires_at="2030-01-01T00:00:00Z"))
    assert head == "5"
    assert (head.content_type, head.is_closed, head.is_new) == ("application/json", False, True)
    assert (head.ttl, head.expires_at) == (60, "2030-01-01T00:00:00Z")
    assert Head.of(answer(200, next_offset="5", closed="TRUE")).is_closed


def test_an_answer_without_an_offset_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="status 200 lacks header 'Stream-Next-Offset'"):
        Head.of(answer(200))
