"""The operations on one stream as machines: what is sent, and what the answers mean.

Content type   An append has to name the content type of its stream. It is learnt from the first
               answer that tells it, else asked for by a HEAD request before the first append.
Repeating      Failures that may pass are repeated as `retry` says. Where a request went unanswered
               and its repetition meets what the first one had done already, that is success: a
               stream that is gone after a delete was deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stateschema.errors import LocalProtocolError
from stateschema.stream.client.answers import Head, is_closed, next_offset, refuse
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.content import Message, body_of, decode, encode
from stateschema.stream.client.effects import Machine, Request, Response
from stateschema.stream.client.retry import Backoff, Retry, exchange
from stateschema.stream.offset import Offset
from stateschema.stream.protocol import headers as names
from stateschema.stream.protocol.record import JSON

_SUCCESS = frozenset({200, 201, 204})
_FORBIDDEN_IN_OFFSETS = frozenset(",&=?/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerMark:
    """Who appends, for an append that the server recognises when it comes again."""

    id: str
    epoch: int
    seq: int

    def headers(self) -> dict[str, str]:
        """Return the headers that say so."""
        return {
            names.PRODUCER_ID: self.id,
            names.PRODUCER_EPOCH: str(self.epoch),
            names.PRODUCER_SEQ: str(self.seq),
        }


class Operations:
    """The operations on one stream.

    Args:
        name: Names the stream in errors.
        retry: How failures that may pass are repeated.
        content_type: Content type of the stream, None to learn it.
    """

    def __init__(self, name: str, *, retry: Retry, content_type: str | None = None) -> None:
        self.name = name
        self.retry = retry
        self.content_type = content_type

    def create(
        self,
        *,
        content_type: str | None,
        ttl: int | None,
        expires_at: datetime | str | None,
        closed: bool,
        messages: Sequence[Message],
    ) -> Machine[Head]:
        """Create the stream; nothing if it exists in the same form."""
        content_type = content_type or self.content_type or JSON
        texts = [encode(message, content_type) for message in messages]
        headers = {"Content-Type": content_type} | _lifetime(ttl, expires_at) | _closing(closed)
        body = body_of(texts, content_type) if texts else None
        request = Request(method="PUT", headers=headers, body=body)
        return (yield from self._head(request, content_type=content_type))

    def fork(
        self,
        source: str,
        *,
        offset: str | None,
        sub_offset: int | None,
        ttl: int | None,
        expires_at: datetime | str | None,
    ) -> Machine[Head]:
        """Create the stream as a fork of the stream at another path of the same server."""
        headers = {names.STREAM_FORKED_FROM: source} | _lifetime(ttl, expires_at)
        if offset is not None:
            headers[names.STREAM_FORK_OFFSET] = checked_offset(offset)
        if sub_offset is not None:
            headers[names.STREAM_FORK_SUB_OFFSET] = str(sub_offset)
        return (yield from self._head(Request(method="PUT", headers=headers)))

    def head(self) -> Machine[Head]:
        """Ask for the end of the stream, and what kind of stream it is."""
        return (yield from self._head(Request(method="HEAD")))

    def delete(self) -> Machine[None]:
        """Delete the stream."""
        response = yield from self._exchange(Request(method="DELETE"))
        was_deleted = response.after_lost and response.status in {404, 410}
        if response.status not in _SUCCESS and not was_deleted:
            refuse(response, self.name)

    def read(self, offset: str) -> Machine[ClientBatch]:
        """Read once, what the server gives at once."""
        request = Request(method="GET", params={"offset": checked_offset(offset)})
        response = yield from self._exchange(request)
        if response.status != 200:
            refuse(response, self.name, offset=offset)
        return self.batch(response)

    def append(self, texts: Sequence[bytes], *, seq: str | None) -> Machine[Offset]:
        """Append encoded messages as one batch; returns the offset after them."""
        headers = {names.STREAM_SEQ: seq} if seq is not None else {}
        return next_offset((yield from self._post(texts, headers, is_repeatable=False)))

    def close(self, texts: Sequence[bytes]) -> Machine[Offset]:
        """Close the stream after a last batch, which may be empty; returns the final offset."""
        headers = _closing(closed=True)
        response = yield from self._post(texts, headers, is_repeatable=not texts)
        return next_offset(response)

    def produce(
        self, texts: Sequence[bytes], mark: ProducerMark, *, closes: bool
    ) -> Machine[Response]:
        """Append a batch of a producer; returns whatever the server answers to it."""
        headers = mark.headers() | _closing(closes)
        request = yield from self._post_request(texts, headers, is_repeatable=True)
        return (yield from self._exchange(request))

    def known_content_type(self) -> Machine[str]:
        """Return the content type of the stream; ask for it if nobody knows."""
        if self.content_type is None:
            yield from self.head()
        if self.content_type is None:
            raise LocalProtocolError(f"content type of stream {self.name!r} is not known")
        return self.content_type

    def batch(self, response: Response) -> ClientBatch:
        """Return what an answer to a read holds."""
        self.learn(response)
        closed = is_closed(response)
        headers = response.headers
        return ClientBatch(
            messages=decode(response.body, self.content_type or ""),
            next_offset=next_offset(response),
            up_to_date=closed or names.is_true(headers.get(names.STREAM_UP_TO_DATE.lower())),
            source=self.name,
            is_closed=closed,
            cursor=headers.get(names.STREAM_CURSOR.lower()),
        )

    def learn(self, response: Response) -> None:
        """Take over the content type that an answer tells."""
        told = response.headers.get("content-type")
        if told and response.status != 204 and names.media_type(told) != "text/event-stream":
            self.content_type = told

    def _post(
        self, texts: Sequence[bytes], headers: dict[str, str], *, is_repeatable: bool
    ) -> Machine[Response]:
        request = yield from self._post_request(texts, headers, is_repeatable=is_repeatable)
        response = yield from self._exchange(request)
        if response.status not in _SUCCESS:
            refuse(response, self.name)
        return response

    def _post_request(
        self, texts: Sequence[bytes], headers: dict[str, str], *, is_repeatable: bool
    ) -> Machine[Request]:
        body = b""
        if texts:
            content_type = yield from self.known_content_type()
            headers = {"Content-Type": content_type} | headers
            body = body_of(texts, content_type)
        return Request(method="POST", headers=headers, body=body, is_repeatable=is_repeatable)

    def _head(self, request: Request, *, content_type: str | None = None) -> Machine[Head]:
        response = yield from self._exchange(request)
        if response.status not in _SUCCESS:
            refuse(response, self.name)
        self.content_type = content_type or self.content_type
        self.learn(response)
        head = Head.of(response)
        head.content_type = head.content_type or self.content_type
        return head

    def _exchange(self, request: Request) -> Machine[Response]:
        return exchange(request, Backoff(self.retry))


def checked_offset(offset: str) -> str:
    """Return an offset that may be sent.

    Raises:
        LocalProtocolError: No server can have minted it.
    """
    if not offset or _FORBIDDEN_IN_OFFSETS & set(offset) or not offset.isprintable():
        raise LocalProtocolError(f"offset {offset!r} is malformed")
    return offset


def _lifetime(ttl: int | None, expires_at: datetime | str | None) -> dict[str, str]:
    if ttl is not None and expires_at is not None:
        raise LocalProtocolError("stream with both ttl and expires_at")
    if ttl is not None:
        if ttl < 0:
            raise LocalProtocolError(f"ttl {ttl} is negative")
        return {names.STREAM_TTL: str(ttl)}
    if isinstance(expires_at, datetime):
        if expires_at.tzinfo is None:
            raise LocalProtocolError(f"expires_at {expires_at} has no time zone")
        expires_at = expires_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {} if expires_at is None else {names.STREAM_EXPIRES_AT: expires_at}


def _closing(closed: bool) -> dict[str, str]:  # noqa: FBT001 - the value of the header
    return {names.STREAM_CLOSED: "true"} if closed else {}
