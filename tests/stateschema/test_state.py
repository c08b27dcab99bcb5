"""The fold of events into state, against a list of what happened."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stateschema.events import ChangeEvent, Event, parse_event
from stateschema.state import MaterializedState
from tests.stateschema.strategies import events


def change(operation: str, key: str, value: Any = None, *, row_type: str = "user") -> Event:
    return parse_event(
        {"type": row_type, "key": key, "value": value, "headers": {"operation": operation}}
    )


def control(word: str) -> Event:
    return parse_event({"headers": {"control": word}})


def rows(state: MaterializedState) -> dict[str, dict[str, Any]]:
    return {name: dict(state.get_type(name)) for name in state.types}


def state_of(*history: Event) -> MaterializedState:
    state = MaterializedState()
    state.apply_batch(history)
    return state


def expected(history: list[Event]) -> dict[str, dict[str, Any]]:
    """Look at each row alone, from the end of the history backwards."""
    result: dict[str, dict[str, Any]] = {}
    for row in {(e.type, e.key) for e in history if isinstance(e, ChangeEvent)}:
        last = surviving_event(history, row)
        if last is not None and last.headers.operation != "delete":
            result.setdefault(last.type, {})[last.key] = last.value
    return result


def surviving_event(history: list[Event], row: tuple[str, str]) -> ChangeEvent | None:
    for place in reversed(range(len(history))):
        event = history[place]
        if isinstance(event, ChangeEvent):
            if (event.type, event.key) == row:
                return event
        elif event.headers.control == "reset":
            return None
        elif event.headers.control == "snapshot-end":
            start = snapshot_start(history[:place])
            if start is not None:
                dump = history[start + 1 : place]
                own = [e for e in dump if isinstance(e, ChangeEvent) and (e.type, e.key) == row]
                stored = [e for e in own if e.headers.operation != "delete"]
                return own[-1] if stored else None
    return None


def snapshot_start(before: list[Event]) -> int | None:
    for place in reversed(range(len(before))):
        event = before[place]
        if not isinstance(event, ChangeEvent):
            return place if event.headers.control == "snapshot-start" else None
    return None


@given(st.lists(events(), max_size=12))
def test_state_is_what_happened_last_to_each_row(history: list[Event]) -> None:
    assert rows(state_of(*history)) == expected(history)


@given(st.lists(events(), max_size=12), st.integers(0, 12))
def test_batches_may_be_split_anywhere(history: list[Event], cut: int) -> None:
    state = state_of(*history[:cut])
    state.apply_batch(history[cut:])
    assert rows(state) == rows(state_of(*history))


def test_update_replaces_the_whole_value() -> None:
    state = state_of(change("insert", "1", {"a": 1, "b": 2}), change("update", "1", {"a": 3}))
    assert rows(state) == {"user": {"1": {"a": 3}}}


def test_update_of_a_missing_row_stores_it_and_delete_of_one_is_nothing() -> None:
    state = state_of(change("update", "1", "x"), change("delete", "2"))
    assert rows(state) == {"user": {"1": "x"}}


def test_type_without_rows_is_no_type() -> None:
    state = state_of(change("insert", "1", 1), change("delete", "1"))
    assert (state.types, state.type_count, dict(state.get_type("user"))) == ((), 0, {})
    assert state.get("user", "1") is None


def test_reset_and_clear_drop_everything() -> None:
    assert rows(state_of(change("insert", "1", 1), control("reset"))) == {}
    state = state_of(change("insert", "1", 1), change("insert", "1", 1, row_type="chunk"))
    assert (state.types, state.type_count) == (("user", "chunk"), 2)
    state.clear()
    assert rows(state) == {}


def test_snapshot_drops_what_it_does_not_hold_at_its_end() -> None:
    state = state_of(
        change("insert", "1", "old"),
        change("insert", "2", "gone"),
        change("insert", "9", "gone", row_type="chunk"),
        control("snapshot-start"),
        change("insert", "1", "new"),
        change("insert", "3", "new"),
    )
    assert rows(state) == {"user": {"1": "new", "2": "gone", "3": "new"}, "chunk": {"9": "gone"}}
    state.apply(control("snapshot-end"))
    assert rows(state) == {"user": {"1": "new", "3": "new"}}


def test_snapshot_end_without_a_start_means_nothing() -> None:
    assert rows(state_of(change("insert", "1", 1), control("snapshot-end"))) == {"user": {"1": 1}}
    abandoned = state_of(
        control("snapshot-start"),
        control("reset"),
        change("insert", "1", 1),
        control("snapshot-end"),
    )
    assert rows(abandoned) == {"user": {"1": 1}}


def test_row_given_and_deleted_within_a_snapshot_is_gone() -> None:
    state = state_of(
        control("snapshot-start"),
        change("insert", "1", 1),
        change("delete", "1"),
        control("snapshot-end"),
    )
    assert rows(state) == {}
