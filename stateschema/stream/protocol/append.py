"""Appending and closing (sections 4.3, 5.2 and 5.2.1): who is refused, in which order, and why.

The order is that of the checks in `decide`:

1.  A closed stream takes nothing. What was accepted before stays accepted: the claim that closed the
    stream, and closing it again without a body, are repeats; an older epoch is told so (403).
2.  Nothing to append and no wish to close: 400.
3.  The body's content type: missing 400, another than the stream's 409. Closing alone needs none.
4.  The body itself: 400.
5.  The producer's claim: 403, 400, 409, or a repeat.
6.  `Stream-Seq`: 409. It must grow, byte by byte, over all who write to the stream.

A repeat changes nothing and is a success.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from stateschema.stream.protocol.headers import media_type
from stateschema.stream.protocol.producer import Claim, ProducerState, is_duplicate
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A wish to append, to close, or both.

    Attributes:
        record: What to append; a refusal if the body broke a rule of its content type, None
            without a body.
        content_type: Of the body, as it was given.
        close: Whether to close the stream, after the record.
        seq: `Stream-Seq`.
        claim: What an idempotent producer says.
    """

    record: Record | RejectedError | None = None
    content_type: str | None = None
    close: bool = False
    seq: str | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The stream becomes `state`, the record is to be stored at the old tail.

    Attributes:
        state: The stream afterwards.
        record: What to store, if anything.
        producer: What to remember of the producer, if there is one.
    """

    state: StreamState
    record: Record | None
    producer: ProducerState | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """Everything asked for has happened before.

    Attributes:
        state: The stream as it is.
        producer: The last state of the producer, if there is one.
    """

    state: StreamState
    producer: ProducerState | None


Decision: TypeAlias = Accepted | Repeated


def decide(stream: StreamState, wish: Append, producer: ProducerState | None) -> Decision:
    """Return what an append does to a stream.

    Args:
        stream: The stream as it is; neither expired nor deleted.
        wish: What is asked for.
        producer: What is remembered of the producer of the wish.

    Raises:
        RejectedError: A rule is broken; the stream stays as it is.
    """
    if stream.closed:
        return _decide_closed(stream, wish, producer)
    record = _checked_record(stream, wish)
    if wish.claim is not None and is_duplicate(producer, wish.claim):
        return Repeated(stream, producer)
    if wish.seq is not None and stream.seq is not None and not _grows(stream.seq, wish.seq):
        message = f"Stream-Seq {wish.seq!r} does not come after {stream.seq!r}"
        raise RejectedError(409, "sequence-conflict", message, stream.tail_headers())
    changed = replace(
        stream,
        tail=stream.tail + (record.count if record else 0),
        size=stream.size + (len(record.data) if record else 0),
        seq=stream.seq if wish.seq is None else wish.seq,
        closed=wish.close,
        closer=wish.claim if wish.close else None,
    )
    known = None if wish.claim is None else ProducerState(wish.claim.epoch, wish.claim.seq)
    return Accepted(changed, record, known)


def _decide_closed(stream: StreamState, wish: Append, producer: ProducerState | None) -> Decision:
    if wish.claim is None:
        if wish.close and wish.record is None:
            return Repeated(stream, None)
    elif wish.claim == stream.closer:
        return Repeated(stream, producer)
    elif producer is not None and wish.claim.epoch < producer.epoch:
        is_duplicate(producer, wish.claim)  # refuses
    message = f"stream {stream.name!r} is closed"
    raise RejectedError(409, "stream-closed", message, stream.tail_headers())


def _checked_record(stream: StreamState, wish: Append) -> Record | None:
    if wish.record is None:
        if wish.close:
            return None
        raise RejectedError(400, "empty-body", "append without a body")
    if wish.content_type is None:
        raise RejectedError(400, "no-content-type", "append without Content-Type")
    if media_type(wish.content_type) != media_type(stream.content_type):
        message = f"stream {stream.name!r} holds {stream.content_type}, not {wish.content_type}"
        raise RejectedError(409, "content-type-conflict", message)
    if isinstance(wish.record, RejectedError):
        raise wish.record
    return wish.record


def _grows(last: str, seq: str) -> bool:
    return seq.encode() > last.encode()
