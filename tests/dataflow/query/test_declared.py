"""What is compared with columns of a declared type: other kinds are refused, whatever a row might hold is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pytest

from dataflow import Collection, lit, live, query
from dataflow.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable


class Role(StrEnum):
    USER = "user"


class Level(IntEnum):
    LOW = 1


class Shade(Enum):
    DARK = "dark"


@dataclass(frozen=True)
class Row:
    id: int
    name: str | None
    score: float
    flag: bool
    day: date
    either: int | str
    anything: Any
    shade: Shade
    mode: Literal["a", "b"]


class Struct(msgspec.Struct):
    id: int
    age: int | msgspec.UnsetType = msgspec.UNSET


rows: Any = Collection("rows", key="id", row=Row).alias("row")
structs: Any = Collection("structs", key="id", row=Struct).alias("struct")
plain: Any = Collection[Any]("plain", key="id").alias("plain")
sub: Any = query(rows).select(id=rows.id, n=rows.score).alias("sub")

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TAKEN: dict[str, Callable[[], object]] = {
    "a number of another type": lambda: (
        (rows.id == 1.0) & (rows.score > 1) & (rows.id < Decimal(2))
    ),
    "a bool where an int may be one": lambda: rows.id == True,  # noqa: E712 - that is the point
    "an enum member that is a text": lambda: rows.name == Role.USER,
    "an enum member that is a number": lambda: rows.id.in_([Level.LOW, 2]),
    "a moment where a date may be one": lambda: rows.day < NOON,
    "what one of several types is": lambda: (rows.either == "a") | (rows.either == 1),
    "anything, of anything": lambda: rows.anything == b"",
    "a type that says nothing of kinds": lambda: (rows.shade == "dark") & (rows.mode == 1),
    "a null on purpose": lambda: rows.id == lit(None),
    "a column": lambda: rows.id == rows.name,
    "a result of an expression": lambda: rows.id + 1 == "x",
    "an unset field": lambda: structs.age > 1,
    "rows of no declared type": lambda: plain.id == "x",
    "a selected column": lambda: sub.n == "x",
}
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "an optional field": (lambda: rows.name > 1, "declared as str, and 1 is of type int"),
    "a bool": (lambda: rows.flag == 1, "declared as bool, and 1 is of type int"),
    "an enum member": (lambda: rows.name == Level.LOW, "and <Level.LOW: 1> is of type Level"),
    "a list": (lambda: rows.score == lit([1]), "declared as float, and [1] is of type list"),
    "an unset field": (lambda: structs.age > "1", "declared as int, and '1' is of type str"),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_some_row_could_hold_is_compared(what: str) -> None:
    TAKEN[what]()


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_row_can_hold_is_refused(what: str) -> None:
    build, text = REFUSED[what]
    with pytest.raises(QueryError) as caught:
        build()
    assert str(caught.value).endswith(text)


def test_the_rows_of_a_live_result_are_declared_by_what_it_builds() -> None:
    table = Collection("table", key="id", row=Row)
    row: Any = table.alias("row")
    built: Any = live(query(row).select(id=row.id, age=row.score).into(Struct)).alias("built")
    _ = built.age > 1
    with pytest.raises(QueryError, match="field 'age' is declared as int"):
        _ = built.age == "x"
