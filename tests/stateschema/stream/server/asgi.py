"""Requests to a server without sockets: scopes and messages of ASGI, as a web server would make them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from stateschema.stream.server import StreamServer


@dataclass
class Exchange:
    """One request and what has been answered so far."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False
    is_stuck: bool = False

    async def until(self, content: bytes) -> None:
        """Wait until the answer holds something."""
        while content not in self.body:
            self.grown.clear()
            await asyncio.wait_for(self.grown.wait(), 10)


async def exchange(
    server: StreamServer,
    made: Exchange,
    method: str,
    target: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    root: str = "",
) -> None:
    """Carry out a request, with its answer in `made`."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": unquote(root + path),
        "raw_path": (root + path).encode(),
        "root_path": root,
        "query_string": query.encode(),
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
    }
    unsent = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if unsent:
            return unsent.pop()
        await made.gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            made.status = message["status"]
            made.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif made.is_stuck:
            await asyncio.Event().wait()
        else:
            made.body += message.get("body", b"")
            made.is_over = not message.get("more_body")
        made.grown.set()

    await server(scope, receive, send)


async def ask(server: StreamServer, method: str, target: str, **how: Any) -> Exchange:
    """Carry out a request to its end."""
    made = Exchange()
    await exchange(server, made, method, target, **how)
    return made
