"""Trying again: which failures pass by themselves, and how long to wait.

Backoff    The pause grows by a factor from attempt to attempt up to a maximum. Half of it is
           random, so that clients that failed together do not come back together.
Asked for  A `Retry-After` of the server, in seconds or as a date, is waited for at least, up to an
           hour.
Repeating  An append without a producer that got no answer may have arrived: it is not repeated,
           because that could double it. It is repeated when the connection was never made, and when
           the server itself said that it failed. A gateway that says so (502, 504) does not know.
"""

import random as standard_random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from stateschema.errors import LocalProtocolError, NetworkError
from stateschema.stream.client.effects import Machine, Request, Response, Sleep, send

LONGEST_RETRY_AFTER = 3600.0  # seconds; who asks for more is asked again after this

_PASSING = frozenset({429, 500, 502, 503, 504})
_UNCERTAIN = frozenset({502, 504})  # of gateways that do not know what became of the request


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How to try again after a failure that may pass.

    Attributes:
        initial: Seconds before the first repetition.
        factor: By how much the pause grows each time.
        maximum: Longest pause in seconds.
        max_retries: Repetitions of a single operation before it fails, None for no limit; following
            a stream knows no limit.
    """

    initial: float = 0.1
    factor: float = 1.3
    maximum: float = 60.0
    max_retries: int | None = 12

    def __post_init__(self) -> None:
        if not self.initial > 0:
            raise LocalProtocolError(f"initial {self.initial} is not positive")
        if not self.factor >= 1:
            raise LocalProtocolError(f"factor {self.factor} is less than 1")
        if not self.maximum >= self.initial:
            raise LocalProtocolError(f"maximum {self.maximum} is less than initial {self.initial}")
        if self.max_retries is not None and self.max_retries < 0:
            raise LocalProtocolError(f"max_retries {self.max_retries} is negative")


class Backoff:
    """The pauses between the attempts of one operation.

    Attributes:
        attempts: How many failed in a row, and were followed by a pause.
    """

    __slots__ = ("_base", "_random", "_retry", "attempts")

    def __init__(
        self, retry: Retry, *, random: Callable[[], float] = standard_random.random
    ) -> None:
        self._retry = retry
        self._random = random
        self._base = retry.initial
        self.attempts: int = 0

    def reset(self) -> None:
        """Begin anew, after a success."""
        self.attempts = 0
        self._base = self._retry.initial

    def pause(self, at_least: float = 0.0) -> float | None:
        """Return the seconds to wait before the next attempt, None if there shall be none."""
        limit = self._retry.max_retries
        if limit is not None and self.attempts >= limit:
            return None
        self.attempts += 1
        base = self._base
        self._base = min(base * self._retry.factor, self._retry.maximum)
        return max(base * (1 + self._random()) / 2, at_least)


def exchange(request: Request, backoff: Backoff) -> Machine[Response]:
    """Send a request until it is answered by something else than a failure that may pass.

    Returns:
        The answer; that of a failure when the patience of `backoff` is over.

    Raises:
        NetworkError: No answer came, and the patience is over or the request is not repeatable.
    """
    was_lost = False
    while True:
        try:
            response = yield from send(request)
        except NetworkError as error:
            was_lost = was_lost or error.was_sent
            if error.was_sent and not request.is_repeatable:
                error.add_note("it may have arrived, so it was not sent again: use a producer")
                raise
            pause = backoff.pause()
            if pause is None:
                raise
        else:
            response = replace(response, after_lost=was_lost)
            pause = (
                backoff.pause(retry_after(response.headers)) if _passes(request, response) else None
            )
            if pause is None:
                return response
            was_lost = was_lost or response.status != 429
        yield Sleep(pause)


def is_passing(status: int) -> bool:
    """Tell whether a status speaks of a failure that may pass by itself."""
    return status in _PASSING


def _passes(request: Request, response: Response) -> bool:
    certain = request.is_repeatable or response.status not in _UNCERTAIN
    return certain and is_passing(response.status)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float:
    """Return the seconds a server asks to wait, 0 if it does not or nobody understands it.

    >>> retry_after({"retry-after": "2"})
    2.0
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    wait = (moment.astimezone(UTC) - (now or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER)
