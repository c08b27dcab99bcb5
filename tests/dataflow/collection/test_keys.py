import dataclasses
import enum
import math
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pydantic
import pytest

from dataflow import Collection, CollectionError


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass(frozen=True)
class User:
    id: Any
    name: str = ""


class Model(pydantic.BaseModel):
    id: int
    name: str = ""


IDENTIFIER = uuid.UUID(int=7)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "found", "missed"),
    [
        ("a", "a", b"a"),
        (1, 1.0, True),
        (True, True, 1),
        (1.5, Decimal("1.5"), 1),
        (-0.0, 0, False),
        (math.nan, float("nan"), 0),
        (Decimal(3), 3, "3"),
        ((1, "a"), (1.0, "a"), (True, "a")),
        (Point(1, 2), (1, 2), (2, 1)),
        (date(2026, 1, 1), date(2026, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive one
        (NOON, NOON.astimezone(timezone(timedelta(hours=5))), NOON.replace(tzinfo=None)),
        (IDENTIFIER, uuid.UUID(int=7), str(IDENTIFIER)),
        (Color.RED, "red", "RED"),
        (Level.LOW, 1, True),
        (b"a", b"a", "a"),
        (timedelta(1), timedelta(hours=24), 1),
    ],
)
@pytest.mark.parametrize("make", [lambda key: {"id": key}, User])
def test_scalars_and_tuples_are_keys(
    make: Callable[[Any], Any], key: Any, found: Any, missed: Any
) -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    row = make(key)
    with rows.sync() as write:
        write.insert(row)
    assert rows[found] is row
    assert (found in rows, missed in rows) == (True, False)
    with pytest.raises(KeyError):
        rows[missed]
    with rows.sync() as write:
        write.delete(missed)
    assert len(rows) == 1
    with rows.sync() as write:
        write.delete(found)
    assert rows.rows() == []


def test_true_and_one_are_two_keys() -> None:
    rows = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert({"id": 1})
        write.insert({"id": True})
    assert [(key, type(key)) for key in rows] == [(1, int), (True, bool)]
    assert rows != {1: {"id": True}}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": None}, r"collection 'rows': the key \('id'\) is null in row"),
        ({"name": "x"}, r"the key \('id'\) is null in row \{'name': 'x'\}"),
        ({"id": [1]}, r"a key is a scalar or a tuple of scalars, not \[1\]"),
        ({"id": {"a": 1}}, "a key is a scalar or a tuple"),
        ({"id": {1}}, "a key is a scalar or a tuple"),
        ({"id": (1, [2])}, "a key is a scalar or a tuple"),
        ({"id": (1, (2, {}))}, "a key is a scalar or a tuple"),
        ({"id": (1, None)}, "is null in row"),
        ({"id": object()}, "a key is a scalar or a tuple"),
        ({"id": User(1)}, "a key is a scalar or a tuple"),
        (None, "a row cannot be None"),
        (5, "key field 'id' is no field of int"),
        ("text", "key field 'id' is no field of str"),
    ],
)
def test_a_row_without_a_proper_key_is_refused_and_decides_nothing(row: Any, message: str) -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    with rows.sync() as write, pytest.raises(CollectionError, match=message):
        write.insert(row)
    with rows.sync() as write:
        write.insert(User(1))  # of another kind than what was refused
        with pytest.raises(CollectionError):
            write.insert(row)
    assert rows == {1: User(1)}


def test_keys_of_several_fields_and_computed_keys() -> None:
    pairs = Collection("pairs", key=("a", "b"))
    computed = Collection("computed", key=lambda row: f"{row['a']}:{row['b']}")
    row = {"a": 1, "b": 2}
    for rows in (pairs, computed):
        with rows.sync() as write:
            write.insert(row)
    assert [dict(pairs), dict(computed)] == [{(1, 2): row}, {"1:2": row}]
    with pairs.sync() as write, pytest.raises(CollectionError, match=r"\('a', 'b'\)\) is null"):
        write.insert({"a": 1})
    with computed.sync() as write, pytest.raises(KeyError, match="'b'"):
        write.insert({"a": 1})


def test_rows_are_of_one_kind() -> None:
    declared = Collection("users", row=User, key="id")
    with declared.sync() as write:
        with pytest.raises(CollectionError, match="'users' holds rows of type User, not dict"):
            write.insert({"id": 1})  # type: ignore[arg-type]  # what is refused
        with pytest.raises(CollectionError, match="holds rows of type User, not NoneType"):
            write.insert(None)  # type: ignore[arg-type]  # what is refused
    undeclared: Collection[Any] = Collection("rows", key="id")
    with undeclared.sync() as write:
        write.insert({"id": 1})
        with pytest.raises(CollectionError, match="holds rows of type dict, not User"):
            write.insert(User(1))
    models = Collection("models", row=Model, key="id")
    with models.sync() as write, pytest.raises(CollectionError, match="of type Model, not User"):
        write.insert(User(1))  # type: ignore[arg-type]  # what is refused


def test_a_key_field_must_be_declared() -> None:
    message = r"'users': key field 'nme' is no field of User \(did you mean 'name'\?\)"
    with pytest.raises(CollectionError, match=message):
        Collection("users", row=User, key="nme")
    with pytest.raises(CollectionError, match=message):
        Collection("users", row=User, key=("id", "nme"))


def test_rows_of_a_subclass_are_welcome() -> None:
    class Admin(User):
        pass

    users = Collection("users", row=User, key="id")
    with users.sync() as write:
        write.insert(Admin(1))
        write.insert(User(2))
        write.update(Admin(2))
    assert [type(row) for row in users.rows()] == [Admin, Admin]
