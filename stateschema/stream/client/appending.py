"""Plain appends that run into each other: those that wait become one request.

While one append is on its way, others queue up; the next request carries them all, as one batch of
the stream. Each caller waits for the request that carries its messages and gets its outcome: the
offset, or the error. Nobody is left waiting behind a request that failed.

An append with a sequence number travels alone, because the number belongs to the request.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stateschema.stream.offset import Offset

MAX_BATCH_BYTES = 1 << 20


class Outcome(Protocol):
    """What a caller waits for: a future of asyncio or of `concurrent.futures`."""

    def done(self) -> bool:
        """Whether there is an outcome, or the caller has given up."""
        ...

    def set_result(self, result: Offset, /) -> None:
        """Tell the offset after the append."""
        ...

    def set_exception(self, exception: BaseException, /) -> None:
        """Tell why it failed."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One append: encoded messages, the sequence number if there is one, and who waits."""

    texts: Sequence[bytes]
    seq: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AppendBatch:
    """Appends that travel in one request."""

    entries: Sequence[Entry]

    @property
    def texts(self) -> list[bytes]:
        """The encoded messages."""
        return [text for entry in self.entries for text in entry.texts]

    @property
    def seq(self) -> str | None:
        """The sequence number; only a batch of one append has it."""
        return self.entries[0].seq

    def settle(self, offset: Offset) -> None:
        """Tell all callers that it is done."""
        for entry in self.entries:
            if not entry.outcome.done():
                entry.outcome.set_result(offset)

    def fail(self, error: BaseException) -> None:
        """Tell all callers why it is not."""
        for entry in self.entries:
            if not entry.outcome.done():
                entry.outcome.set_exception(error)


class AppendQueue:
    """Appends that wait for their request, in order.

    Args:
        max_bytes: How large a request with several appends may become.
    """

    def __init__(self, *, max_bytes: int = MAX_BATCH_BYTES) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[Entry] = deque()

    def add(self, entry: Entry) -> None:
        """Queue an append."""
        self._waiting.append(entry)

    def take(self) -> AppendBatch | None:
        """Return the appends of the next request; None if nobody waits any more."""
        entries: list[Entry] = []
        size = 0
        while self._waiting:
            entry = self._waiting[0]
            if entry.outcome.done():  # whoever waited has given up, and nothing was sent
                self._waiting.popleft()
                continue
            size += sum(map(len, entry.texts))
            if entries and (size > self._max_bytes or entry.seq is not None):
                break
            entries.append(self._waiting.popleft())
            if entry.seq is not None:
                break
        return AppendBatch(entries) if entries else None
