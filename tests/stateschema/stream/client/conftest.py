"""Fixtures: a server, streams on it, and both kinds of client."""

from collections.abc import Generator, Iterator
from itertools import count

import pytest

from tests.stateschema.stream.client.servers import served, silence
from tests.stateschema.stream.client.sides import AsyncSide, BlockingSide

_numbers: Iterator[int] = count()


@pytest.fixture(scope="session")
def server() -> Generator[str]:
    """The URL below which streams live."""
    with served() as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """The URL of a stream that does not exist yet."""
    return f"{server}s{next(_numbers)}"


@pytest.fixture(params=[AsyncSide, BlockingSide], ids=["async", "blocking"])
def side(request: pytest.FixtureRequest) -> Generator[AsyncSide | BlockingSide]:
    """Clients of one kind; nothing of them may be left behind."""
    made: AsyncSide | BlockingSide = request.param()
    yield made
    made.end()


@pytest.fixture
def silent() -> Generator[str]:
    """The URL of a server that never answers."""
    with silence() as url:
        yield url
