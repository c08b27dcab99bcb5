"""The player: pieces of a recording into the collections of a session, at a pace, measured.

Measured   Per epoch, from decoded JSON to delivered changes: validation, collections, all views and
           their subscribers. Reading and decoding the file, waiting and drawing are left out.
"""

import time
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dataflow.circuit.graph import current_graph
from stateschema.replay.recording import Piece
from stateschema.streamdb.router import Router

LONGEST_SLEEP = 3600.0  # seconds; there is a time that is too far away for the system


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a replay came to.

    Attributes:
        events: Events applied, control events and unknown types included.
        ignored: Events of types the schema does not know.
        epochs: Epochs of the engine.
        rows_touched: Rows that the views read or wrote.
        seconds: Time the epochs took, all together.
        p50, p99: Microseconds per event, median and 99th percentile over the epochs.
    """

    events: int
    ignored: int
    epochs: int
    rows_touched: int
    seconds: float
    p50: float
    p99: float


class Pace:
    """Holds events back so that no more than `speed` of them come per second; 0 does not wait."""

    def __init__(
        self,
        speed: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._start = clock()

    def wait_for(self, events: int) -> None:
        """Wait until it is time for the event that comes after `events` others."""
        if self._speed:
            due = self._start + events / self._speed
            while (ahead := due - self._clock()) > 0:
                self._sleep(min(ahead, LONGEST_SLEEP))


def play(
    recording: Iterable[Piece],
    router: Router,
    *,
    pace: Pace,
    after_epoch: Callable[[int], None],
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Summary:
    """Apply a recording, one epoch per piece.

    Args:
        recording: The pieces.
        router: Where they go.
        pace: Told before each piece how many messages came before.
        after_epoch: Called after each piece with the number of messages so far.
        clock: Nanoseconds, for measuring.

    Raises:
        EventError: An event is bad, and the policy of the router is "raise".
    """
    before = current_graph().statistics()
    seen = events = ignored = total = 0
    per_event = array("d")
    for piece in recording:
        pace.wait_for(seen)
        start = clock()
        committed = router.apply(piece.messages, where=piece.places.__getitem__)
        spent = clock() - start
        total += spent
        per_event.append(spent / 1_000 / len(piece.messages))
        seen += len(piece.messages)
        events += committed.events
        ignored += committed.ignored
        after_epoch(seen)
    after = current_graph().statistics()
    ordered = sorted(per_event)
    return Summary(
        events=events,
        ignored=ignored,
        epochs=after.epochs - before.epochs,
        rows_touched=after.rows_touched - before.rows_touched,
        seconds=total / 1e9,
        p50=percentile(ordered, 0.5),
        p99=percentile(ordered, 0.99),
    )


def percentile(ordered: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed; 0 of none.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([1.0, 2.0, 3.0, 4.0], 0.99)
    (2.0, 4.0)
    """
    if not ordered:
        return 0.0
    rank = max(1, -int(-len(ordered) * share // 1))
    return ordered[rank - 1]
