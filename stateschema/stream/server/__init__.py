"""An ASGI server of durable streams, to be run alone or mounted in an application."""

from stateschema.stream.server.app import StreamServer
from stateschema.stream.server.authorize import BearerTokens
from stateschema.stream.server.request import Action, Request
from stateschema.stream.server.settings import Settings

__all__ = ["Action", "BearerTokens", "Request", "Settings", "StreamServer"]
