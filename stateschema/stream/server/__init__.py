"""An ASGI server of durable streams, to be run alone or mounted in an application."""

from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.app import StreamServer
from stateschema.stream.server.authorize import Authorize, BearerTokens
from stateschema.stream.server.companion import Companion
from stateschema.stream.server.request import Action, Request
from stateschema.stream.server.settings import Settings

__all__ = [
    "Action",
    "Authorize",
    "BearerTokens",
    "Companion",
    "RejectedError",
    "Request",
    "Settings",
    "StreamServer",
]
