"""Who may do what: a hook of the server, and bearer tokens as the simplest use of it.

The hook is asked before a stream is looked at, so that a refusal does not tell whether it exists. A
fork asks twice: to create the fork, and to fork its source.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from hashlib import sha256
from typing import TypeAlias

from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.request import Action, Request

Authorize: TypeAlias = Callable[[Request, Action, str], bool | Awaitable[bool]]
"""Tells whether a request may do something with a stream of a name."""


class BearerTokens:
    """Allows actions by `Authorization: Bearer TOKEN`.

    >>> authorize = BearerTokens({"secret": {"read", "head"}})
    >>> request = Request("GET", "/v1/stream/a", "", {"authorization": "Bearer secret"}, {}, None)
    >>> authorize(request, "read", "a"), authorize(request, "append", "a")
    (True, False)

    Args:
        tokens: The actions that each token allows, on all streams.
    """

    def __init__(self, tokens: Mapping[str, Collection[Action]]) -> None:
        # By digest, so that the time of the look-up says nothing about a token.
        self._actions = {_digest(token): frozenset(allowed) for token, allowed in tokens.items()}

    def __call__(self, request: Request, action: Action, stream: str) -> bool:
        """Tell whether the token of a request allows an action."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and action in self._actions.get(_digest(token), ())


def denial(request: Request, action: Action) -> RejectedError:
    """Return the rejection of a request that may not do what it wants."""
    if "authorization" in request.headers:
        return RejectedError(403, "forbidden", f"not allowed to {action} this stream")
    headers = {"WWW-Authenticate": "Bearer"}
    return RejectedError(401, "unauthorized", "credentials are needed", headers)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
