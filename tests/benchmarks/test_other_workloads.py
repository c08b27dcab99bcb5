"""The workloads that have no tables of their own run, check what they did, and report it under their names."""

from dataclasses import replace

import pytest
from pydantic_core import from_json

from benchmarks.chat import measure_chat
from benchmarks.fan import KINDS as FANS
from benchmarks.fan import measure_fan
from benchmarks.memory import measure_memory
from benchmarks.peers.roster import FLOOR, OURS
from benchmarks.plan import Plan
from benchmarks.start import measure_start
from benchmarks.wire import KINDS, PARTS, batches_of, measure_wire, queries, ready_chat
from dataflow import live, run
from stateschema.streamdb import Router

TINY = Plan(sizes=(200,), segments=1, samples=1, most=10, peers=(OURS, FLOOR))


def test_more_chunks_are_compared_with_and_without_a_history() -> None:
    alone, after = measure_chat(TINY)
    assert (alone.query, alone.size, alone.metric) == ("views", 10, "one more chunk, alone")
    assert (after.metric, after.against) == ("one more chunk, after 100 messages", "alone")
    assert alone.ratio is None
    assert after.ratio is not None
    assert after.ratio == pytest.approx(after.p50 / alone.p50)


def test_many_queries_hear_what_the_floor_hears() -> None:
    measured = list(measure_fan(replace(TINY, most=100)))
    assert [(found.query, found.size, found.peer) for found in measured] == [
        (kind, size, peer) for kind in FANS for size in (1, 100) for peer in (OURS, FLOOR)
    ]


def test_memory_is_counted_in_a_process_of_its_own() -> None:
    measured = list(measure_memory(replace(TINY, queries=("join",))))
    assert [(found.metric, found.peer) for found in measured] == [
        ("source", OURS),
        ("source", FLOOR),
        ("answer", OURS),
        ("answer", FLOOR),
    ]
    assert all(0 < found.p50 < 10_000 for found in measured)


def test_events_are_followed_from_bytes_to_views() -> None:
    measured = list(measure_wire(TINY))
    assert [found.query for found in measured] == [*PARTS, "models", *PARTS, "structs"]
    for *parts, whole in (measured[: len(PARTS) + 1], measured[len(PARTS) + 1 :]):
        assert whole.unit == "events/s"
        *took, _ = (found.p50 for found in parts)  # collecting garbage is a part of each
        assert whole.p50 == pytest.approx(1_000_000 / sum(took))


@pytest.mark.parametrize("kind", KINDS)
def test_views_fed_from_bytes_show_what_their_queries_answer(kind: str) -> None:
    chat = ready_chat(KINDS[kind])
    router = Router(chat)
    views = [live(asked) for asked in queries(chat)]
    for text in batches_of(3_000):
        router.apply(from_json(text))
    for view, asked in zip(views, queries(chat), strict=True):
        assert view.rows() == run(asked)
    assert all(len(view) > 10 for view in views)


def test_a_later_query_of_a_shape_is_cheaper_than_the_first() -> None:
    first, later = measure_start(replace(TINY, queries=("filter",)))
    assert (first.metric, later.metric) == (
        "first query of its shape",
        "later query of a known shape",
    )
    assert 0 < later.p50 < first.p50
