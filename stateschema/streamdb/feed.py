"""The feed of a StreamDB: the stream it reads from and appends to, and how it is waited for.

A stream is given as an object or as a URL. Of a URL the feed makes a client, with the settings that
come along, and closes it in the end; an object has settings of its own and stays open.
"""

from collections.abc import AsyncGenerator
from typing import Any, Literal, TypeAlias

from stateschema.errors import StreamError, StreamNotFoundError
from stateschema.stream.batch import Batch
from stateschema.stream.client.client import StreamClient
from stateschema.stream.client.following import Live
from stateschema.stream.interface import Stream
from stateschema.stream.offset import Offset
from stateschema.streamdb.arguments import check_choice, check_stream

Follow: TypeAlias = Live | Literal[False]
"""How to wait for news; False reads up to the present end and no further."""


class Feed:
    """One stream as a StreamDB uses it.

    Args:
        stream: An object with the interface of streams.
        url: URL of a stream, in place of `stream`.
        create: Whether to create the stream of the URL if it is missing.
        live: How to wait for news.
        settings: Arguments of the `StreamClient` of the URL.
        owner: Names the StreamDB in errors.

    Attributes:
        stream: As given, or the client of the URL.
        is_live: Whether to go on after the present end.

    Raises:
        TypeError: There is not exactly one of stream and url, or a setting without a url; or the
            stream is none, the url no text.
        ValueError: `live` is no way to wait.
    """

    stream: Stream

    def __init__(
        self,
        *,
        stream: Stream | None,
        url: str | None,
        create: bool,
        live: Follow,
        settings: dict[str, Any],
        owner: str,
    ) -> None:
        self.is_live: bool = live is not False
        self._live: Live = live or "auto"
        self._creates = create
        self._client: StreamClient | None = None
        if (stream is None) == (url is None):
            raise TypeError(f"{owner} needs either a stream or a url")
        check_choice(live, ("auto", "sse", "long-poll", False), "live")
        if url is not None and not isinstance(url, str):
            raise TypeError(f"url= of {owner} takes a text, not {url!r}")
        if stream is not None:
            check_stream(stream, f"stream= of {owner}")
        if url is not None:
            given = {name: value for name, value in settings.items() if value is not None}
            self.stream = self._client = StreamClient(url, **given)
        if stream is not None:
            named = {**settings, "create": create or None, "live": live or None}
            wrong = [name for name, value in named.items() if value is not None and value != "auto"]
            if wrong:
                error = TypeError(f"{wrong[0]}= of {owner} is a setting of a url")
                error.add_note("a stream that is given as an object has been set up already")
                raise error
            self.stream = stream

    @property
    def name(self) -> str:
        """What tells the stream from others, as far as it has a name."""
        return str(getattr(self.stream, "name", None) or getattr(self.stream, "path", ""))

    def follow(self, offset: Offset) -> AsyncGenerator[Batch, None]:
        """Yield batches from an offset on, as `Stream.follow` does."""
        if self._client is not None:
            return self._client.follow(offset, live=self._live)
        return self.stream.follow(offset)

    async def prepare(self) -> None:
        """Create the stream if it is missing and that is wanted."""
        if self._client is None or not self._creates:
            return
        try:
            await self._client.head()
        except StreamNotFoundError:
            await self._client.create()

    async def fork(self, url: str, offset: Offset) -> str:
        """Create a stream that shares what this one holds up to an offset; return its URL.

        Raises:
            StreamError: The stream is not on a server.
        """
        if not isinstance(self.stream, StreamClient):
            raise StreamError(f"stream {self.name!r} cannot be forked: it is not on a server")
        made = await self.stream.fork(url, offset=offset)
        await made.close()
        return made.url

    async def close(self) -> None:
        """Close the client, if it was made here; idempotent."""
        if self._client is not None:
            await self._client.close()
