from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from dataflow import Collection, CollectionError
from dataflow.io.frames import rows_of_frame, write_frame

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LINES: list[dict[str, Any]] = [
    {"id": 1, "name": "Ada", "ratio": 0.5, "at": NOW, "day": date(2026, 1, 2), "ok": True},
    {"id": 2, "name": None, "ratio": None, "at": None, "day": None, "ok": False},
]


def columns() -> dict[str, list[Any]]:
    return {name: [line[name] for line in LINES] for name in LINES[0]}


def exact(rows: list[dict[str, Any]]) -> list[dict[str, tuple[type, Any]]]:
    return [{name: (type(value), value) for name, value in row.items()} for row in rows]


def test_a_polars_frame_becomes_rows_lazy_or_not() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(columns())
    lazy = rows_of_frame(frame.lazy())
    assert [{**row, "at": row["at"] and row["at"].astimezone(UTC)} for row in lazy] == LINES
    assert rows_of_frame(frame) == lazy


def test_arrow_tables_and_batches_become_rows() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(columns())
    assert rows_of_frame(table) == LINES
    assert rows_of_frame(table.to_batches()[0]) == LINES


def test_a_pandas_frame_becomes_rows_of_python_values() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(columns())
    assert exact(rows_of_frame(frame)) == exact(LINES)
    spans = pandas.DataFrame({"span": [timedelta(seconds=5)], "number": [float("nan")]})
    assert exact(rows_of_frame(spans)) == exact([{"span": timedelta(seconds=5), "number": None}])
    indexed = pandas.DataFrame({"n": [7]}, index=pandas.Index(["a"], name="id"))
    assert rows_of_frame(indexed) == [{"id": "a", "n": 7}]
    assert rows_of_frame(frame.iloc[:0]) == []


def test_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="a list of 'builtins' is no frame of pandas") as caught:
        rows_of_frame([{"id": 1}])
    assert "write_rows(collection, rows)" in caught.value.__notes__[0]


class Person(BaseModel, frozen=True):
    id: int
    name: str | None


def test_a_newer_frame_arrives_as_its_difference_in_rows_of_the_declared_type() -> None:
    polars = pytest.importorskip("polars")
    people = Collection("people", key="id", row=Person)
    seen: list[Any] = []
    people.subscribe(lambda changes: seen.append([(each.op, each.value) for each in changes]))
    write_frame(people, polars.DataFrame({"id": [1, 2, 3], "name": ["Ada", "Bob", "Cy"]}))
    write_frame(people, polars.DataFrame({"id": [1, 2, 3], "name": ["Ada", "Bob", "Cy"]}))
    write_frame(people, polars.DataFrame({"id": [3, 2, 4], "name": ["Cy", "Bea", "Di"]}))
    assert seen[1:] == [
        [
            ("update", Person(id=2, name="Bea")),
            ("insert", Person(id=4, name="Di")),
            ("delete", Person(id=1, name="Ada")),
        ]
    ]
    with pytest.raises(CollectionError, match="two rows with the key 1"):
        write_frame(people, polars.DataFrame({"id": [1, 1], "name": ["a", "b"]}))
    with pytest.raises(ValueError, match="validation error"):
        write_frame(people, polars.DataFrame({"id": [1], "name": [5]}))
    assert set(people) == {2, 3, 4}


def test_numpy_inside_of_cells_becomes_python_and_is_no_news_the_next_time() -> None:
    pandas, numpy = pytest.importorskip("pandas"), pytest.importorskip("numpy")

    def frame() -> Any:
        inner = numpy.empty(1, dtype=object)
        inner[0] = numpy.array([1, 2])
        cells = [numpy.int64(1), "x"]
        return pandas.DataFrame(
            {
                "id": numpy.array(cells, dtype=object),
                "list": [numpy.array([0.5, 1.5]), inner],
                "struct": [{"n": numpy.float32(0.5), "of": [numpy.bool_(True)]}, None],
            }
        )

    expected = [
        {"id": 1, "list": [0.5, 1.5], "struct": {"n": 0.5, "of": [True]}},
        {"id": "x", "list": [[1, 2]], "struct": None},
    ]
    assert repr(rows_of_frame(frame())) == repr(expected)
    rows: Collection[Any] = Collection("rows", key="id")
    seen: list[Any] = []
    rows.subscribe(seen.append)
    write_frame(rows, frame())
    write_frame(rows, frame())
    assert len(seen) == 1


def test_a_column_alone_and_two_of_one_name_are_refused() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    for column in (pandas.Series([1]), polars.Series([1]), arrow.array([1])):
        with pytest.raises(TypeError, match="is no frame"):
            rows_of_frame(column)
    twice = arrow.table([[1], [2]], names=["a", "a"])
    for frame in (pandas.DataFrame([[1, 2]], columns=["a", "a"]), twice):
        with pytest.raises(ValueError, match="two columns of the frame are named 'a'"):
            rows_of_frame(frame)
