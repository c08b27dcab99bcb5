"""Requests: what a server reads out of a scope, and what it refuses to read.

The name of a stream is the rest of the path, decoded once. It is a key, never a file name; still, what
a proxy or a browser might read differently is refused: empty and dotted segments, backslashes, control
characters, bytes that are no UTF-8. Repeated headers and parameters that matter are refused too: two readers might
choose different ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

from stateschema.errors import LocalProtocolError
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.asgi import Scope
from stateschema.stream.server.settings import Settings

Action: TypeAlias = Literal["create", "append", "read", "head", "delete", "fork"]
"""What a request wants to do with a stream; `fork` is asked of the source."""

MAX_NAME: Final = 1024
"""Bytes of the longest name of a stream."""

RESERVED: Final = "__ds"
"""The first segment of names that the protocol keeps for itself (section 6)."""

_LIST_HEADERS = frozenset({"if-none-match", "accept", "accept-encoding", "cookie", "vary"})
_SINGLE_HEADERS = frozenset({"authorization", "content-encoding", "content-type", "host"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: In capitals.
        path: Decoded, below the place the server is mounted at.
        root: Decoded, the place the server is mounted at.
        headers: Names in lower case.
        query: Parameters, each with all its values.
        client: Address of the peer, as far as known.
    """

    method: str
    path: str
    root: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    client: str | None

    def parameter(self, name: str) -> str | None:
        """Return a parameter that may be given once.

        Raises:
            RejectedError: It is given more often; status 400.
        """
        values = self.query.get(name, [])
        if len(values) > 1:
            raise RejectedError(400, "bad-parameter", f"parameter {name!r} is given more than once")
        return values[0] if values else None

    def offset(self) -> str | None:
        """Return the offset parameter, checked for its form.

        Raises:
            RejectedError: It is malformed; status 400.
        """
        offset = self.parameter("offset")
        if offset is not None:
            try:
                Offset.position(offset, tail=0)
            except LocalProtocolError as error:
                raise RejectedError(400, "bad-offset", str(error)) from error
        return offset


def parse_request(scope: Scope, settings: Settings) -> Request:
    """Read a scope.

    Raises:
        RejectedError: It breaks a rule that holds for all requests; status 400 or 431.
    """
    client = scope.get("client")
    root = str(scope.get("root_path", ""))
    return Request(
        method=str(scope["method"]).upper(),
        path=_below(_path(scope), root, str(scope.get("app_root_path", ""))),
        root=root,
        headers=_headers(scope, settings.max_header_bytes),
        query=_query(scope),
        client=None if client is None else str(client[0]),
    )


def stream_name(path: str, prefix: str) -> str | None:
    """Return the name of the stream at a path, None if no streams live there.

    Raises:
        RejectedError: The name is not one a stream can have; status 400, or 501 if it is reserved.
    """
    if not path.startswith(prefix):
        return None
    name = path[len(prefix) :]
    segments = name.split("/")
    if segments[0] == RESERVED:
        raise RejectedError(501, "not-implemented", "subscriptions are not implemented")
    is_legal = (
        len(name.encode()) <= MAX_NAME
        and not any(segment in {"", ".", ".."} for segment in segments)
        and name.isprintable()
        and "\\" not in name
    )
    if not is_legal:
        raise RejectedError(400, "bad-path", f"path {path[:200]!r} names no stream")
    return name


def source_name(value: str, root: str, prefix: str) -> str:
    """Return the name of the stream that a header refers to by its path.

    Raises:
        RejectedError: The header holds no path of a stream; status 400.
    """
    path = _decoded(value.encode("latin-1"))
    name = stream_name(path.removeprefix(root), prefix)
    if name is None:
        raise RejectedError(400, "bad-fork", f"{value[:200]!r} is no path of a stream")
    return name


def _path(scope: Scope) -> str:
    raw = scope.get("raw_path")
    return str(scope["path"]) if raw is None else _decoded(bytes(raw).partition(b"?")[0])


def _below(path: str, root: str, outside: str) -> str:
    """Return a path without the place the server is mounted at.

    A proxy may have taken off the part of that place that is its own. The path then begins where
    Starlette's `app_root_path` ends, though ASGI wants all of `root_path` in it.
    """
    for place in (root, root.removeprefix(outside)):
        if path.startswith(f"{place}/"):
            return path[len(place) :]
    return path


def _decoded(path: bytes) -> str:
    try:
        return (unquote_to_bytes(path) if b"%" in path else path).decode()
    except UnicodeDecodeError as error:
        raise RejectedError(400, "bad-path", "path is no UTF-8") from error


def _headers(scope: Scope, max_bytes: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = 0
    for raw_name, raw_value in scope["headers"]:
        size += len(raw_name) + len(raw_value)
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        if name in headers and name in _LIST_HEADERS:
            headers[name] += f", {value}"
        elif name in headers and (
            name in _SINGLE_HEADERS or name.startswith(("stream-", "producer-"))
        ):
            raise RejectedError(400, "bad-header", f"header {name!r} is given more than once")
        else:
            headers[name] = value
    if size > max_bytes:
        raise RejectedError(431, "headers-too-large", f"headers of {size} bytes are too large")
    return headers


def _query(scope: Scope) -> dict[str, list[str]]:
    query: dict[str, list[str]] = {}
    if not scope["query_string"]:
        return query
    try:
        pairs = parse_qsl(
            bytes(scope["query_string"]).decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=100,
        )
    except ValueError as error:
        raise RejectedError(400, "bad-parameter", "query is malformed") from error
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query
