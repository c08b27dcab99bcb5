"""Law 10: parsing what was dumped gives the same event.

Python's own `json` is the oracle for the text in between: what it reads there is the wire object,
to the type of every number.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stateschema.events import Event, parse_event, parse_events
from tests.stateschema.strategies import change_wires, control_wires, events


def exact(value: Any) -> Any:
    """Render a JSON value so that True, 1 and 1.0 differ, and the order of fields does not."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    return [exact(part) for part in value] if isinstance(value, list) else repr(value)


@given(st.one_of(change_wires(), control_wires()))
def test_wire_object_survives_parse_and_dump(wire: dict[str, Any]) -> None:
    event = parse_event(wire)
    assert exact(event.to_wire()) == exact(wire)
    assert exact(json.loads(event.to_json())) == exact(wire)


@given(events())
def test_event_survives_dump_and_parse(event: Event) -> None:
    text = event.to_json()
    for again in (parse_event(text), parse_event(text.encode()), parse_event(event.to_wire())):
        assert again == event
        assert type(again) is type(event)
        assert again.to_json() == text
    assert "\n" not in text


@given(st.lists(events(), max_size=5))
def test_batch_of_events_survives_dump_and_parse(batch: list[Event]) -> None:
    text = "[" + ",".join(event.to_json() for event in batch) + "]"
    assert parse_events(text.encode()) == batch
    assert parse_events([event.to_wire() for event in batch]) == batch
