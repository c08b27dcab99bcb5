"""W6: from JSON bytes of State Protocol events to three views that are up to date.

The events come in batches, as a stream client hands them over: each batch is the text of a JSON array, and becomes one epoch. Half are
messages and the rest presence, inserts and updates of which every one alters a view. What a batch takes is measured part by part:

decode     JSON text to objects
stage      each event checked, each row validated by its type, one row kept per key
commit     into the collections, measured without a view in a run of its own
views      a filter, a group by room and a join up to date, with a subscriber each: what a commit takes longer with them
garbage    is what the collector takes of all of these

All in processor time, since nothing waits for anything. Rows are pydantic models in one run and msgspec Structs in another.
"""

from __future__ import annotations

import gc
import json
import random
from contextlib import ExitStack, closing, contextmanager
from time import process_time_ns
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from benchmarks.answers import DisagreementError
from benchmarks.measurement import summarized
from benchmarks.peers.receiver import Receiver
from benchmarks.peers.roster import OURS
from benchmarks.plan import SEED
from dataflow import Query, count, live, max_, query
from stateschema import Entity, StateSchema
from stateschema.streamdb import Router, attach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan

BATCH: Final = 1_000  # events
PARTS: Final = ("decode", "stage", "commit", "views", "garbage")
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


class MessageStruct(Struct, frozen=True):
    """A `Message` of another kind."""

    id: str
    author: str
    room: int
    text: str
    sent_at: int


class PresenceStruct(Struct, frozen=True):
    """A `Presence` of another kind."""

    id: str
    name: str
    status: str
    seen_at: int


class StructChat(StateSchema):
    """What the stream carries, too."""

    messages = Entity(MessageStruct, type="message", key="id")
    presence = Entity(PresenceStruct, type="presence", key="id")


KINDS: Final[dict[str, type[Chat | StructChat]]] = {"models": Chat, "structs": StructChat}
"""What rows are -> the schema with such rows."""


def measure_wire(plan: Plan) -> Iterator[Measurement]:
    """Measure the way of events, part by part, at each size, with rows of each kind."""
    for size in plan.sizes:
        if size <= 100_000:
            for kind in KINDS:
                yield from _measure(kind, size, plan)


def _measure(kind: str, size: int, plan: Plan) -> Iterator[Measurement]:
    batches = batches_of(size)
    found: dict[str, list[list[float]]] = {part: [] for part in (*PARTS, "all")}
    for segment in range(plan.segments + 1):
        order = (False, True) if segment % 2 else (True, False)
        runs = {viewed: _timed(batches, KINDS[kind], viewed=viewed) for viewed in order}
        if not segment:  # the first one warms up
            continue
        without, with_views = runs[False], runs[True]
        views = with_views["commit"] - without["commit"]
        took = {**with_views, "commit": without["commit"], "views": views}
        took["all"] = sum(took[part] for part in ("decode", "stage", "commit", "views"))
        for part, nanoseconds in took.items():
            found[part].append([nanoseconds / (1_000 * size)])
    for part in PARTS:
        yield summarized(
            found[part],
            workload="W6",
            query=part,
            size=size,
            metric=f"where the time goes, rows being {kind}",
            unit="us per event",
            peer=OURS,
            against="all",
            others=found["all"],
        )
    yield summarized(
        [[1_000_000 / values[0]] for values in found["all"]],
        workload="W6",
        query=kind,
        size=size,
        metric="from bytes to views",
        unit="events/s",
        peer=OURS,
    )


def _timed(
    batches: Sequence[bytes], schema: type[Chat | StructChat], *, viewed: bool
) -> dict[str, int]:
    """Return the nanoseconds that all batches took, by part."""
    chat, receiver, clock = ready_chat(schema), Receiver(), process_time_ns
    decode = stage = commit = 0
    with ExitStack() as stack:
        for asked in queries(chat) if viewed else []:
            view = stack.enter_context(closing(live(asked)))
            view.subscribe(receiver)
        router = Router(chat)
        garbage = stack.enter_context(_collector_timed())
        for text in batches:
            start = clock()
            messages = from_json(text)
            decoded = clock()
            router.stage(messages)
            staged = clock()
            router.commit()
            committed = clock()
            decode += decoded - start
            stage += staged - decoded
            commit += committed - staged
        taken = garbage[0]
    if receiver.calls != (3 * len(batches) if viewed else 0):
        raise DisagreementError(f"subscribers were called {receiver.calls} times")
    return {"decode": decode, "stage": stage, "commit": commit, "garbage": taken}


@contextmanager
def _collector_timed() -> Iterator[list[int]]:
    """Give a list of the nanoseconds that the garbage collector has taken so far."""
    taken, start = [0], 0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal start
        if phase == "start":
            start = process_time_ns()
        else:
            taken[0] += process_time_ns() - start

    gc.collect()
    gc.callbacks.append(note)
    try:
        yield taken
    finally:
        gc.callbacks.remove(note)


def ready_chat(schema: type[Chat | StructChat]) -> Chat | StructChat:
    """Return attached collections that queries need not wait for."""
    chat = attach(schema)
    chat.messages.mark_ready()
    chat.presence.mark_ready()
    return chat


def queries(chat: Chat | StructChat) -> list[Query[Any]]:
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
