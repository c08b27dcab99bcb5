"""Stores against a model of lists: what each operation answers, and what a reader finds, always.

The model copies on fork and knows nothing of records, ids or tables; the rules of the protocol are
written down a second time, as plainly as possible. Memory and SQLite go through the same machine; the
one in a file is closed and opened again in between.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stateschema.stream.protocol.append import Accepted, Append
from stateschema.stream.protocol.create import Creation, ForkPoint
from stateschema.stream.protocol.expiry import Expiry
from stateschema.stream.protocol.producer import Claim
from stateschema.stream.protocol.record import JSON, join, parse_body
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.store.interface import Store
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.sqlite import SqliteStore

T = TypeVar("T")

NAMES = st.sampled_from(["a", "b/c", "é"])
BODIES = st.one_of(
    st.lists(st.integers(-9, 9), min_size=1, max_size=4).map(json.dumps),
    st.sampled_from(['{"a": [1, 2]}', '"x,y"', "[[1, 2], [3]]", " [ 1 ,\n2 ] "]),
).map(str.encode)
CLAIMS = st.none() | st.builds(Claim, st.sampled_from("pq"), st.integers(0, 1), st.integers(0, 2))
RARELY = st.sampled_from([False] * 5 + [True])
TTL = 10


@dataclass
class Model:
    is_json: bool
    content: list[Any]
    closed: bool = False
    closer: Claim | None = None
    ttl: int | None = None
    deadline: float | None = None
    seq: str | None = None
    producers: dict[str, tuple[int, int]] = field(default_factory=dict)
    parent: "Model | None" = None
    origin: str | None = None
    base: int = 0
    appends: list[int] = field(default_factory=list)
    forks: int = 0
    deleted: bool = False


def units(is_json: bool, body: bytes) -> list[Any]:
    if not is_json:
        return list(body)
    value = json.loads(body)
    return value if isinstance(value, list) else [value]


def attempt(call: Callable[[], T]) -> T | int:
    """Return what a call returns, or the status of its rejection."""
    try:
        return call()
    except RejectedError as error:
        return error.status


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.now = 1000.0
        self.streams: dict[str, Model] = {}
        self.store = self.open()

    def open(self) -> Store:
        return MemoryStore(clock=lambda: self.now)

    def teardown(self) -> None:
        self.do(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def status(self, work: Coroutine[Any, Any, T]) -> T | int:
        return attempt(lambda: self.do(work))

    # The model: deleting, expiring, finding.

    def discard(self, name: str) -> None:
        gone = self.streams[name]
        if gone.forks:
            gone.deleted, gone.deadline = True, None
            return
        model: Model | None = gone
        while model is not None and not model.forks and (model is gone or model.deleted):
            self.streams = {one: kept for one, kept in self.streams.items() if kept is not model}
            model = model.parent
            if model is not None:
                model.forks -= 1

    def present(self, name: str) -> Model | None:
        model = self.streams.get(name)
        if model is not None and model.deadline is not None and model.deadline <= self.now:
            self.discard(name)
        return self.streams.get(name)

    def missing(self, name: str) -> int | None:
        model = self.present(name)
        return 404 if model is None else 410 if model.deleted else None

    def renew(self, model: Model) -> None:
        if model.ttl is not None:
            model.deadline = self.now + model.ttl

    # The operations.

    @rule(
        name=NAMES,
        is_json=RARELY.map(lambda rare: not rare),
        body=st.just(b"") | BODIES,
        closed=RARELY,
        ttl=st.sampled_from([None, None, TTL]),
    )
    def create(self, name: str, is_json: bool, body: bytes, closed: bool, ttl: int | None) -> None:
        content_type = JSON if is_json else "text/plain"
        wish = Creation(content_type=content_type, body=body, closed=closed, expiry=Expiry(ttl=ttl))
        known = self.present(name)
        if known is None:
            content = units(is_json, body) if body else []
            model = Model(is_json, content, closed=closed, ttl=ttl)
            model.appends = [len(content)] if content else []
            self.renew(model)
            self.streams[name] = model
            expected: int | bool = True
        elif known.deleted or known.origin is not None:
            expected = 409
        else:
            same = (known.is_json, known.closed, known.ttl) == (is_json, closed, ttl)
            expected = False if same else 409
        found = self.status(self.store.create(name, wish))
        assert (found if isinstance(found, int) else found.is_new) == expected

    @rule(name=NAMES, source=NAMES, place=st.integers(0, 12), sub=st.integers(0, 3))
    def fork(self, name: str, source: str, place: int, sub: int) -> None:
        wish = Creation(fork=ForkPoint(source=source, offset=place, sub_offset=sub))
        found = self.status(self.store.create(name, wish))
        known = self.present(name)
        expected = self.expected_fork(known, source, place, sub)
        if expected is True:
            origin = self.streams[source]
            base = place + sub
            model = Model(origin.is_json, origin.content[:base], ttl=origin.ttl)
            model.parent, model.origin, model.base = origin, source, base
            model.appends = [end for end in origin.appends if end < base] + [base] * bool(base)
            origin.forks += 1
            self.renew(model)
            self.streams[name] = model
        assert (found if isinstance(found, int) else found.is_new) == expected

    def expected_fork(self, known: Model | None, source: str, place: int, sub: int) -> int | bool:
        if known is not None:
            same = known.origin == source and known.base == place + sub
            return 409 if known.deleted or known.closed or not same else False
        missing = self.missing(source)
        if missing is not None:
            return 409 if missing == 410 else 404
        origin = self.streams[source]
        if place > len(origin.content):
            return 400
        end = min((one for one in origin.appends if one > place), default=place)
        return 400 if sub and place + sub > end else True

    @rule(
        name=NAMES,
        body=st.just(b"") | BODIES,
        close=RARELY,
        claim=CLAIMS,
        is_json=RARELY.map(lambda rare: not rare),
    )
    def append(
        self, name: str, body: bytes, close: bool, claim: Claim | None, is_json: bool
    ) -> None:
        content_type = JSON if is_json else "text/plain"
        wish = Append(
            record=parse_body(content_type, body),
            content_type=content_type,
            close=close,
            claim=claim,
        )
        expected = self.missing(name) or self.expected_append(name, body, close, claim, is_json)
        found = self.status(self.store.append(name, wish))
        model = self.streams.get(name)
        if expected is True and model is not None:
            if body:
                model.content += units(is_json, body)
                model.appends.append(len(model.content))
            model.closed, model.closer = close, claim if close else None
            if claim is not None:
                model.producers[claim.producer] = (claim.epoch, claim.seq)
        if isinstance(expected, bool) and model is not None:
            self.renew(model)
        assert (found if isinstance(found, int) else isinstance(found, Accepted)) == expected

    def expected_append(
        self, name: str, body: bytes, close: bool, claim: Claim | None, is_json: bool
    ) -> int | bool:
        """Return True for something new, False for a repeat, else the status."""
        model = self.streams[name]
        epoch, last = model.producers.get(claim.producer, (None, -1)) if claim else (None, -1)
        if model.closed:
            if claim is None:
                return False if close and not body else 409
            if claim == model.closer:
                return False
            return 403 if epoch is not None and claim.epoch < epoch else 409
        if not body and not close:
            return 400
        if body and is_json != model.is_json:
            return 409
        if claim is None:
            return True
        if epoch is None:
            return True if claim.seq == 0 else 409
        if claim.epoch != epoch:
            return 403 if claim.epoch < epoch else True if claim.seq == 0 else 400
        return False if claim.seq <= last else True if claim.seq == last + 1 else 409

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        expected = self.missing(name)
        found = self.status(self.store.delete(name))
        if expected is None:
            self.discard(name)
        assert found == expected

    @rule(name=NAMES)
    def use(self, name: str) -> None:
        expected = self.missing(name)
        found = attempt(lambda: self.store.use(name))
        assert (found if isinstance(found, int) else None) == expected
        if expected is None:
            self.renew(self.streams[name])

    @rule(seconds=st.integers(1, TTL))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        self.do(self.store.sweep())

    @rule(name=NAMES, start=st.integers(0, 12), max_bytes=st.integers(1, 6))
    def read_on(self, name: str, start: int, max_bytes: int) -> None:
        if self.missing(name) is not None:
            return
        model = self.streams[name]
        content, position = [], start
        while position <= len(model.content):
            piece = self.store.read(name, position, max_bytes=max_bytes)
            data = join(piece.state.content_type, piece.data)
            content += units(model.is_json, data)
            assert piece.end > position or piece.up_to_date
            position = piece.end
            if piece.up_to_date:
                break
        assert content == model.content[start:]

    @invariant()
    def readers_find_what_the_model_holds(self) -> None:
        for name, model in list(self.streams.items()):
            expected = self.missing(name)
            piece = attempt(partial(self.store.read, name, None, max_bytes=10**6))
            if isinstance(piece, int):
                assert piece == expected
                continue
            assert expected is None
            found = units(model.is_json, join(piece.state.content_type, piece.data))
            assert (found, piece.is_final) == (model.content, model.closed)


class SqliteMachine(StoreMachine):
    def open(self) -> Store:
        return SqliteStore(Path(self.folder.name) / "s.db", clock=lambda: self.now)

    @rule()
    def reopen(self) -> None:
        self.do(self.store.close())
        self.store = self.open()


TestMemoryStore = StoreMachine.TestCase
TestMemoryStore.settings = settings(
    max_examples=settings().max_examples * 2 // 3, stateful_step_count=60
)
TestSqliteStore = SqliteMachine.TestCase
TestSqliteStore.settings = settings(max_examples=settings().max_examples // 5)
