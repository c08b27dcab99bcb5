import sys
from dataclasses import dataclass
from typing import Any

import pytest

from dataflow import Collection, live, query

Row = dict[str, Any]


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    born: int | None = None


def people(*rows: Person) -> Collection[Person]:
    made = Collection("people", row=Person, key="id")
    with made.sync() as write:
        for row in rows:
            write.insert(row)
    return made


def items(*rows: Row) -> Collection[Row]:
    made: Collection[Row] = Collection("items", key="id")
    with made.sync() as write:
        for row in rows:
            write.insert(row)
    return made


def columns(frame: Any) -> dict[str, list[Any]]:
    """Read a frame of any library, nulls as None."""
    if hasattr(frame, "to_pydict"):
        return dict(frame.to_pydict())
    if hasattr(frame, "to_dicts"):
        return {name: frame[name].to_list() for name in frame.columns}
    nulls = frame.isna()
    return {
        name: [
            None if null else value for value, null in zip(frame[name], nulls[name], strict=True)
        ]
        for name in frame.columns
    }


LIBRARIES = {"pandas": "pandas", "polars": "polars", "arrow": "pyarrow"}


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(LIBRARIES[request.param])
    return str(request.param)


def frame(source: Any, library: str) -> dict[str, list[Any]]:
    return columns(getattr(source, f"to_{library}")())


def test_a_frame_has_a_column_per_field_and_a_line_per_row(library: str) -> None:
    source = people(Person(1, "Ada", 1815), Person(2, "Bob"))
    assert frame(source, library) == {"id": [1, 2], "name": ["Ada", "Bob"], "born": [1815, None]}


def test_a_live_result_comes_in_its_order(library: str) -> None:
    person = people(Person(1, "Ada"), Person(2, "Bob")).alias()
    result = live(query(person).order_by(person.name.desc()).select(who=person.name))
    assert frame(result, library) == {"who": ["Bob", "Ada"]}


def test_missing_fields_are_null_in_columns_in_order_of_appearance(library: str) -> None:
    source = items({"id": 1, "a": "x"}, {"id": 2, "b": [1, 2]})
    made = frame(source, library)
    assert list(made) == ["id", "a", "b"]
    assert [made["id"], made["a"], made["b"][0], list(made["b"][1])] == [
        [1, 2],
        ["x", None],
        None,
        [1, 2],
    ]


def test_no_rows_still_have_the_columns_that_are_declared(library: str) -> None:
    assert frame(people(), library) == {"id": [], "name": [], "born": []}
    person = people().alias()
    assert frame(live(query(person).select(n=person.name)), library) == {"n": []}


def test_rows_that_are_values_are_one_column(library: str) -> None:
    source = items({"id": 1, "v": 5})
    assert frame(live(query(source).map(lambda row: row["v"])), library) == {"value": [5]}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_missing_is_named_with_its_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, LIBRARIES[name], None)
    with pytest.raises(ImportError) as caught:
        getattr(people(), f"to_{name}")()
    assert str(caught.value) == f"{LIBRARIES[name]} is not installed"
    assert caught.value.__notes__ == [f"pip install 'stateschema[{name}]'"]
