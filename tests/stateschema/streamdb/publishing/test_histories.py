"""Publish, follow, fold: the identity, under random histories, crashes, failed appends and restarts."""

from collections.abc import AsyncGenerator, Iterable
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from dataflow import Collection, count, live, query
from dataflow.collection.readable import Readable
from stateschema.errors import NetworkError
from stateschema.events import Event, parse_events
from stateschema.schema.entity import Entity, StateSchema
from stateschema.state import MaterializedState
from stateschema.stream.batch import Batch
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.publishing import order
from stateschema.streamdb.publishing.events import wire_key, wire_value
from stateschema.streamdb.publishing.publisher import BlockingPublisher

Row = dict[str, Any]


class Failing:
    """A memory stream that can lose the answer to an append, or the append itself."""

    def __init__(self) -> None:
        self.inner = MemoryStream()
        self.failure: str | None = None

    async def append(self, events: Event | Iterable[Event]) -> Offset:
        failure, self.failure = self.failure, None
        if failure == "before":
            raise NetworkError("no answer", was_sent=False)
        offset = self.inner.append_now(events)
        if failure == "after":
            raise NetworkError("no answer", was_sent=True)
        return offset

    async def read(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        return self.inner.read_now(offset, limit=limit)

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        return self.inner.follow(offset)

    async def head(self) -> Offset:
        return self.inner.head_now()

    async def close(self) -> None:
        self.inner.close_now()


def folded(stream: MemoryStream) -> dict[str, Row]:
    state = MaterializedState()
    state.apply_batch(parse_events(stream.read_now().messages))
    return dict(state.get_type("row"))


def on_the_wire(view: Readable[Any]) -> dict[str, Row]:
    return {wire_key(key): wire_value(row) for key, row in view.items()}


def write(rows: Collection[Row], step: list[tuple[int, int | None]]) -> None:
    with rows.sync() as writer:
        for key, value in step:
            if value is None:
                writer.delete(key)
            else:
                writer.upsert({"id": key, "n": value})


def epochs() -> st.SearchStrategy[list[tuple[int, int | None]]]:
    return st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 4)), max_size=5)


STEPS = st.lists(
    st.one_of(
        epochs(),
        epochs(),
        epochs(),
        st.sampled_from(["flush", "crash", "before", "after"]),
    ),
    max_size=25,
)


def flush(publisher: BlockingPublisher) -> None:
    """Flush until it has worked, as a program would that tries again."""
    while True:
        try:
            return publisher.flush()
        except NetworkError:
            continue


@settings(max_examples=settings().max_examples // 3)
@given(STEPS)
def test_the_stream_says_what_the_view_shows(steps: list[Any]) -> None:
    rows = Collection[Row]("rows", key="id")
    row = rows.alias("row")
    view = live(query(row).where(row.n > 0))
    stream = Failing()
    publisher = BlockingPublisher(view, stream, type="row")
    flush(publisher)
    for step in steps:
        match step:
            case "flush":
                flush(publisher)
                assert folded(stream.inner) == on_the_wire(view)
            case "crash":  # whatever waits is lost with the process
                publisher.close()
                publisher = BlockingPublisher(view, stream, type="row")
            case "before" | "after":
                stream.failure = step
            case _:
                write(rows, step)
    flush(publisher)
    assert folded(stream.inner) == on_the_wire(view)
    length = stream.inner.head_now()
    publisher.close()
    with BlockingPublisher(view, stream, type="row"):
        assert stream.inner.head_now() == length  # nothing is told twice


@settings(max_examples=settings().max_examples // 3)
@given(STEPS, st.none() | st.integers(1, 3), st.booleans())
def test_a_remote_list_keeps_the_order(
    steps: list[Any], limit: int | None, is_crowded: bool
) -> None:
    """Crowded is a list where room is made for every row that comes between two others."""
    if is_crowded:
        with patch.multiple(order, LONGEST=2, _ROOM=2, _REACH=1):
            keep_the_order(steps, limit)
    else:
        keep_the_order(steps, limit)


def keep_the_order(steps: list[Any], limit: int | None) -> None:
    rows = Collection[Row]("rows", key="id")
    row = rows.alias("row")
    ordered = query(row).order_by(row.n.desc())
    view = live(ordered if limit is None else ordered.limit(limit))
    stream = Failing()
    publisher = BlockingPublisher(view, stream, type="row")
    flush(publisher)
    for step in [*steps, "flush"]:
        match step:
            case "flush":
                flush(publisher)
                found = folded(stream.inner)
                in_order = sorted(found.values(), key=lambda value: str(value["orderKey"]))
                shown = [{k: v for k, v in each.items() if k != "orderKey"} for each in in_order]
                assert shown == view.rows()
                assert len({each["orderKey"] for each in in_order}) == len(in_order)
            case "crash":
                publisher.close()
                publisher = BlockingPublisher(view, stream, type="row")
            case "before" | "after":
                stream.failure = step
            case _:
                write(rows, step)
    publisher.close()


class Listed(TypedDict):
    id: int
    n: int
    orderKey: str


class List(StateSchema):
    rows = Entity(Listed, type="row", key="id")


def test_a_list_that_crowds_in_one_place_makes_room_and_no_reader_notices() -> None:
    rows = Collection[Row]("rows", key="id")
    write(rows, [(id_, id_) for id_ in range(3)])
    view = live(query(rows).order_by(rows.alias().n))
    stream, conflicts = MemoryStream(), list[object]()
    with (
        BlockingPublisher(view, stream, type="row") as publisher,
        BlockingStreamDB(
            List, stream=stream, conflicts="refuse", on_conflict=conflicts.append
        ) as db,
    ):
        made_room = 0
        for id_ in range(3, 600):
            write(rows, [(id_, 1)])  # behind all that are equal, before 2
            publisher.flush()
            start = db.offset
            assert db.poll() == 1
            made_room += len(stream.read_now(start).messages) > 1
            if id_ % 50 == 0 or id_ == 599:
                shown = sorted(db.collections.rows.rows(), key=lambda row: row["orderKey"])
                assert [(row["id"], row["n"]) for row in shown] == [
                    (row["id"], row["n"]) for row in view.rows()
                ]
        assert (made_room, conflicts) == (2, [])


@settings(max_examples=settings().max_examples // 3)
@given(st.lists(epochs(), max_size=15))
def test_each_epoch_is_one_append_of_its_net_changes(history: list[Any]) -> None:
    rows = Collection[Row]("rows", key="id")
    row = rows.alias("row")
    view = live(query(row).where(row.n > 1))
    stream = MemoryStream()
    told: list[list[Any]] = []
    with (
        BlockingPublisher(view, stream, type="row") as publisher,
        view.subscribe(
            lambda changes: told.append([(c.op, c.key, c.value, c.old) for c in changes])
        ),
    ):
        for step in history:
            start, count = stream.head_now(), len(told)
            write(rows, step)
            publisher.flush()
            assert [stream.read_now(start).messages] * (len(told) - count) == [
                [wire_of(*change) for change in changes] for changes in told[count:]
            ]


def wire_of(op: str, key: int, value: Row, old: Row | None) -> Row:
    """An event in the words of the protocol."""
    wire = {"type": "row", "key": str(key)}
    if op == "insert":
        return {**wire, "value": value, "headers": {"operation": "upsert"}}
    if op == "update":
        return {**wire, "value": value, "old_value": old, "headers": {"operation": "update"}}
    return {**wire, "headers": {"operation": "delete"}}


class Rows(StateSchema):
    rows = Entity(dict, type="row", key="id")


class Sum(TypedDict):
    id: int
    total: int


class Views(StateSchema):
    sums = Entity(Sum, type="sum", key="id")


@settings(max_examples=settings().max_examples // 3)
@given(st.lists(epochs(), max_size=10), st.lists(st.booleans(), min_size=10, max_size=10))
def test_a_view_of_a_stream_is_followed_as_if_it_were_computed_there(
    history: list[Any], restarts: list[bool]
) -> None:
    base, derived = MemoryStream("base"), MemoryStream("derived")
    for step, restart in zip(history, restarts, strict=False):
        events = [
            Rows.rows.delete(str(key))
            if value is None
            else Rows.rows.upsert({"id": str(key), "n": value})
            for key, value in step
        ]
        if events:
            base.append_now(events)
        if restart:
            publish_once(base, derived)
    sums = publish_once(base, derived)
    with BlockingStreamDB(Views, stream=derived) as db:
        assert dict(db.collections.sums) == sums


def publish_once(base: MemoryStream, derived: MemoryStream) -> dict[Any, Row]:
    """A process that begins, brings the derived stream up to date, and ends."""
    with BlockingStreamDB(Rows, stream=base) as db:
        row = db.collections.rows.alias("row")
        view = live(query(row).group_by(row.n).select(id=row.n, total=count()))
        with BlockingPublisher(view, derived, type="sum", sources=[db]):
            return dict(view)
