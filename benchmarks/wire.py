"""W6: from JSON bytes of State Protocol events to three views that are up to date.

The events come in batches, as a stream client hands them over: each batch is the text of a JSON array, and becomes one epoch. Half are
messages and the rest presence, inserts and updates of which every one alters a view. The same events go through ever more of the
way, in alternating segments, so that the difference between two stages is where the time goes:

decoded    JSON text to objects
read       and each event checked
stored     and each row validated by its pydantic model, and committed to its collection
viewed     and a filter, a group by room and a join up to date, with a subscriber each
"""

from __future__ import annotations

import gc
import json
import random
from contextlib import ExitStack, closing
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from benchmarks.answers import DisagreementError
from benchmarks.measurement import summarized
from benchmarks.peers.receiver import Receiver
from benchmarks.peers.roster import OURS
from benchmarks.plan import SEED
from dataflow import Query, count, live, max_, query
from stateschema import Entity, StateSchema, parse_events
from stateschema.streamdb import Router, attach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan

BATCH: Final = 1_000  # events
STAGES: Final = ("decoded", "read", "stored", "viewed")
ROOMS: Final = 100


class Message(BaseModel):
    """What somebody said in a room."""

    model_config = ConfigDict(frozen=True)
    id: str
    author: str
    room: int
    text: str
    sent_at: int


class Presence(BaseModel):
    """Whether somebody is there."""

    model_config = ConfigDict(frozen=True)
    id: str
    name: str
    status: str
    seen_at: int


class Chat(StateSchema):
    """What the stream carries."""

    messages = Entity(Message, type="message", key="id")
    presence = Entity(Presence, type="presence", key="id")


def measure_wire(plan: Plan) -> Iterator[Measurement]:
    """Measure the way of events, stage by stage, at each size."""
    for size in plan.sizes:
        if size <= 100_000:
            yield from _measure(size, plan)


def _measure(size: int, plan: Plan) -> Iterator[Measurement]:
    batches = batches_of(size)
    found: dict[str, list[list[float]]] = {stage: [] for stage in STAGES}
    for segment in range(plan.segments + 1):
        for stage in STAGES[segment % 4 :] + STAGES[: segment % 4]:
            microseconds = _timed(stage, batches) / (1_000 * size)
            if segment:  # the first one warms up
                found[stage].append([microseconds])
    for stage, segments in found.items():
        yield summarized(
            segments,
            workload="W6",
            query=stage,
            size=size,
            metric="from bytes so far",
            unit="us per event",
            peer=OURS,
        )
    yield summarized(
        [[1_000_000 / values[0]] for values in found["viewed"]],
        workload="W6",
        query="viewed",
        size=size,
        metric="from bytes to views",
        unit="events/s",
        peer=OURS,
    )


def _timed(stage: str, batches: Sequence[bytes]) -> int:
    """Return the nanoseconds that all batches took."""
    chat, receiver = ready_chat(), Receiver()
    with ExitStack() as stack:
        if stage == "viewed":
            for asked in queries(chat):
                view = stack.enter_context(closing(live(asked)))
                view.subscribe(receiver)
        take = _taker(stage, Router(chat))
        gc.collect()
        start = perf_counter_ns()
        for text in batches:
            take(text)
        time = perf_counter_ns() - start
    if receiver.calls != (3 * len(batches) if stage == "viewed" else 0):
        raise DisagreementError(f"subscribers were called {receiver.calls} times")
    return time


def _taker(stage: str, router: Router) -> Callable[[bytes], object]:
    if stage == "decoded":
        return from_json
    if stage == "read":
        return lambda text: parse_events(from_json(text))
    return lambda text: router.apply(from_json(text))


def ready_chat() -> Chat:
    """Return attached collections that queries need not wait for."""
    chat = attach(Chat)
    chat.messages.mark_ready()
    chat.presence.mark_ready()
    return chat


def queries(chat: Chat) -> list[Query[Any]]:
    """Return what is said in the first rooms, what goes on in each room, and who said what last."""
    message, person = chat.messages.alias("message"), chat.presence.alias("person")
    return [
        query(message).where(message.room < ROOMS // 2),
        query(message)
        .group_by(message.room)
        .select(room=message.room, n=count(), last=max_(message.sent_at)),
        query(message)
        .join(person, on=message.author == person.id)
        .select(id=message.id, text=message.text, name=person.name, status=person.status),
    ]


def batches_of(size: int) -> list[bytes]:
    """Return the text of the events, a tenth as many people as events.

    In random order, so that every batch alters every view.
    """
    rng = random.Random(SEED)
    people = max(10, size // 10)
    events = [_presence(number, "online", number) for number in range(people)]
    events += [_event(number, people, rng) for number in range(people, size)]
    rng.shuffle(events)  # upserts all, so that any order will do
    return [json.dumps(events[start : start + BATCH]).encode() for start in range(0, size, BATCH)]


def _event(number: int, people: int, rng: random.Random) -> dict[str, Any]:
    kind = rng.random()
    if kind < 0.05:
        status = rng.choice(("online", "away", "offline"))
        return _presence(rng.randrange(people), status, number)
    known = kind < 0.5 and number > people
    key = f"m{rng.randrange(people, number) if known else number}"
    row = {
        "id": key,
        "author": f"p{rng.randrange(people)}",
        "room": rng.randrange(ROOMS),
        "text": f"word {number} and some more of them",
        "sent_at": number,
    }
    return _wire("message", key, row)


def _presence(number: int, status: str, seen_at: int) -> dict[str, Any]:
    key = f"p{number}"
    row = {"id": key, "name": f"Person {number}", "status": status, "seen_at": seen_at}
    return _wire("presence", key, row)


def _wire(kind: str, key: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "key": key, "value": row, "headers": {"operation": "upsert"}}
