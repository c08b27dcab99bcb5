"""Operations: what creating, appending, reading and deleting do to the tables.

Forks      A fork keeps no copy: below its base it reads its parent's records, below the parent's
           base the grandparent's. A stream counts its forks; deleted while it has some, it is only
           hidden (410) and is removed with the last of them, and so on up the chain (section 4.2).
Expiry     A stream whose time is over is deleted by whoever comes across it first, and with it all others
           whose time is over: forks among them share nothing any more. Readers delete nothing, but see that.
Retention  Old records are dropped from the front, whole ones, never the last. Records that forks
           share are kept as long as there are forks.
Cost       An append touches one stream, one producer and one record. A read touches as many records
           as it returns. Nothing depends on how much is stored, but that reading a stream that is hidden
           looks for the forks that hide it.

Each operation checks before it changes anything, so a refusal leaves the tables as they were, but
for what had expired.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from stateschema.stream.offset import Offset
from stateschema.stream.protocol.append import Accepted, Append, Decision, Repeated, decide
from stateschema.stream.protocol.create import (
    Creation,
    ForkPoint,
    check_same,
    check_source,
)
from stateschema.stream.protocol.expiry import NEVER
from stateschema.stream.protocol.record import Record, cut, parse_body
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.store.interface import Created, Piece
from stateschema.stream.store.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much of each stream is kept.

    Attributes:
        max_age: Seconds after which a record may go, None for ever.
        max_bytes: How many bytes of a stream are kept at most, None for all.
    """

    max_age: float | None = None
    max_bytes: int | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is ever dropped."""
        return self.max_age is None and self.max_bytes is None


class Operations:
    """The operations of a store, over its tables.

    Args:
        tables: What is kept.
        clock: Seconds since 1970.
        retention: How much is kept.
        changed: Called with the number of each stream whose readers should look again.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        clock: Callable[[], float],
        retention: Retention,
        changed: Callable[[int], None],
    ) -> None:
        self._tables = tables
        self._clock = clock
        self._retention = retention
        self._changed = changed

    def create(self, name: str, wish: Creation) -> Created:
        """Do as `Store.create` says."""
        now = self._clock()
        known = self._present(name, now)
        if known is not None:
            if known.deleted:
                raise RejectedError(409, "deleted", f"stream {name!r} is deleted, but has forks")
            check_same(known, wish)
            return Created(known, is_new=False)
        fork = wish.fork
        source = None if fork is None else self._source(fork, wish, now)
        state = self._begin(name, wish, source)
        record = parse_body(state.content_type, wish.body)
        self._tables.put(
            state := replace(
                state,
                deadline=state.expiry.deadline(now),
                closed=wish.closed,
                tail=state.base + (record.count if record else 0),
                size=len(record.data) if record else 0,
            )
        )
        if source is not None:
            self._tables.put(replace(source, forks=source.forks + 1))
        if record is not None:
            self._tables.add(state.id, state.base, record, now)
        return Created(state, is_new=True)

    def append(self, name: str, wish: Append) -> Decision:
        """Do as `Store.append` says."""
        now = self._clock()
        stream = self._living(name, now)
        claim = wish.claim
        producer = self._tables.producer(stream.id, claim.producer) if claim is not None else None
        decision = decide(stream, wish, producer)
        if isinstance(decision, Repeated):
            self._renew(stream, now)
            return decision
        state = decision.state
        if stream.expiry.ttl is not None:
            state = replace(state, deadline=stream.expiry.deadline(now))
        self._tables.put(state)
        if claim is not None and decision.producer is not None:
            self._tables.put_producer(stream.id, claim.producer, decision.producer)
        if decision.record is not None:
            self._tables.add(stream.id, stream.tail, decision.record, now)
        self._changed(stream.id)
        return Accepted(state, decision.record, decision.producer)

    def append_made(
        self, name: str, start: int, make: Callable[[Sequence[bytes]], Sequence[Record]]
    ) -> StreamState:
        """Do as `Store.append_made` says."""
        now = self._clock()
        state = self._living(name, now)
        if state.closed:
            raise RejectedError(409, "stream-closed", f"stream {name!r} is closed")
        _refuse_outside(state, start)
        made = make([record.data for _, record in self._content(state, start, state.tail)])
        for record in made:
            self._tables.add(state.id, state.tail, record, now)
            state = replace(
                state, tail=state.tail + record.count, size=state.size + len(record.data)
            )
        self._tables.put(state)
        self._changed(state.id)
        return state

    def drop(self, name: str, end: int) -> None:
        """Do as `Store.drop` says."""
        state = self._living(name, self._clock())
        if state.forks or end <= state.first:
            return
        size = state.size
        for record in self._tables.oldest(state.id):
            if record.end > end:
                break
            size -= record.size
        self._tables.drop(state.id, end)
        self._tables.put(replace(state, first=end, size=size))

    def larger_than(self, size: int) -> list[StreamState]:
        """Do as `Store.larger_than` says."""
        found = self._tables.overdue(before=None, max_bytes=size)
        return [state for state in found if not state.deleted]

    def delete(self, name: str) -> None:
        """Do as `Store.delete` says."""
        self._discard(self._living(name, self._clock()))

    def head(self, name: str) -> StreamState:
        """Do as `Store.head` says; changes nothing."""
        return self._readable(name, self._clock())

    def use(self, name: str) -> StreamState:
        """Do as `Store.use` says; changes only the deadline."""
        now = self._clock()
        state = self._readable(name, now)
        self._renew(state, now)
        return state

    def read(self, name: str, start: int | None, *, max_bytes: int) -> Piece:
        """Do as `Store.read` says; changes nothing."""
        state = self._readable(name, self._clock())
        if start is None:
            start = state.first
        _refuse_outside(state, start)
        data: list[bytes] = []
        size, end = 0, start
        for place, record in self._content(state, start, state.tail):
            data.append(record.data)
            size += len(record.data)
            end = place + record.count
            if size >= max_bytes:
                break
        return Piece(state, start, end, data)

    def sweep(self) -> None:
        """Do as `Store.sweep` says."""
        self._expire(self._clock())
        if self._retention.keeps_all:
            return
        max_age, max_bytes = self._retention.max_age, self._retention.max_bytes
        before = None if max_age is None else self._clock() - max_age
        for state in self._tables.overdue(before=before, max_bytes=max_bytes):
            self._retain(state, before, max_bytes)

    def _present(self, name: str, now: float) -> StreamState | None:
        """Return the stream of a name, hidden ones too, after deleting what has expired if it concerns it."""
        state = self._tables.find(name)
        if state is not None and (state.deleted or state.is_expired(now)):
            self._expire(now)
            state = self._tables.find(name)
        return state

    def _expire(self, now: float) -> None:
        for state in self._tables.expired(now):
            self._discard(self._tables.get(state.id))  # whose forks may have gone meanwhile

    def _living(self, name: str, now: float) -> StreamState:
        return _refuse_missing(name, self._present(name, now))

    def _readable(self, name: str, now: float) -> StreamState:
        state = self._tables.find(name)
        if state is not None and (state.deleted or state.is_expired(now)):
            state = replace(state, deleted=True) if self._is_shared(state, now) else None
        return _refuse_missing(name, state)

    def _is_shared(self, state: StreamState, now: float) -> bool:
        """Tell whether a fork that has not expired, or a fork of a fork, shares a stream."""
        return state.forks > 0 and any(
            not (fork.deleted or fork.is_expired(now)) or self._is_shared(fork, now)
            for fork in self._tables.forks(state.id)
        )

    def _renew(self, state: StreamState, now: float) -> None:
        if state.expiry.ttl is not None:
            self._tables.renew(state.id, now + state.expiry.ttl)

    def _source(self, fork: ForkPoint, wish: Creation, now: float) -> StreamState:
        source = self._present(fork.source, now)
        if source is None:
            raise RejectedError(404, "not-found", f"there is no stream {fork.source!r} to fork")
        if source.deleted:
            raise RejectedError(409, "deleted", f"stream {fork.source!r} to fork is deleted")
        check_source(source, wish)
        return source

    def _begin(self, name: str, wish: Creation, source: StreamState | None) -> StreamState:
        """Return the new stream, before its first content."""
        if source is None or wish.fork is None:
            return StreamState(
                id=self._tables.new_id(),
                name=name,
                content_type=wish.own_content_type,
                expiry=wish.expiry,
            )
        base = self._fork_position(source, wish.fork)
        return StreamState(
            id=self._tables.new_id(),
            name=name,
            content_type=wish.content_type or source.content_type,
            expiry=source.expiry if wish.expiry == NEVER else wish.expiry,
            parent=source.id,
            forked_from=source.name,
            base=base,
            first=min(source.first, base),
        )

    def _fork_position(self, source: StreamState, fork: ForkPoint) -> int:
        if fork.offset is None:
            return source.tail
        if not fork.sub_offset:
            return fork.offset
        for place, record in self._content(source, fork.offset, source.tail):
            if fork.sub_offset <= place + record.count - fork.offset:
                return fork.offset + fork.sub_offset
            break
        message = f"fork sub-offset {fork.sub_offset} is past the end of the append"
        raise RejectedError(400, "bad-offset", message)

    def _content(self, state: StreamState, start: int, end: int) -> Iterator[tuple[int, Record]]:
        """Iterate over the content of a range, its own and inherited, cut at both ends."""
        if start < state.base and state.parent is not None:
            parent = self._tables.get(state.parent)
            yield from self._content(parent, start, min(end, state.base))
            start = state.base
        if start >= end:
            return
        for place, record in self._tables.records(state.id, start, end):
            skip, stop = max(0, start - place), min(record.count, end - place)
            if stop - skip == record.count:
                yield place, record
            else:
                data = cut(state.content_type, record.data, skip, stop)
                yield place + skip, Record(data, stop - skip)

    def _discard(self, state: StreamState) -> None:
        """Delete a stream: hide it while it has forks, else remove it and what it alone held."""
        self._changed(state.id)
        if state.forks:
            self._tables.put(replace(state, deleted=True, deadline=None))
            return
        self._tables.remove(state.id)
        parent = state.parent
        while parent is not None:
            above = self._tables.get(parent)
            if above.forks > 1 or not above.deleted:
                self._tables.put(replace(above, forks=above.forks - 1))
                return
            self._tables.remove(above.id)
            parent = above.parent

    def _retain(self, state: StreamState, before: float | None, max_bytes: int | None) -> None:
        if state.forks:
            return
        kept, size = state.first, state.size
        for record in self._tables.oldest(state.id):
            is_old = before is not None and record.at < before
            is_heavy = max_bytes is not None and size > max_bytes
            if record.end == state.tail or not (is_old or is_heavy):
                break
            kept, size = record.end, size - record.size
        if kept != state.first:
            self._tables.drop(state.id, kept)
            self._tables.put(replace(state, first=kept, size=size))


def _refuse_outside(state: StreamState, start: int) -> None:
    if not state.first <= start <= state.tail:
        message = f"stream {state.name!r} does not hold offset {str(Offset.mint(start))!r}"
        raise RejectedError(410, "offset-gone", message)


def _refuse_missing(name: str, state: StreamState | None) -> StreamState:
    if state is None:
        raise RejectedError(404, "not-found", f"there is no stream {name!r}")
    if state.deleted:
        raise RejectedError(410, "deleted", f"stream {name!r} is deleted")
    return state
