"""Rejections: why a request is not granted, in the terms of HTTP.

The rules raise them, stores let them pass, the server turns them into answers: status, a stable
code, a sentence, and the headers that the protocol wants on such an answer.
"""

from collections.abc import Mapping

from stateschema.errors import StreamError


class RejectedError(StreamError):
    """A stream, or a rule of the protocol, rejects a request.

    Attributes:
        status: The HTTP status.
        reason: A stable kebab-case word for the case, for programs.
        headers: Headers of the answer beyond the usual ones.
    """

    code = "rejected"

    def __init__(
        self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.headers: dict[str, str] = dict(headers or {})
