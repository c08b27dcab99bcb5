"""Idempotent producers (section 5.2.1): each append counts once, however often it is sent.

A producer numbers its appends from 0 on; its epoch grows when it starts anew, which fences off what
is left of its earlier self. The server remembers the last number per stream and producer.

| known state          | claim              | answer                                            |
|----------------------|--------------------|---------------------------------------------------|
| none                 | seq 0, any epoch   | accepted                                          |
| none                 | seq > 0            | 409, expected 0                                   |
| epoch e, last seq n  | epoch < e          | 403 with the present epoch                        |
|                      | epoch > e, seq 0   | accepted, the count begins anew                   |
|                      | epoch > e, seq > 0 | 400: a new epoch begins at 0                      |
|                      | epoch e, seq <= n  | duplicate: 204, nothing is written                |
|                      | epoch e, seq n + 1 | accepted                                          |
|                      | epoch e, seq > n+1 | 409, expected n + 1                               |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stateschema.stream.protocol.headers import (
    PRODUCER_EPOCH,
    PRODUCER_EXPECTED_SEQ,
    PRODUCER_ID,
    PRODUCER_RECEIVED_SEQ,
    PRODUCER_SEQ,
    parse_count,
)
from stateschema.stream.protocol.rejection import RejectedError

MAX_ID: Final = 1024
"""Characters of the longest id: it is remembered as long as the stream."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a producer says about one append: who it is, which epoch, which number."""

    producer: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class ProducerState:
    """What the server remembers of a producer: its epoch and the last number accepted in it."""

    epoch: int
    seq: int


def parse_claim(headers: Mapping[str, str]) -> Claim | None:
    """Read the three headers; names in lower case.

    Raises:
        RejectedError: Some are missing or malformed; status 400.
    """
    names = (PRODUCER_ID, PRODUCER_EPOCH, PRODUCER_SEQ)
    producer, epoch, seq = (headers.get(name.lower()) for name in names)
    if producer is None and epoch is None and seq is None:
        return None
    if producer is None or epoch is None or seq is None:
        raise RejectedError(400, "bad-header", f"{', '.join(names)} must be given together")
    if not producer.strip():
        raise RejectedError(400, "bad-header", f"header {PRODUCER_ID} is empty")
    if len(producer) > MAX_ID:
        raise RejectedError(400, "bad-header", f"header {PRODUCER_ID} is longer than {MAX_ID}")
    return Claim(producer, parse_count(PRODUCER_EPOCH, epoch), parse_count(PRODUCER_SEQ, seq))


def is_duplicate(state: ProducerState | None, claim: Claim) -> bool:
    """Tell whether a claim was accepted before, so that nothing is to be written.

    Raises:
        RejectedError: The claim is neither new nor a duplicate; status 403, 400 or 409.
    """
    if state is None:
        return _check_next(claim, expected=0)
    if claim.epoch < state.epoch:
        stale = f"producer {claim.producer!r} has reached epoch {state.epoch}"
        raise RejectedError(403, "stale-epoch", stale, {PRODUCER_EPOCH: str(state.epoch)})
    if claim.epoch > state.epoch:
        if claim.seq:
            begin = f"epoch {claim.epoch} of producer {claim.producer!r} must begin with seq 0"
            raise RejectedError(400, "bad-epoch-start", begin)
        return False
    return claim.seq <= state.seq or _check_next(claim, expected=state.seq + 1)


def _check_next(claim: Claim, *, expected: int) -> bool:
    if claim.seq == expected:
        return False
    gap = f"producer {claim.producer!r} sent seq {claim.seq} where {expected} was due"
    headers = {PRODUCER_EXPECTED_SEQ: str(expected), PRODUCER_RECEIVED_SEQ: str(claim.seq)}
    raise RejectedError(409, "sequence-gap", gap, headers)
