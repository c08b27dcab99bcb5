"""Repeating: which failures, how often, after which pauses."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stateschema.errors import LocalProtocolError, NetworkError
from stateschema.stream.client.effects import Request, Response
from stateschema.stream.client.retry import Backoff, Retry, exchange, retry_after
from tests.stateschema.stream.client.world import LOST, UNREACHED, World, answer

GET = Request(method="GET")
APPEND = Request(method="POST", is_repeatable=False)


def run(request: Request, world: World, **options: int) -> Response:
    response: Response = world.run(exchange(request, Backoff(Retry(**options), random=lambda: 1.0)))
    return response


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_failures_that_may_pass_are_repeated(status: int) -> None:
    world = World(answer(status), answer(status), answer(200))
    response = run(GET, world)
    assert (response.status, len(world.requests)) == (200, 3)
    assert world.sleeps == [0.1, pytest.approx(0.13)]


@pytest.mark.parametrize("status", [200, 204, 304, 400, 404, 409, 410, 413, 501])
def test_other_answers_are_final(status: int) -> None:
    world = World(answer(status), answer(200))
    assert (run(GET, world).status, world.sleeps) == (status, [])


@pytest.mark.parametrize(
    ("failure", "is_repeated"),
    [
        (UNREACHED, True),
        (LOST, False),
        (answer(429), True),
        (answer(500), True),
        (answer(503), True),
        (answer(502), False),  # a gateway does not know what became of it
        (answer(504), False),
    ],
)
def test_an_append_is_repeated_only_where_that_cannot_double_it(
    failure: Response | NetworkError, is_repeated: bool
) -> None:
    world = World(failure, answer(204))
    if failure is LOST:
        with pytest.raises(NetworkError, match="lost") as caught:
            run(APPEND, world)
        assert caught.value.__notes__[-1].startswith("it may have arrived")
    else:
        assert run(APPEND, world).status == (204 if is_repeated else failure.status)  # type: ignore[union-attr] # no NetworkError
    assert len(world.requests) == (2 if is_repeated else 1)


def test_patience_ends() -> None:
    world = World(*[answer(503)] * 10)
    assert run(GET, world, max_retries=2).status == 503
    assert len(world.requests) == 3
    with pytest.raises(NetworkError):
        run(GET, World(UNREACHED, UNREACHED), max_retries=1)


def test_an_answer_tells_whether_the_request_may_have_been_seen_before() -> None:
    assert not run(GET, World(answer(200))).after_lost
    assert not run(GET, World(UNREACHED, answer(429), answer(200))).after_lost
    assert run(GET, World(LOST, answer(200))).after_lost
    assert run(GET, World(answer(500), answer(200))).after_lost


def test_pauses_grow_up_to_a_maximum_and_half_of_them_is_random() -> None:
    retry = Retry(initial=1, factor=2, maximum=5, max_retries=None)
    longest = Backoff(retry, random=lambda: 1.0)
    shortest = Backoff(retry, random=lambda: 0.0)
    assert [longest.pause() for _ in range(5)] == [1, 2, 4, 5, 5]
    assert [shortest.pause() for _ in range(5)] == [0.5, 1, 2, 2.5, 2.5]
    longest.reset()
    assert longest.pause() == 1


def test_a_server_is_given_the_time_it_asks_for() -> None:
    asking = answer(503)
    asking = replace(asking, headers={**asking.headers, "retry-after": "7"})
    world = World(asking, answer(200))
    run(GET, world)
    assert world.sleeps == [7.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("999999", 3600.0),
        ("Wed, 01 Jan 2025 00:00:10 GMT", 10.0),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 0.0),
        ("-1", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC)
    assert retry_after({"retry-after": text}, now=now) == seconds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial": 0}, "initial 0 is not positive"),
        ({"factor": 0.5}, "factor 0.5 is less than 1"),
        ({"initial": 2, "maximum": 1}, "maximum 1 is less than initial 2"),
        ({"max_retries": -1}, "max_retries -1 is negative"),
    ],
)
def test_options_are_checked(options: dict[str, float], message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        Retry(**options)  # type: ignore[arg-type] # wrong on purpose
