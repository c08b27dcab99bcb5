"""A stand-in for the engine's fold: rows in order, a state after each, replay from an edit point."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from stateschema.session.chunk import ParsedChunk, parse
from stateschema.session.fold import EMPTY, State, finish, step
from stateschema.session.message import Message


@dataclass(frozen=True)
class Row:
    id: str
    message_id: str
    actor_id: str
    role: str
    chunk: str
    seq: int
    created_at: str


def row_of(wire: dict[str, Any]) -> Row:
    return Row(
        id=wire["id"],
        message_id=wire["messageId"],
        actor_id=wire["actorId"],
        role=wire["role"],
        chunk=wire["chunk"],
        seq=wire["seq"],
        created_at=wire["createdAt"],
    )


@dataclass
class Replay:
    """One message; every state is kept and reused, so a step that changed one would show."""

    chunks: list[ParsedChunk] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    steps: int = 0

    def put(self, wire: dict[str, Any]) -> None:
        chunk = parse(row_of(wire))
        self.delete(wire)
        place = bisect_left(self._keys(), (chunk.seq, chunk.id))
        self.chunks.insert(place, chunk)
        self._replay_from(place)

    def delete(self, wire: dict[str, Any]) -> None:
        keys = self._keys()
        place = bisect_left(keys, (wire["seq"], wire["id"]))
        if place < len(keys) and keys[place] == (wire["seq"], wire["id"]):
            del self.chunks[place]
            self._replay_from(place)

    def message(self) -> Message:
        return finish(self.states[-1])

    def _keys(self) -> list[tuple[int, str]]:
        return [(chunk.seq, chunk.id) for chunk in self.chunks]

    def _replay_from(self, place: int) -> None:
        del self.states[place:]
        state = self.states[-1] if self.states else EMPTY
        for chunk in self.chunks[place:]:
            state = step(state, chunk)
            self.steps += 1
            self.states.append(state)
