from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Optional, TypedDict

import msgspec
import pytest
import typing_extensions
from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    computed_field,
    field_validator,
)
from pydantic.alias_generators import to_camel

from dataflow import CollectionError
from dataflow.io.rowtype import RowType


class Colour(StrEnum):
    RED = "red"


class Part(BaseModel):
    at: datetime
    numbers: tuple[int, ...] = ()


class Model(BaseModel):
    model_config = ConfigDict(alias_generator=AliasGenerator(alias=to_camel), frozen=True)
    row_id: int
    colour: Colour = Colour.RED
    parts: list[Part] = Field(default_factory=list, validation_alias="theParts")
    anything: Any = None
    ratio: float = 0.5

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know the pair
    @property
    def label(self) -> str:
        return f"#{self.row_id}"


@dataclass(frozen=True)
class Data:
    row_id: int
    parts: tuple[Part, ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)


class Dict(TypedDict, total=False):
    row_id: int
    at: datetime


class ExtendedDict(typing_extensions.TypedDict):
    row_id: int
    at: typing_extensions.NotRequired[datetime]


class Named(NamedTuple):
    row_id: int
    at: datetime | None = None


class Plain:
    pass


class Struct(msgspec.Struct, frozen=True, rename="camel"):
    row_id: int
    at: datetime | None = None
    note: str | msgspec.UnsetType = msgspec.UNSET


NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
ROWS = [
    (None, {"row_id": 1, "at": NOW, "pair": (1, 2)}),
    (dict, {"row_id": 1}),
    (
        Model,
        Model(
            rowId=1,
            theParts=[Part(at=NOW, numbers=(1, 2))],
            anything=(NOW, {1}),
            ratio=float("inf"),
        ),
    ),
    (Data, Data(1, (Part(at=NOW),), frozenset({"a"}))),
    (Dict, Dict(row_id=1, at=NOW)),
    (ExtendedDict, ExtendedDict(row_id=1)),
    (Named, Named(1, NOW)),
    (Struct, Struct(1, NOW)),
    (Struct, Struct(1, None, "")),
]


@pytest.mark.parametrize(("row_type", "row"), ROWS)
def test_a_row_comes_back_from_text_as_it_was(row_type: Any, row: Any) -> None:
    rows = RowType(row_type, owner="collection 'x'")
    found = rows.load(rows.dump(row))
    assert (found, type(found)) == (row, type(row))


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    row_id: int = 1
    anything: Any = None
    several: dict[str, list[Any]] = {}
    own: Optional["Loose"] = None


class Restoring(BaseModel):
    """Knows itself what is in its field."""

    row_id: int
    held: Any

    @field_validator("held", mode="before")
    @classmethod
    def restore(cls, held: Any) -> Any:
        return Part.model_validate(held)


@dataclass(frozen=True)
class LooseData:
    row_id: int
    held: object = None


class LooseStruct(msgspec.Struct, frozen=True):
    row_id: int
    held: list = []  # type: ignore[type-arg]  # of whatever


LOST = [
    (Loose, Loose(anything=Part(at=NOW))),
    (Loose, Loose(several={"a": [1, Data(1)]})),
    (Loose, Loose(own=Loose(own=Loose(anything=(Data(1),))))),
    (Loose, Loose.model_validate({"more": Part(at=NOW)})),
    (LooseData, LooseData(1, Part(at=NOW))),
    (LooseStruct, LooseStruct(1, [Struct(1)])),
]


@pytest.mark.parametrize(("row_type", "row"), LOST)
def test_a_row_that_would_come_back_as_another_is_not_written(row_type: Any, row: Any) -> None:
    with pytest.raises(CollectionError) as caught:
        RowType(row_type, owner="collection 'x'").dump(row)
    assert str(caught.value).startswith("collection 'x': cannot write row ")
    assert str(caught.value).endswith(" is in a place declared as Any")
    assert caught.value.__notes__ == [
        "it would come back as a dict: declare its type, or write a dict"
    ]


@pytest.mark.parametrize(
    ("row_type", "row"),
    [
        (Loose, Loose(anything={"a": [1, NOW]}, several={"a": [(1, 2)]}, own=Loose())),
        (Restoring, Restoring(row_id=1, held=Part(at=NOW))),
        (LooseData, LooseData(1, {"a": 1})),
        (LooseStruct, LooseStruct(1, [1, NOW])),
    ],
)
def test_a_row_with_anything_that_comes_back_is_written(row_type: Any, row: Any) -> None:
    rows = RowType(row_type, owner="collection 'x'")
    assert rows.load(rows.dump(row)) == row


def test_a_row_is_built_from_fields_by_their_python_names() -> None:
    built = RowType(Model, owner="collection 'x'").build({"row_id": "7"})
    assert built == Model(rowId=7)


@pytest.mark.parametrize("text", ["[1]", "{", '{"row_id":"x"}', "{}"])
def test_text_that_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a row|Expecting|validation error"):
        RowType(Data, owner="collection 'x'").load(text)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RowType(Plain, owner="collection 'x'"), "cannot be built from fields"),
        (lambda: RowType(None, owner="collection 'x'").dump({"f": print}), "builtin_function"),
        (lambda: RowType(None, owner="collection 'x'").dump(Data(1)), "declare the type"),
    ],
)
def test_what_cannot_be_written_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(CollectionError, match=message):
        make()


class Secretive(BaseModel):
    row_id: int
    secret: str = Field(default="", exclude=True)


def test_a_field_that_is_excluded_from_dumps_is_kept_all_the_same() -> None:
    rows, row = RowType(Secretive, owner="rows"), Secretive(row_id=1, secret="x")
    assert rows.load(rows.dump(row)) == row


class Anything(msgspec.Struct):
    row_id: int
    anything: Any = None


@pytest.mark.parametrize("value", [datetime(2026, 1, 2, tzinfo=UTC), b"\xff", [Decimal("1.10")]])
def test_what_a_struct_holds_in_a_field_of_any_type_keeps_its_kind(value: object) -> None:
    rows, row = RowType(Anything, owner="rows"), Anything(1, value)
    assert rows.load(rows.dump(row)) == row
