"""What type checkers infer about windows, splices, effects and frames. Checked, never run."""

from typing import Any, assert_type

from dataflow.circuit.tracing import Epoch, EpochTrace, trace_epochs
from dataflow.collection.changes import Change
from dataflow.collection.subscription import Subscription
from dataflow.live.effect import Effect, effect
from dataflow.live.inspect import inspect
from dataflow.live.live import LiveQuery
from dataflow.live.splices import Insert, Move, Remove, Replace, Reset, Splice, apply_splices
from dataflow.query.builder import query
from dataflow.query.source import Source
from dataflow.testing.clock import ManualClock
from tests.typing.queries import Message


def windows_move(result: LiveQuery[Message]) -> None:
    result.set_window(limit=3)
    result.set_window(limit=None, offset=5)
    result.set_window(limit="3")  # type: ignore[arg-type]
    assert_type(result.window, tuple[int | None, int])


def splices_carry_rows(result: LiveQuery[Message]) -> None:
    shown = result.rows()

    def draw(splices: list[Splice[Message]]) -> None:
        apply_splices(shown, splices)
        match splices[0]:
            case Insert(index, _, row):
                assert_type(index, int)
                assert_type(row, Message)
            case Replace(_, row):
                assert_type(row, Message)
            case Reset(rows, _):
                assert_type(rows, tuple[Message, ...])
            case Remove(index) | Move(index):
                assert_type(index, int)

    assert_type(result.subscribe_ordered(draw, initial=True), Subscription)


def effects_handle_changes(messages: Source[Message]) -> None:
    def handle(change: Change[Message]) -> str:
        return str(change.value.seq)

    def handle_all(changes: list[Change[Message]]) -> None:
        assert_type(changes[0].old, Message | None)

    assert_type(effect(query(messages), on_enter=handle, on_batch=handle_all), Effect[Message])
    assert_type(effect(messages, on_exit=lambda change: change.value.seq), Effect[Message])


async def fast_streams_are_gathered(result: LiveQuery[Message]) -> None:
    clock = ManualClock()
    handle = result.subscribe(lambda changes: changes[0].value.seq, every=0.5, clock=clock)
    assert_type(handle.flush(), None)
    async for changes in result.changes(every=0.5):
        assert_type(changes, list[Change[Message]])


def what_runs_is_shown(result: LiveQuery[Message]) -> None:
    assert_type(inspect(result), str)
    assert_type(result.to_polars(), Any)
    assert_type(trace_epochs(report, clock=lambda: 0.0), EpochTrace)


def report(epoch: Epoch) -> None:
    assert_type(epoch.duration, float)
