"""Which fields a class declares, and what counts as null."""

import dataclasses
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, NamedTuple, Optional, TypedDict

import msgspec
import pydantic
import pydantic.dataclasses
import pytest
import typing_extensions

from dataflow.values.fields import (
    compared_fields,
    declared_fields,
    declared_types,
    is_typed_dict,
)
from dataflow.values.null import is_null


@dataclasses.dataclass
class Data:
    b: int
    a: int


@pydantic.dataclasses.dataclass
class CheckedData:
    b: int
    a: int


class Model(pydantic.BaseModel):
    b: int
    a: int


class OpenModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    b: int
    a: int


class Struct(msgspec.Struct):
    b: int
    a: int


class Named(NamedTuple):
    b: int
    a: int


class Base(TypedDict):
    b: int


class Typed(Base, total=False):
    a: int


class ExtendedBase(typing_extensions.TypedDict):
    b: int


class ExtendedTyped(ExtendedBase, total=False):
    a: int


class Attrs:
    """What attrs leaves on its classes."""

    __attrs_attrs__: ClassVar[Any] = (SimpleNamespace(name="b"), SimpleNamespace(name="a"))


@pytest.mark.parametrize(
    "cls", [Data, CheckedData, Model, Struct, Named, Typed, ExtendedTyped, Attrs]
)
def test_declared_fields_are_found_in_order(cls: type[Any]) -> None:
    assert declared_fields(cls) == compared_fields(cls) == ("b", "a")


def test_a_typed_dict_is_known_whichever_library_made_it() -> None:
    found = [
        each for each in (Typed, ExtendedTyped, dict, dict[str, int], Data) if is_typed_dict(each)
    ]
    assert found == [Typed, ExtendedTyped]


def test_the_extra_fields_of_a_model_are_compared_but_not_declared() -> None:
    assert declared_fields(OpenModel) == ("b", "a")
    assert compared_fields(OpenModel) == ("b", "a", "__pydantic_extra__")


@pytest.mark.parametrize("cls", [int, dict, tuple, SimpleNamespace, object])
def test_other_classes_declare_no_fields(cls: type[Any]) -> None:
    assert declared_fields(cls) is None
    assert compared_fields(cls) is None


def test_null_is_none_or_unset_and_nothing_else() -> None:
    namesake = type("UnsetType", (), {})()
    values: tuple[object, ...] = (
        None,
        msgspec.UNSET,
        msgspec.NODEFAULT,
        namesake,
        0,
        "",
        False,
        [],
        float("nan"),
    )
    assert [is_null(value) for value in values] == [True, True] + [False] * 7


class Priced(NamedTuple):
    price: Annotated[Decimal | None, "in euros"]
    weight: Optional[float]  # noqa: UP045 - the older spelling is read, too


class Unreadable(NamedTuple):
    price: "Missing"  # type: ignore[name-defined]  # noqa: F821 - annotations may name nothing


@pytest.mark.parametrize(
    ("row_type", "types"),
    [
        (Priced, {"price": {Decimal, type(None)}, "weight": {float, type(None)}}),
        (Data, {"b": {int}, "a": {int}}),
        (Model, {"b": {int}, "a": {int}}),
        (Unreadable, {}),
        (dict[str, Any], {}),
        (int, {}),
        (None, {}),
    ],
)
def test_declared_types_are_read_off_annotations(row_type: Any, types: dict[str, set[Any]]) -> None:
    found = declared_types(row_type)
    assert {name: found[name] for name in types} == types
    assert types or not found
