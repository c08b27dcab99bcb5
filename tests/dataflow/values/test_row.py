"""Row adapters: one behaviour for every kind of row."""

import dataclasses
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.errors import CollectionError, UnknownFieldError
from dataflow.values.equality import equal
from dataflow.values.row import RowAdapter, adapter_for_row, adapter_for_type
from tests.dataflow.values.samples import HOSTILE, values

UNSET: Any = msgspec.UNSET


class TypedRow(TypedDict, total=False):
    id: Any
    tag: Any


@dataclasses.dataclass(frozen=True)
class DataRow:
    id: Any
    tag: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class SlotRow:
    id: Any
    tag: Any = None


class ModelRow(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    id: Any
    tag: Any = None


class OpenModelRow(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    id: Any
    tag: Any = None


class StructRow(msgspec.Struct, frozen=True):
    id: Any
    tag: Any | msgspec.UnsetType = UNSET


class TupleRow(NamedTuple):
    id: Any
    tag: Any = None


class PlainRow:
    def __init__(self, id: object, tag: object = None) -> None:  # noqa: A002 - the field
        self.id = id
        self.tag = tag


class SlottedRow:
    __slots__ = ("id", "tag")

    def __init__(self, id: object, tag: object = None) -> None:  # noqa: A002 - the field
        self.id = id
        self.tag = tag


MAPPINGS: list[type[Any]] = [dict, OrderedDict, TypedRow]
DECLARING = [DataRow, SlotRow, ModelRow, OpenModelRow, StructRow, TupleRow]
OBJECTS: list[type[Any]] = [*DECLARING, PlainRow, SlottedRow]
ROW_TYPES = MAPPINGS + OBJECTS

row_types = pytest.mark.parametrize("row_type", ROW_TYPES, ids=lambda cls: cls.__name__)


@row_types
def test_an_adapter_knows_its_kind_and_fields(row_type: type[Any]) -> None:
    adapter = adapter_for_type(row_type)
    declares = row_type in DECLARING or row_type is TypedRow
    assert adapter.kind == ("mapping" if row_type in MAPPINGS else "object")
    assert adapter.fields == (("id", "tag") if declares else None)
    assert adapter.unset_fields == (frozenset(("tag",)) if row_type is StructRow else frozenset())


@row_types
def test_the_adapter_of_a_row_is_that_of_its_class(row_type: type[Any]) -> None:
    if row_type is TypedRow:
        assert adapter_for_row(TypedRow(id=1)) is adapter_for_type(dict)
    else:
        assert adapter_for_row(row_type(id=1)) is adapter_for_type(row_type)


@row_types
def test_fields_are_read_and_missing_ones_are_null(row_type: type[Any]) -> None:
    adapter, row = adapter_for_type(row_type), row_type(id=1, tag=UNSET)
    assert [adapter.get(row, name) for name in ("id", "tag", "other")] == [1, None, None]


@row_types
def test_replace_builds_a_new_row_of_the_same_class(row_type: type[Any]) -> None:
    adapter, row = adapter_for_type(row_type), row_type(id=1, tag="a")
    new = adapter.replace(row, {"tag": "b"})
    assert type(new) is type(row)
    assert (adapter.as_dict(row), adapter.as_dict(new)) == (
        {"id": 1, "tag": "a"},
        {"id": 1, "tag": "b"},
    )


@pytest.mark.parametrize("row_type", [DataRow, ModelRow, StructRow, TupleRow, TypedRow])
def test_replacing_an_undeclared_field_names_the_near_ones(row_type: type[Any]) -> None:
    with pytest.raises(UnknownFieldError, match=r"has no field 'tagg' \(did you mean 'tag'\?\)"):
        adapter_for_type(row_type).replace(row_type(id=1), {"tagg": "b"})


FIELDS = st.fixed_dictionaries({"id": values(), "tag": values()})


@given(FIELDS, FIELDS)
def test_rows_are_equal_exactly_if_their_fields_are(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    for row_type in ROW_TYPES:
        adapter = adapter_for_type(row_type)
        a, b, c = row_type(**first), row_type(**second), row_type(**first)
        assert adapter.equal(a, a)
        assert adapter.equal(a, c)
        assert adapter.equal(a, b) == adapter.equal(b, a) == equal(first, second)
        assert (adapter.fingerprint(a) == adapter.fingerprint(b)) == equal(first, second)


@row_types
@pytest.mark.parametrize(
    ("old", "new"),
    [({"id": 1}, {"id": True}), ({"id": 1}, {"id": 2}), ({"id": 1}, {"id": 1, "tag": 0})],
)
def test_a_changed_field_makes_a_row_differ(
    row_type: type[Any], old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert adapter_for_type(row_type).equal(row_type(**old), row_type(**new)) is False


@row_types
def test_null_unset_and_missing_fields_are_equal(row_type: type[Any]) -> None:
    equal_rows = adapter_for_type(row_type).equal
    assert equal_rows(row_type(id=HOSTILE, tag=None), row_type(id=HOSTILE, tag=UNSET))
    assert equal_rows(row_type(id=1, tag=None), row_type(id=1))


def test_an_attribute_that_was_never_set_is_null() -> None:
    adapter = adapter_for_type(ModelRow)
    bare = ModelRow.model_construct(id=0)
    del bare.__dict__["id"]
    del bare.__dict__["tag"]
    assert adapter.get(bare, "id") is None
    assert adapter.equal(bare, ModelRow(id=None))
    assert not adapter.equal(bare, ModelRow(id=1))


def test_extra_fields_of_a_model_that_keeps_them_count() -> None:
    adapter = adapter_for_type(OpenModelRow)
    plain, extra = OpenModelRow(id=1), OpenModelRow.model_validate({"id": 1, "color": "red"})
    assert not adapter.equal(plain, extra)
    assert adapter.as_dict(extra) == {"id": 1, "tag": None, "color": "red"}
    assert adapter.as_dict(adapter.replace(plain, {"color": "red"})) == adapter.as_dict(extra)
    assert not equal(plain, extra)


def test_mappings_that_are_no_dicts_are_rows_too() -> None:
    row = MappingProxyType({"id": 1})
    adapter = adapter_for_row(row)
    assert adapter.kind == "mapping"
    assert adapter.get(row, "id") == 1
    assert adapter.equal(row, {"id": 1.0})
    assert adapter.replace(row, {"id": 2}) == {"id": 2}


@pytest.mark.parametrize("row_type", [dict[str, Any], Mapping[str, Any], dict])
def test_generic_mapping_types_have_an_adapter(row_type: Any) -> None:
    adapter = adapter_for_type(row_type)
    assert (adapter.kind, adapter.fields) == ("mapping", None)
    assert adapter.accepts({"id": 1})
    assert not adapter.accepts(DataRow(1))
    assert not adapter.accepts("text")


def test_an_object_adapter_accepts_its_class_alone() -> None:
    adapter = adapter_for_type(DataRow)
    assert [adapter.accepts(row) for row in (DataRow(1), SlotRow(1), {"id": 1})] == [
        True,
        False,
        False,
    ]


def test_a_struct_whose_types_are_unknown_may_be_unset_anywhere() -> None:
    struct = msgspec.defstruct("struct", [("id", Any), ("tag", Any, UNSET)])
    struct.__annotations__["tag"] = "KnownToTypeCheckersAlone"
    assert adapter_for_type(struct).unset_fields == {"id", "tag"}


@pytest.mark.parametrize("row", ["text", 1, None, [1], (1, 2)])
def test_plain_values_are_rows_without_fields(row: object) -> None:
    adapter = adapter_for_row(row)
    assert (adapter.kind, adapter.fields) == ("object", ())
    assert adapter.accepts(row)
    assert not adapter.accepts({"id": 1})
    assert adapter.get(row, "upper") is None
    assert adapter.equal(row, row)
    assert not adapter.equal(row, True)
    assert adapter.as_dict(row) == {}
    assert adapter.replace(row, {}) is row
    with pytest.raises(UnknownFieldError):
        adapter.replace(row, {"upper": 1})


def test_a_row_type_that_is_no_class_is_refused() -> None:
    with pytest.raises(CollectionError, match=r"row type 3 is not a class"):
        adapter_for_type(3)


def mutable_rows() -> list[tuple[RowAdapter, Any]]:
    point = namedtuple("point", "meta")
    rows = [{"meta": {"n": [1]}}, point({"n": [1]}), PlainRow({"n": [1]}), [{"n": [1]}]]
    return [(adapter_for_row(row), row) for row in rows]


def test_a_fingerprint_tells_that_a_row_was_mutated() -> None:
    for adapter, row in mutable_rows():
        before = adapter.fingerprint(row)
        assert adapter.fingerprint(row) == before
        meta = row[0] if isinstance(row, list | tuple) else None
        meta = meta or adapter.get(row, "meta") or adapter.get(row, "id")
        meta["n"].append(2)
        assert adapter.fingerprint(row) != before
