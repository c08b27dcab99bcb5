"""Old events read by new schemas and new events by old ones, for every kind of row."""

from typing import Any

import pytest
from typing_extensions import TypedDict

from stateschema.errors import EventError
from stateschema.events import ChangeEvent, parse_event
from stateschema.schema.entity import Entity, StateSchema, entities
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.blocking import BlockingStreamDB
from tests.stateschema.schema.kinds import NEW, OLD, Kinds, KindsNext

NAMES = list(OLD)


def sent(schema: type[StateSchema], name: str, row: Any, **value: Any) -> ChangeEvent:
    event = parse_event(entities(schema)[name].insert(row).to_json())
    assert isinstance(event, ChangeEvent)
    return event.model_copy(update={"value": {**event.value, **value}})


@pytest.mark.parametrize("name", NAMES)
def test_an_added_optional_field_has_its_default_in_old_events(name: str) -> None:
    _, row = entities(KindsNext)[name].decode(sent(Kinds, name, OLD[name]))
    without = {"typed": OLD["typed"], "dicts": OLD["dicts"]}
    assert row == without.get(name, type(NEW[name])(**{**_fields(NEW[name]), "stars": 0}))


def _fields(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    return {name: getattr(row, name) for name in ("id", "reply_to", "stars")}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_field_is_left_out_by_an_old_schema_but_of_plain_dicts(name: str) -> None:
    _, row = entities(Kinds)[name].decode(sent(KindsNext, name, NEW[name], unknown=[1]))
    assert row == (OLD[name] if name != "dicts" else {**NEW["dicts"], "unknown": [1]})


class Required(TypedDict):
    id: str
    needed: int


def test_an_added_field_that_is_required_makes_old_events_bad() -> None:
    class Strict(StateSchema):
        typed = Entity(Required, type="typed", key="id")

    with pytest.raises(EventError, match=r"field 'value.needed': is missing"):
        Strict.typed.decode(sent(Kinds, "typed", OLD["typed"]))


def test_an_old_reader_follows_a_new_writer_and_the_other_way_round() -> None:
    stream = MemoryStream()
    stream.append_now([sent(KindsNext, name, NEW[name]) for name in NAMES])
    stream.append_now(KindsNext.notes.insert({"id": "n"}))
    facts: list[int] = []
    with BlockingStreamDB(Kinds, stream=stream, on_commit=lambda c: facts.append(c.ignored)) as old:
        assert old.collections.models["1"] == OLD["models"]
        old.collections.structs.update("1", reply_to="9")
    assert facts[0] == 1  # the type it does not know
    with BlockingStreamDB(KindsNext, stream=stream) as new:
        assert new.collections.models["1"] == NEW["models"]
        # An old writer does not know the field, so its update has lost it.
        assert new.collections.structs["1"] == type(NEW["structs"])("1", "9", 0)
        assert len(new.collections.notes) == 1
