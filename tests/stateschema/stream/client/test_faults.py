"""Over a network that drops, swallows, truncates, delays and doubles: nothing lost, nothing twice."""

from typing import Any

import httpx
import pytest

from stateschema.errors import NetworkError
from stateschema.stream.client import Retry
from tests.stateschema.stream.client.servers import FAULTS, faulty

TIRELESS = Retry(initial=0.001, maximum=0.01, max_retries=None)
COUNT = 100

WRITER = httpx.Client()

Side = Any


@pytest.fixture(params=[1, 2])
def seed(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


def test_a_producer_appends_everything_once(side: Side, url: str, seed: int) -> None:
    side.call(side.open(url).create())
    with faulty(url, chance=0.5, seed=seed) as (through, proxy):
        stream = side.open(through, retry=TIRELESS)
        producer = stream.producer(max_batch_bytes=16, linger=0)
        for number in range(COUNT):
            side.call(producer.append(number))
        side.call(producer.close_stream("end"))
        side.call(producer.close())
    assert side.call(side.open(url).read_all()) == [*range(COUNT), "end"]
    assert set(proxy.faults) == set(FAULTS)


@pytest.mark.parametrize("live", ["sse", "long-poll", "auto"])
def test_a_follower_gets_everything_once(side: Side, url: str, seed: int, live: str) -> None:
    WRITER.put(url, json=list(range(10)))
    numbers = iter(range(10, 30))

    def until(batch: Any) -> bool:
        """Append the next number from elsewhere, whenever the follower has come to the end."""
        if batch.up_to_date and not batch.is_closed:
            number = next(numbers, None)
            closing = {"Stream-Closed": "true"} if number is None else {}
            content = b"" if number is None else str(number).encode()
            headers = {"Content-Type": "application/json", **closing}
            WRITER.post(url, content=content, headers=headers).raise_for_status()
        return False

    with faulty(url, chance=0.5, seed=seed) as (through, _):
        batches = side.take(side.open(through, retry=TIRELESS).follow(live=live), until)
    assert [message for batch in batches for message in batch.messages] == list(range(30))
    assert batches[-1].is_closed


def test_a_plain_append_arrives_at_most_once(side: Side, url: str) -> None:
    side.call(side.open(url).create())
    sure: list[int] = []
    unsure: list[int] = []
    with faulty(url, chance=0.5, seed=4) as (through, proxy):
        proxy.without("duplicate")  # against that only a producer helps
        stream = side.open(through, content_type="application/json", retry=TIRELESS)
        for number in range(60):
            try:
                side.call(stream.append(number))
            except NetworkError:
                unsure.append(number)
            else:
                sure.append(number)
    found = side.call(side.open(url).read_all())
    assert found == sorted(set(found))
    assert set(sure) <= set(found) <= set(sure) | set(unsure)
    assert unsure
