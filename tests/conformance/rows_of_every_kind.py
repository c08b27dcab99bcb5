"""A schema with every feature that a row type may have, and rows of it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from stateschema.schema.entity import Entity, StateSchema

ItemT = TypeVar("ItemT")


class Color(Enum):
    RED = "red"
    QUOTED = 'say "hi"'


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    street: str
    zip: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    is_good: bool


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]


class Empty(BaseModel):
    pass


class Nested(BaseModel):
    id: str
    text: str | None = None
    either: int | str | list[bool]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    pets: list[Cat | Dog] = []
    address: Address
    by_name: dict[str, Address] = {}
    by_number: dict[int, list[str]] = {}
    page: Page[Address]
    empty: Empty = Empty()


class Scalars(BaseModel):
    id: str
    color: Color
    level: Level
    literal: Literal["a", 'b"c', "d\\e", 1, True, None]
    only: Literal["only"]
    when: datetime
    day: date
    at: time
    took: timedelta
    price: Decimal
    uid: UUID
    data: bytes
    pair: tuple[int, str | None]
    many: tuple[float, ...]
    lists: list[list[int | None]]
    words: list[Literal["x", "y"] | None]
    unique: set[int]
    anything: Any
    raw: dict[str, Any]
    nothing: None = None
    described: str = Field(description="ends a comment */ here\nand a line")


class Tree(BaseModel):
    id: str
    children: "list[Tree]" = []
    parent: "Tree | None" = None
    owner: "Owner | None" = None


class Owner(BaseModel):
    trees: list[Tree] = []


class Names(BaseModel):
    model_config = ConfigDict(extra="allow", validate_by_name=True)
    id: str
    class_: str = Field("", alias="class")
    default: int = 0
    dash: str = Field("", alias="with-dash")
    space: str = Field("", alias="with space")
    quote: str = Field("", alias='with "quote"')
    newline: str = Field("", alias="with\nnewline\u2028")
    number: str = Field("", alias="1st")
    umlaut: str = Field("", alias="größe")
    empty: str = Field("", alias="")


@dataclass
class Data:
    id: str
    more: "list[Data]" = field(default_factory=list)
    kind: Literal[1, 2] = 1


class Typed(TypedDict):
    id: str
    maybe: NotRequired[str]
    nested: NotRequired[dict[str, list[int]]]


class Left(msgspec.Struct, tag="left"):
    x: int


class Right(msgspec.Struct, tag="right"):
    y: int


class Struct(msgspec.Struct, rename="camel"):
    id: str
    at_time: datetime
    which: Left | Right
    next_one: "Struct | None" = None


class delete(BaseModel):  # noqa: N801 - a reserved word of TypeScript
    id: str


class string(BaseModel):  # noqa: N801 - a type of TypeScript
    id: str


class Record(BaseModel):
    id: str


class EveryRows(BaseModel):
    id: str


class Every(StateSchema):
    nested = Entity(Nested, type="nested", key="id")
    scalars = Entity(Scalars, type="scalars", key="id")
    trees = Entity(Tree, type="tree", key="id", merge=True)
    names = Entity(Names, type='a "type"', key="id")
    data = Entity(Data, type="data", key="id")
    typed = Entity(Typed, type="typed", key="id")
    structs = Entity(Struct, type="struct", key="id")
    dicts = Entity(dict[str, Any], type="dict", key="id")
    delete = Entity(delete, type="delete", key="id")
    default = Entity(string, type="string", key="id")
    größen = Entity(Record, type="größe", key="id")
    rows = Entity(EveryRows, type="rows", key="id")


_HERE = Address(street="here")
_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

ROWS: dict[str, list[Any]] = {
    "nested": [
        Nested(
            id="1",
            either=[True],
            pet=Cat(lives=7),
            pets=[Dog(is_good=True), Cat(lives=1)],
            address=_HERE,
            by_name={"a b": _HERE},
            by_number={1: ["x"]},
            page=Page[Address](items=[_HERE]),
        ),
        Nested(
            id="2", text="t", either=1, pet=Dog(is_good=False), address=_HERE, page=Page(items=[])
        ),
    ],
    "scalars": [
        Scalars(
            id="1",
            color=Color.QUOTED,
            level=Level.HIGH,
            literal=literal,
            only="only",
            when=_NOW,
            day=_NOW.date(),
            at=_NOW.time(),
            took=timedelta(hours=1),
            price=Decimal("1.50"),
            uid=UUID(int=7),
            data=b"data",
            pair=(1, None),
            many=(1.5, 2.0),
            lists=[[1, None], []],
            words=["x", None],
            unique={1, 2},
            anything={"any": [1]},
            raw={"any": None},
            described='*/ "',
        )
        for literal in ("a", 'b"c', "d\\e", 1, True, None)
    ],
    "trees": [Tree(id="1", children=[Tree(id="2")], parent=Tree(id="0"), owner=Owner())],
    "names": [Names(id="1", class_="c", newline="n", **{"more than": ["that"]})],
    "data": [Data("1", [Data("2", kind=2)])],
    "typed": [{"id": "1"}, {"id": "2", "maybe": "m", "nested": {"n": [1]}}],
    "structs": [Struct("1", _NOW, Left(1), Struct("2", _NOW, Right(2)))],
    "dicts": [{"id": "1", "any": {"thing": None}}],
    "delete": [delete(id="1")],
    "default": [string(id="1")],
    "größen": [Record(id="1")],
    "rows": [EveryRows(id="1")],
}
