"""Headers and query parameters of users: fixed, or made anew for each request.

A value may be a function, and so may the whole mapping; both are called for every request that is
sent, repetitions included, so that a token can be renewed. Under asyncio they may be coroutine
functions. Protocol headers and parameters win over those of users.
"""

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from stateschema.errors import LocalProtocolError
from stateschema.stream.client.effects import Request

Value: TypeAlias = str | Sequence[str]
Values: TypeAlias = Mapping[str, Value | Callable[[], Value | Awaitable[Value]]]
Dynamic: TypeAlias = Values | Callable[[], Values | Awaitable[Values]] | None


class Prepared:
    """A request as it goes out.

    Attributes:
        url: The stream's URL with all parameters, sorted by name, as caches like it.
        headers: All headers.
    """

    __slots__ = ("headers", "url")

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url: str = url
        self.headers: dict[str, str] = headers


class Preparation:
    """Makes what goes out of what the protocol asks for and what the user adds.

    Args:
        url: URL of the stream; its own query stays.
        headers: The user's headers.
        params: The user's query parameters; a sequence gives a name several values.

    Raises:
        LocalProtocolError: The URL is no http URL.
        TypeError: Headers or parameters are neither a mapping nor a function.
    """

    def __init__(self, url: str, *, headers: Dynamic, params: Dynamic) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise LocalProtocolError(f"url {url!r} is no http URL")
        for name, given in (("headers", headers), ("params", params)):
            if not (given is None or callable(given) or isinstance(given, Mapping)):
                raise TypeError(f"{name}= takes a mapping or a function, not {given!r}")
        self._parts = parts._replace(fragment="")
        self._query = parse_qsl(parts.query, keep_blank_values=True)
        self._headers = headers
        self._params = params

    async def prepare_async(self, request: Request) -> Prepared:
        """Prepare a request, awaiting what has to be awaited."""
        steps = self._steps(request)
        try:
            value = next(steps)
            while True:
                value = steps.send(await value if inspect.isawaitable(value) else value)
        except StopIteration as end:
            prepared: Prepared = end.value
            return prepared

    def prepare(self, request: Request) -> Prepared:
        """Prepare a request where nothing can be awaited.

        Raises:
            LocalProtocolError: A function of the user wants to be awaited.
        """
        steps = self._steps(request)
        try:
            value = next(steps)
            while True:
                if inspect.isawaitable(value):
                    if inspect.iscoroutine(value):
                        value.close()
                    raise LocalProtocolError(
                        "header or parameter of a blocking client is awaitable"
                    )
                value = steps.send(value)
        except StopIteration as end:
            prepared: Prepared = end.value
            return prepared

    def _steps(self, request: Request) -> Generator[Any, Any, Prepared]:
        headers: dict[str, str] = {}
        for name, value in (yield from _evaluate(self._headers)):
            headers[name.lower()] = value
        headers |= {name.lower(): value for name, value in request.headers.items()}
        for name, value in headers.items():
            if not value.isascii():
                raise LocalProtocolError(f"header {name!r} holds other characters than ASCII")
        added = yield from _evaluate(self._params)
        query = [pair for pair in self._query + added if pair[0] not in request.params]
        query += request.params.items()
        query.sort(key=lambda pair: pair[0])
        return Prepared(urlunsplit(self._parts._replace(query=urlencode(query))), headers)


def _evaluate(source: Dynamic) -> Generator[Any, Any, list[tuple[str, str]]]:
    """Call what is to be called; what may have to be awaited is yielded and comes back."""
    values: Values = {}
    if callable(source):
        values = yield source()
    elif source is not None:
        values = source
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        made: Value = (yield value()) if callable(value) else value
        texts = [made] if isinstance(made, str) else made
        pairs += [(name, text) for text in texts]
    return pairs
