"""Exports of a schema: JSON Schema, held to what the library takes and gives, and TypeScript."""

import json
from typing import Any, Literal

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from stateschema.errors import EventError, SchemaError
from stateschema.events import ChangeEvent, parse_event
from stateschema.schema.entity import Entity, StateSchema, entities
from stateschema.schema.json_schema import fingerprint, json_schema
from stateschema.schema.typescript import RESERVED, typescript
from tests.stateschema.schema.kinds import NEW, OLD, Kinds, KindsNext, Model
from tests.stateschema.streamdb.chat import Chat, control, histories


def checks(schema: type[StateSchema], message: Any) -> bool:
    document = json_schema(schema)
    return bool(jsonschema.Draft202012Validator(document).is_valid(message))


@pytest.mark.parametrize("schema", [Kinds, KindsNext, Chat])
def test_the_document_is_a_schema_of_its_dialect(schema: type[StateSchema]) -> None:
    document = json_schema(schema)
    jsonschema.Draft202012Validator.check_schema(document)
    assert json.loads(json.dumps(document)) == document
    assert set(document["x-entities"]) == set(entities(schema))


@pytest.mark.parametrize("name", list(OLD))
def test_what_is_written_conforms(name: str) -> None:
    entity = entities(Kinds)[name]
    row = OLD[name]
    made = [entity.insert(row, txid="t"), entity.update(row, old_value=row), entity.upsert(row)]
    for event in [*made, entity.delete("1"), entities(KindsNext)[name].insert(NEW[name])]:
        assert checks(Kinds, event.to_wire())


@pytest.mark.parametrize("name", ["models", "data", "typed", "structs"])
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["1", 5, None]),
            "replyTo": st.sampled_from(["0", None, 7]),
            "more": st.just(1),
        },
    )
)
def test_a_value_conforms_when_the_library_reads_it(name: str, value: dict[str, Any]) -> None:
    """But for the key field, which may be missing where it is read."""
    if value.get("id") is None:
        value = {**value, "id": "1"}
    entity = entities(Kinds)[name]
    wire = {"type": entity.type, "key": "1", "value": value, "headers": {"operation": "insert"}}
    event = parse_event(wire)
    assert isinstance(event, ChangeEvent)
    try:
        entity.decode(event)
        is_read = True
    except EventError:
        is_read = False
    assert checks(Kinds, wire) == is_read


@given(histories(max_size=5))
def test_histories_conform(history: list[dict[str, Any]]) -> None:
    for wire in history:
        if wire.get("type") != "unknown":
            assert checks(Chat, wire)


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "model", "key": "", "headers": {"operation": "delete"}},
        {"type": "model", "key": "1", "headers": {"operation": "insert"}},
        {"type": "model", "key": "1", "headers": {"operation": "replace"}, "value": {"id": "1"}},
        {"type": "model", "key": "1", "value": {"id": "1"}},
        control("stop"),
        [],
    ],
)
def test_what_is_no_event_does_not_conform(wire: Any) -> None:
    assert not checks(Kinds, wire)


class Node(BaseModel):
    id: str
    children: "list[Node]" = []


class Leaf(msgspec.Struct):
    id: str
    kind: Literal["a", "b"]
    at: tuple[int, str]
    more: dict[str, int]


class Nested(StateSchema):
    nodes = Entity(Node, type="node", key="id")
    leaves = Entity(Leaf, type="leaf", key="id")


def test_rows_that_refer_to_others_and_to_themselves() -> None:
    tree = Node(id="1", children=[Node(id="2")])
    assert checks(Nested, Nested.nodes.insert(tree).to_wire())
    assert not checks(
        Nested,
        {
            "type": "node",
            "key": "1",
            "value": {"id": "1", "children": [{}]},
            "headers": {"operation": "insert"},
        },
    )


def test_two_row_types_of_one_name_are_refused() -> None:
    def other() -> type[BaseModel]:
        class Model(BaseModel):
            id: int

        return Model

    class Clash(StateSchema):
        one = Entity(Model, type="one", key="id")
        other_one = Entity(other(), type="other", key="id")

    with pytest.raises(SchemaError, match="two row types of the schema are named 'Model'"):
        json_schema(Clash)


def test_the_fingerprint_changes_with_rows_types_keys_and_version() -> None:
    class Same(StateSchema):
        models = Kinds.models

    class Renamed(StateSchema):
        things = Entity(Model, type="model", key="id")

    class Retyped(StateSchema):
        models = Entity(Model, type="thing", key="id")

    class Merging(StateSchema):
        models = Entity(Model, type="model", key="id", merge=True)

    class Computed(StateSchema):
        models = Entity(Model, type="model", key=lambda row: row.id)

    class Counted(StateSchema, version=2):
        models = Kinds.models

    kinds = [Kinds, KindsNext, Same, Renamed, Retyped, Merging, Computed, Counted]
    assert len({fingerprint(each) for each in kinds}) == len(kinds)
    assert fingerprint(Same) == fingerprint(type("Same", (StateSchema,), {"models": Kinds.models}))


TYPESCRIPT = """\
// Types of the state schema Nested, version 1. Generated: change the schema instead.

export interface Node {
  id: string;
  children?: Node[];
}

export interface Leaf {
  id: string;
  kind: "a" | "b";
  at: [number, string];
  more: Record<string, number>;
}
"""
UNION = """\
export interface NestedRows {
  nodes: Node;
  leaves: Leaf;
}

export const nestedTypes = {
  nodes: "node",
  leaves: "leaf",
} as const;

export type NestedEvent =
  | Change<"node", Node>
  | Change<"leaf", Leaf>
  | Control;
"""


def test_typescript_types_of_rows_and_events() -> None:
    text = typescript(Nested)
    assert text.startswith(TYPESCRIPT)
    assert text.endswith(UNION)
    assert typescript(Chat).count("Partial<Presence>") == 1


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_names_that_typescript_clients_reserve_are_refused_there_only(name: str) -> None:
    schema = type("Reserved", (StateSchema,), {name: Entity(Model, type="m", key="id")})
    assert json_schema(schema)["x-entities"][name]["type"] == "m"
    with pytest.raises(SchemaError, match=f"entity name '{name}' is reserved"):
        typescript(schema)


class Record(BaseModel):
    id: str


class TakenRows(BaseModel):
    id: str
    records: list[Record] = []


def test_names_that_typescript_takes_itself_get_an_underscore() -> None:
    class Taken(StateSchema):
        records = Entity(Record, type="record", key="id")
        rows = Entity(TakenRows, type="rows", key="id")
        default = Entity(dict[str, Any], type="d", key="id")

    text = typescript(Taken)
    assert "export interface Record_ {\n  id: string;\n}\n" in text
    assert "export interface TakenRows_ {\n  id: string;\n  records?: Record_[];\n}\n" in text
    assert "  default: Record<string, unknown>;\n" in text
    assert 'Change<"rows", TakenRows_>' in text


@pytest.mark.parametrize("export", [json_schema, typescript])
def test_what_is_no_schema_is_refused(export: Any) -> None:
    for wrong in (Model, Chat(), "chat"):
        with pytest.raises(TypeError, match=f"{export.__name__} takes a subclass of StateSchema"):
            export(wrong)
