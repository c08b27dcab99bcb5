import copy
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import msgspec
import pydantic
import pytest

from dataflow.errors import UnknownFieldError
from dataflow.query.alias import leaf_of, row_of
from dataflow.query.builder import query
from dataflow.query.expr import node_of
from dataflow.query.ir import Named, Scan, SourceRef
from dataflow.query.scalar import Column, RowOf
from tests.dataflow.query.sources import EVENTS, MESSAGES, Table

T = TypeVar("T")


class Model(pydantic.BaseModel):
    key: str
    count: int = 0


class Open(pydantic.BaseModel, extra="allow"):
    key: str


@dataclass
class Data:
    key: str
    count: int


@dataclass
class Box(Generic[T]):
    key: str
    count: T


class Declared(TypedDict):
    key: str
    count: int


class Struct(msgspec.Struct):
    key: str
    count: int


class Pair(NamedTuple):
    key: str
    number: int


ROW_TYPES: list[tuple[Any, list[str]]] = [
    (Model, ["count", "key"]),
    (Data, ["count", "key"]),
    (Box[int], ["count", "key"]),
    (Declared, ["count", "key"]),
    (Struct, ["count", "key"]),
    (Pair, ["key", "number"]),
    (Open, []),
    (dict, []),
    (dict[str, Any], []),
    (None, []),
]


@pytest.mark.parametrize(("row_type", "fields"), ROW_TYPES)
def test_dir_lists_the_fields_of_any_row_type(row_type: Any, fields: list[str]) -> None:
    assert dir(Table("rows", row_type).alias()) == fields


@pytest.mark.parametrize("row_type", [Model, Data, Box[int], Declared, Struct, Pair])
def test_a_field_that_the_row_type_lacks_is_refused(row_type: Any) -> None:
    alias = Table("rows", row_type).alias("row")
    with pytest.raises(UnknownFieldError, match="alias 'row' has no field 'keys'"):
        alias.keys  # noqa: B018 - the access itself is meant
    assert not hasattr(alias, "keys")
    assert node_of(alias.key) == Column("row", "key")


@pytest.mark.parametrize("row_type", [Open, dict, dict[str, Any], None])
def test_rows_of_open_types_may_have_any_field(row_type: Any) -> None:
    alias = Table("rows", row_type).alias("row")
    assert node_of(alias.anything) == Column("row", "anything")


@pytest.mark.parametrize("name", ["name", "key", "count", "items", "alias", "keys", "like", "desc"])
def test_every_public_name_is_a_field(name: str) -> None:
    assert node_of(getattr(EVENTS.alias("event"), name)) == Column("event", name)


def test_brackets_reach_any_name() -> None:
    event = EVENTS.alias("event")
    assert node_of(event["no identifier"]) == Column("event", "no identifier")
    assert node_of(event["_id"]) == Column("event", "_id")
    with pytest.raises(AttributeError, match="an alias has no attribute '_id'"):
        event._id  # noqa: B018 - the access itself is meant


def test_the_name_defaults_to_that_of_the_source() -> None:
    assert leaf_of(EVENTS.alias()) == Scan(SourceRef(EVENTS), "events")
    assert leaf_of(EVENTS.alias("e")) == Scan(SourceRef(EVENTS), "e")


def test_an_alias_of_a_query_has_the_columns_of_its_rows() -> None:
    message = MESSAGES.alias("message")
    start = query(message)
    selected = start.select(message, total=message.seq + 1)
    fields = ["content", "id", "meta", "pending", "role", "seq"]
    assert dir(start.alias("x")) == fields
    assert dir(selected.alias("x")) == sorted([*fields, "total"])
    assert dir(start.map(str).alias("x")) == []
    assert dir(start.select(key=message.id, count=message.seq).into(Data).alias("x")) == [
        "count",
        "key",
    ]
    other = MESSAGES.alias("other")
    joined = start.join(other, on=message.id == other.id)
    assert dir(joined.alias("x")) == ["message", "other"]
    assert leaf_of(start.alias("x")) == Named(start._plan(), "x")


def test_a_whole_row_is_an_expression_of_its_own() -> None:
    assert node_of(row_of(MESSAGES.alias("message"))) == RowOf("message")


def test_an_alias_survives_copy_and_has_no_hash() -> None:
    alias = MESSAGES.alias("message")
    assert leaf_of(copy.copy(alias)) is leaf_of(alias)
    with pytest.raises(TypeError, match="unhashable"):
        hash(alias)
    assert repr(alias) == "<Alias message>"


def test_a_source_is_a_mapping_known_by_identity_in_queries() -> None:
    one, same = Table("t", rows={1: {"id": 1}}), Table("t", rows={1: {"id": 1}})
    assert one == same == {1: {"id": 1}}
    assert SourceRef(one) != SourceRef(same)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
