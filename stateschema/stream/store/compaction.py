"""Compaction: a state stream becomes the state it adds up to, and what is appended afterwards.

```python
snapshot = await compact(store, "chat")     # appended behind the history, with nothing in between
await store.drop("chat", snapshot)          # once no reader is still behind it
```

Law        What a reader folds, from the start or from any offset that is held, is what it would have
           folded from the whole history
Readers    The snapshot says nothing new to those who have read the history: they go on where they are. New
           ones begin with it as soon as the history is dropped. Whoever comes back with an older offset
           is told that it is gone (410) and begins anew.
Writers    Need not know: the last piece of the history is folded in the transaction that appends the
           snapshot, so that no append is missed or overtaken.
Cost       One pass over the history, read piece by piece between other work, and over the state
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import time
from typing import Final

from stateschema.errors import ProtocolError, StreamError
from stateschema.stream.protocol.record import Record, is_json
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.store.interface import Store
from stateschema.stream.store.snapshot import Fold

PIECE_BYTES: Final = 1 << 20

_log = logging.getLogger("stateschema.server")


async def compact(store: Store, name: str) -> int:
    """Append a snapshot of what a stream adds up to, and return the position at which it begins.

    Raises:
        RejectedError: There is no such stream, or it is closed, or not in JSON mode.
        EventError: It holds something that is no event of the state protocol.
        LocalProtocolError: It holds a reset that sends readers elsewhere.
    """
    state = store.head(name)
    if not is_json(state.content_type):
        raise RejectedError(409, "content-type-conflict", f"stream {name!r} holds no events")
    fold = Fold()
    piece = store.read(name, None, max_bytes=PIECE_BYTES)
    while not piece.up_to_date:
        fold.read(piece.data)
        await asyncio.sleep(0)
        piece = store.read(name, piece.end, max_bytes=PIECE_BYTES)
    appended: list[Record] = []

    def make(data: Sequence[bytes]) -> Sequence[Record]:
        fold.read(data)
        appended.extend(fold.records())
        return appended

    end = (await store.append_made(name, piece.start, make)).tail
    return end - sum(record.count for record in appended)


@dataclass(slots=True)
class _Done:
    """The last compaction of a stream: where the snapshot begins, when it was made, its size."""

    start: int
    at: float
    size: int
    is_dropped: bool = False


class Compactor:
    """Compacts the streams of a store when they have grown; the policy of a server.

    A stream is compacted when it takes more than `max_bytes`, and twice as much as its last snapshot.
    Its history is dropped `grace` seconds later, for readers that are on their way through it.
    Streams that hold something else than events are left alone.

    Args:
        store: Where the streams are.
        max_bytes: How large a stream has to be, at least.
        grace: Seconds.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        *,
        max_bytes: int,
        grace: float = 60.0,
        clock: Callable[[], float] = time,
    ) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._grace = grace
        self._clock = clock
        self._done: dict[int, _Done | None] = {}  # None: cannot be compacted

    async def sweep(self) -> None:
        """Compact what has grown, and drop what has been compacted for long enough."""
        large = {state.id: state for state in self._store.larger_than(self._max_bytes)}
        self._done = {id_: done for id_, done in self._done.items() if id_ in large}
        for state in large.values():
            try:
                await self._look_at(state)
            except (StreamError, ProtocolError) as error:
                self._done[state.id] = None
                _log.warning("stream %r is not compacted: %s", state.name, error)

    async def _look_at(self, state: StreamState) -> None:
        if state.id in self._done and self._done[state.id] is None:
            return
        done = self._done.get(state.id)
        if done is not None and not done.is_dropped:
            if self._clock() - done.at >= self._grace:
                await self._store.drop(state.name, done.start)
                done.is_dropped = True
        elif done is None or state.size > 2 * done.size:
            await self._compact(state)

    async def _compact(self, state: StreamState) -> None:
        if state.closed or state.forks or not is_json(state.content_type):
            return
        start = await compact(self._store, state.name)
        size = self._store.head(state.name).size - state.size
        self._done[state.id] = _Done(start, self._clock(), size)
