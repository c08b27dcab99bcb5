"""W3: one more chunk of a message that is being written, with every view of the session attached.

Measured with 100 finished messages in the session and without, in alternating segments of two processes; the ratio is with / without.
The message has K chunks before, and what is written in a segment is taken out again after it, so that K stays K.
"""

from __future__ import annotations

import gc
import json
from contextlib import ExitStack, closing
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from benchmarks.answers import DisagreementError
from benchmarks.apart import Apart
from benchmarks.measurement import summarized
from benchmarks.peers.roster import OURS
from stateschema.session import Chunk, SessionViews, chunk_id, session_collections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan

SIZES: Final = (10, 1_000, 5_000, 20_000)
HISTORY: Final = 100  # messages
FINISHED: Final = 20  # chunks of a finished message
COUNT: Final = 200  # chunks in a segment


def measure_chat(plan: Plan) -> Iterator[Measurement]:
    """Measure one more chunk at each number of chunks before it."""
    for size in [size for size in SIZES if size <= plan.most]:
        found: dict[str, list[list[float]]] = {"alone": [], "after 100 messages": []}
        with ExitStack() as stack:
            sessions = {
                name: stack.enter_context(closing(Apart(Session, size, history)))
                for name, history in zip(found, (0, HISTORY), strict=True)
            }
            for segment in range(plan.segments + 1):
                for name in sorted(sessions, reverse=bool(segment % 2)):
                    times = sessions[name].ask("write")
                    if segment:  # the first one warms up
                        found[name].append(times)
        for metric, segments in found.items():
            yield summarized(
                segments,
                workload="W3",
                query="views",
                size=size,
                metric=f"one more chunk, {metric}",
                unit="us per chunk",
                peer=OURS,
                against=None if metric == "alone" else "alone",
                others=() if metric == "alone" else found["alone"],
            )


class Session:
    """A session with all its views, some finished messages, and one that has so many chunks so far.

    Args:
        size: chunks so far.
        history: finished messages.
    """

    def __init__(self, size: int, history: int) -> None:
        self._size = size
        self._sources = session_collections()
        self._views = SessionViews(self._sources)
        self._heard = 0
        self._views.messages.subscribe(self._hear)
        with self._sources.chunks.sync() as write:
            for number in range(history):
                for seq in range(FINISHED):
                    write.insert(_delta(f"h{number}", seq))
                write.insert(_finish(f"h{number}", FINISHED))
            for seq in range(size):
                write.insert(_delta("m", seq))
        gc.collect()

    def _hear(self, changes: object) -> None:
        self._heard += 1

    def write(self) -> list[float]:
        """Write chunks one at a time, then take them out; return the microseconds of each."""
        new = [_delta("m", self._size + number) for number in range(COUNT)]
        chunks, clock = self._sources.chunks, perf_counter_ns
        before = self._heard
        times = []
        for row in new:
            start = clock()
            with chunks.sync() as write:
                write.insert(row)
            times.append((clock() - start) / 1_000)
        message = self._views.messages["m"]
        if self._heard - before != COUNT or message.text != "word " * (self._size + COUNT):
            raise DisagreementError("the message is not what was written")
        with chunks.sync() as write:
            for row in new:
                write.delete(row.id)
        return times


def _delta(message: str, seq: int) -> Chunk:
    return _chunk(
        message, seq, {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": "word "}
    )


def _finish(message: str, seq: int) -> Chunk:
    return _chunk(message, seq, {"type": "RUN_FINISHED", "runId": "r"})


def _chunk(message: str, seq: int, event: dict[str, str]) -> Chunk:
    return Chunk(
        id=chunk_id(message, seq),
        message_id=message,
        actor_id="agent",
        role="assistant",
        chunk=json.dumps(event),
        seq=seq,
        created_at=f"2026-01-15T10:{seq:010}Z",
    )
