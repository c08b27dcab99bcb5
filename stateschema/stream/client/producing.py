"""The idempotent producer: what it may send now, and what answers do to it. No I/O, no clock.

Messages become batches; a batch has a sequence number within an epoch, and the server takes each
number once (protocol section 5.2.1). So a batch without an answer is sent again until there is one,
under the same number.

Law        What was added is in the stream once and in order when all is acknowledged; or `error`
           says why not, and then what is in the stream is a beginning of what was added.
Batches    A batch goes out when it is full, when its first message has waited for `linger` seconds,
           or when a flush asks for it. At most `max_in_flight` are on their way.
Gaps       Requests overtake each other; the server refuses a number whose predecessor is not there
           yet. Such a batch goes again when all before it are acknowledged. A gap with nothing
           missing on our side means the server has forgotten what it acknowledged: an error.
Fencing    A newer epoch of the same producer shuts this one out. With `auto_claim` it takes the
           next epoch instead: it lets everything in flight come back, and numbers what is not
           acknowledged from 0 on.
           A batch whose answer was lost before the fence may or may not be in the stream, and the
           new epoch cannot tell: this is an error, as sending it again could double it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from stateschema.errors import LocalProtocolError, RefusedError
from stateschema.stream.client.operations import ProducerMark
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.headers import MAX_COUNT

MAX_IN_FLIGHT = 5
MAX_BATCH_BYTES = 1 << 20
LINGER = 0.005


@dataclass(slots=True, eq=False)
class ProducerBatch:
    """Messages that travel under one number.

    Attributes:
        texts: Encoded messages; empty only in a batch that just closes the stream.
        mark: Producer, epoch and number.
        closes: Whether the stream is closed after it.
        is_lost: Whether it was sent without an answer, so that the server may have it.
        was_first: Whether no earlier batch was unacknowledged when it was sent last.
    """

    texts: Sequence[bytes]
    mark: ProducerMark
    closes: bool = False
    is_lost: bool = False
    was_first: bool = False


class ProducerState:
    """What a producer has to send, and how far it has got.

    Args:
        producer_id: Identifies the producer; at most one may be alive under an id. A fresh one is
            made up if there is none.
        epoch: Grows with each restart of the producer.
        auto_claim: Whether to take the next epoch when another one has taken this one.
        max_in_flight: Batches on their way at the same time, at most.
        max_batch_bytes: Size at which a batch goes out at once; only a single message may be larger.
        linger: Seconds that a message waits for others.

    Attributes:
        id: The id.
        max_in_flight: As given.
        epoch: The present epoch.
        error: Why nothing more will be sent, else None.
        offset: The offset after the last acknowledged batch, None before.
        has_closed_stream: Whether it has closed the stream.
    """

    def __init__(
        self,
        producer_id: str | None = None,
        *,
        epoch: int = 0,
        auto_claim: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_batch_bytes: int = MAX_BATCH_BYTES,
        linger: float = LINGER,
    ) -> None:
        if producer_id == "":
            raise LocalProtocolError("producer_id is empty")
        if not 0 <= epoch <= MAX_COUNT:
            raise LocalProtocolError(f"epoch {epoch} is not between 0 and {MAX_COUNT}")
        if max_in_flight < 1:
            raise LocalProtocolError(f"max_in_flight {max_in_flight} is not positive")
        if max_batch_bytes < 1:
            raise LocalProtocolError(f"max_batch_bytes {max_batch_bytes} is not positive")
        if linger < 0:
            raise LocalProtocolError(f"linger {linger} is negative")
        self.epoch: int = epoch
        self.error: Exception | None = None
        self.offset: Offset | None = None
        self.id = uuid4().hex if producer_id is None else producer_id
        self._auto_claim = auto_claim
        self.max_in_flight = max_in_flight
        self._max_batch_bytes = max_batch_bytes
        self._linger = linger
        self._next_seq = 0
        self._is_claimed = False  # the epoch is ours: something in it is acknowledged
        self._fence: int | None = None  # the epoch that shuts us out, while we wait for answers
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._pending_since = 0.0
        self._closing: Sequence[bytes] | None = None
        self.has_closed_stream: bool = False
        self._unacknowledged: dict[int, ProducerBatch] = {}  # by number, in order
        self._waiting: set[int] = set()  # numbers of those that have to be sent again
        self._added = 0  # messages so far
        self._taken = 0  # of them, into batches
        self._acknowledged = 0
        self._flushed = 0  # up to here nothing lingers

    # -- what comes in

    def add(self, text: bytes, now: float) -> None:
        """Add an encoded message."""
        self._check_open()
        if not self._pending:
            self._pending_since = now
        self._pending.append(text)
        self._pending_bytes += len(text)
        self._added += 1

    def flush(self) -> int:
        """Let everything that was added go out without lingering; return how much that is."""
        self._flushed = self._added
        return self._added

    def has_acknowledged(self, messages: int) -> bool:
        """Tell whether so many messages, from the first on, are in the stream."""
        return self._acknowledged >= messages

    def close_stream(self, texts: Sequence[bytes]) -> None:
        """Close the stream with the batch after all others, which may be empty."""
        self._check_open()
        self._closing = texts
        self.flush()

    def fail(self, error: Exception) -> None:
        """Give up: nothing more is sent."""
        if self.error is None:
            self.error = error

    @property
    def is_idle(self) -> bool:
        """Whether everything that was added is acknowledged."""
        return not self._pending and not self._unacknowledged and self._closing is None

    @property
    def has_more(self) -> bool:
        """Whether something waits that is not on its way."""
        return bool(self._pending or self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether more should not be added before something is acknowledged."""
        waiting = len(self._unacknowledged) + self._pending_bytes // self._max_batch_bytes
        return waiting > self.max_in_flight

    # -- what goes out

    def next(self, now: float) -> ProducerBatch | None:
        """Return a batch to send now, None if there is none; call again until there is none."""
        if self.error is not None:
            return None
        if self._fence is not None and not self._claim():
            return None
        in_flight = len(self._unacknowledged) - len(self._waiting)
        first = next(iter(self._unacknowledged), None)
        if first is not None and first in self._waiting:
            return self._sent(first)
        if self._waiting:  # a new one would meet the gap that they leave
            return None
        allowed = self.max_in_flight if self._is_claimed else 1
        if in_flight >= allowed or len(self._unacknowledged) >= self.max_in_flight:
            return None
        if self._pending and self._is_due(now):
            return self._new_batch(self._take_pending(), closes=False)
        if not self._pending and self._closing is not None and not self._unacknowledged:
            texts, self._closing = self._closing, None
            return self._new_batch(texts, closes=True)
        return None

    def due_in(self, now: float) -> float | None:
        """Return the seconds after which lingering ends, None if nothing lingers."""
        if not self._pending or self.error is not None:
            return None
        return max(self._pending_since + self._linger - now, 0.0)

    # -- what comes back

    def accepted(self, batch: ProducerBatch, offset: Offset) -> None:
        """A batch is in the stream."""
        del self._unacknowledged[batch.mark.seq]
        self._is_claimed = True
        # Answers may overtake each other, batches do not.
        if self.offset is None or offset > self.offset:
            self.offset = offset
        self._acknowledged += len(batch.texts)
        self.has_closed_stream = self.has_closed_stream or batch.closes

    def gapped(self, batch: ProducerBatch) -> None:
        """A batch was refused because one before it is missing."""
        seq = batch.mark.seq
        if batch.was_first and self._fence is None:
            message = f"server has lost what producer {self.id!r} sent before number {seq}"
            self.fail(RefusedError(message, status=409))
        self._waiting.add(seq)

    def fenced(self, batch: ProducerBatch, error: RefusedError) -> None:
        """A batch was refused because of a newer epoch, which the error names."""
        if not self._auto_claim or error.epoch is None or error.epoch < self.epoch:
            self.fail(error)
        elif batch.is_lost:
            error.add_note(
                f"batch {batch.mark.seq} went unanswered before: it may be in the stream or not"
            )
            self.fail(error)
        self._waiting.add(batch.mark.seq)
        self._fence = max(self._fence or 0, error.epoch or 0)

    # -- the parts

    def _check_open(self) -> None:
        if self.error is not None:
            raise self.error
        if self._closing is not None or self.has_closed_stream:
            raise LocalProtocolError(f"producer {self.id!r} has closed the stream")

    def _is_due(self, now: float) -> bool:
        return (
            self._taken < self._flushed
            or self._pending_bytes >= self._max_batch_bytes
            or now - self._pending_since >= self._linger
        )

    def _take_pending(self) -> list[bytes]:
        texts: list[bytes] = []
        size = 0
        while self._pending and (
            not texts or size + len(self._pending[0]) <= self._max_batch_bytes
        ):
            texts.append(self._pending.popleft())
            size += len(texts[-1])
        self._pending_bytes -= size
        self._taken += len(texts)
        return texts

    def _new_batch(self, texts: Sequence[bytes], *, closes: bool) -> ProducerBatch:
        seq = self._next_seq
        self._next_seq += 1
        self._unacknowledged[seq] = ProducerBatch(texts, self._mark(seq), closes)
        return self._sent(seq)

    def _sent(self, seq: int) -> ProducerBatch:
        self._waiting.discard(seq)
        batch = self._unacknowledged[seq]
        batch.was_first = seq == next(iter(self._unacknowledged))
        return batch

    def _mark(self, seq: int) -> ProducerMark:
        return ProducerMark(id=self.id, epoch=self.epoch, seq=seq)

    def _claim(self) -> bool:
        """Take the next epoch, once nothing of the old one is on its way; tell whether it is."""
        if len(self._waiting) < len(self._unacknowledged):
            return False
        assert self._fence is not None
        self.epoch, self._fence = self._fence + 1, None
        self._is_claimed = False
        again = list(self._unacknowledged.values())
        self._next_seq = len(again)
        for seq, batch in enumerate(again):
            batch.mark = self._mark(seq)
        self._unacknowledged = dict(enumerate(again))
        self._waiting = set(self._unacknowledged)
        return True
