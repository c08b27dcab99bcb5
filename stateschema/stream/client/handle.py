"""What the asynchronous and the blocking client share: arguments and names, and no I/O."""

from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit

from stateschema.stream.client.dynamic import Dynamic, Preparation
from stateschema.stream.client.following import Follower, Live
from stateschema.stream.client.operations import Operations
from stateschema.stream.client.retry import Backoff, Retry
from stateschema.stream.client.transport import Timeouts

S = TypeVar("S")

_LEGAL_IN_PATHS = "/%:@!$&'()*+,;=~"  # besides letters, digits and -._


class Handle:
    """A stream on a server, by its URL.

    Attributes:
        url: The URL, as given.
        name: The URL without its query, which may hold secrets; names the stream in errors.
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str | None,
        headers: Dynamic,
        params: Dynamic,
        retry: Retry | None,
        timeouts: Timeouts | None,
    ) -> None:
        self._preparation = Preparation(url, headers=headers, params=params)
        self.url = url
        self.name: str = urlsplit(url)._replace(query="", fragment="").geturl()
        self._headers = headers
        self._params = params
        self._timeouts = _settings(timeouts, Timeouts, "timeouts")
        self._retry = _settings(retry, Retry, "retry")
        self._operations = Operations(self.name, retry=self._retry, content_type=content_type)

    @property
    def content_type(self) -> str | None:
        """Content type of the stream, None as long as nobody has told."""
        return self._operations.content_type

    def _follower(self, offset: str, live: Live | None) -> Follower:
        retry = self._retry if live is None else replace(self._retry, max_retries=None)
        return Follower(self._operations, offset, live=live, backoff=Backoff(retry))

    def _relative(self, url: str) -> str:
        """Return the URL of another stream, which may be given relative to this one."""
        return urljoin(self.url, url)

    @property
    def _path(self) -> str:
        return quote(urlsplit(self.url).path, safe=_LEGAL_IN_PATHS)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def _settings(given: S | None, kind: type[S], name: str) -> S:
    """Return the settings given, else the usual ones.

    Raises:
        TypeError: They are of another kind.
    """
    if given is None:
        return kind()
    if not isinstance(given, kind):
        error = TypeError(f"{name}= takes {kind.__name__}(...), not {given!r}")
        error.add_note("they are in stateschema.stream.client")
        raise error
    return given
