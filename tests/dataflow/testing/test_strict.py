from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any

import pytest

from dataflow import Collection, InvariantError, collect, fn, fold, live, query
from dataflow.circuit.graph import current_graph
from dataflow.testing import strict

Row = dict[str, Any]


@dataclass
class User:
    id: int
    tags: list[str]


def write(items: Collection[Any], *rows: Any) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def spoil(row: Any) -> Any:
    (row["tags"] if isinstance(row, dict) else row.tags).append("spoiled")
    return row


def spoil_list(tags: list[str]) -> int:
    tags.append("spoiled")
    return len(tags)


def spoil_state(state: list[int], row: Row) -> list[int]:
    state.append(row["id"])
    return state


def spoil_row(state: int, row: Row) -> int:
    spoil(row)
    return state


def spoil_copy(state: list[int]) -> int:
    state.append(0)
    return len(state)


def extended(state: list[int], row: Row) -> list[int]:
    return [*state, row["id"]]


def spoil_left(row: Row) -> Any:
    return spoil(row["a"])


def pairs(items: Collection[Row]) -> Any:
    a, b = items.alias("a"), items.alias("b")
    return query(a).join(b, on=a.id == b.id)


def by_fold(step: Any, **options: Any) -> Callable[[Collection[Row]], Any]:
    def start(items: Collection[Row]) -> Any:
        item = items.alias()
        return query(item).group_by(item.id).select(x=fold(item, list, step, **options))

    return start


FUNCTIONS: list[tuple[str, Callable[[Collection[Row]], Any]]] = [
    ("map function 'spoil' changed a row", lambda c: query(c).map(spoil)),
    ("filter function 'spoil' changed a row", lambda c: query(c).filter(spoil)),
    (
        "fn function 'spoil_list' changed a row",
        lambda c: query(c.alias("x")).select(n=fn(spoil_list, c.alias("x").tags)),
    ),
    ("fold step function 'spoil_state' changed the state", by_fold(spoil_state)),
    ("fold step function 'spoil_row' changed a row", by_fold(spoil_row)),
    (
        "fold finish function 'spoil_copy' changed the state",
        by_fold(extended, finish=spoil_copy),
    ),
    ("map function 'spoil' changed a row", lambda c: query(live(query(c))).map(spoil)),
    ("map function 'spoil_left' changed a row", lambda c: pairs(c).map(spoil_left)),
]


@pytest.mark.parametrize(("message", "text"), FUNCTIONS)
def test_a_function_that_changes_what_it_is_given_is_named(
    message: str, text: Callable[[Collection[Row]], Any]
) -> None:
    items: Collection[Row] = Collection("items", key="id")

    def body() -> None:
        with strict():
            result = live(text(items))
            write(items, {"id": 1, "tags": []})
            assert isinstance(result.error, InvariantError)
            assert result.rows() == []

    with pytest.raises(InvariantError, match=message):
        body()


def test_the_error_that_a_violation_led_to_is_its_cause() -> None:
    items: Collection[Row] = Collection("items", key="id")

    def body() -> None:
        with strict():
            result = live(query(items).map(spoil))
            write(items, {"id": 1, "tags": []})
            _ = result[1]

    with pytest.raises(InvariantError) as caught:
        body()
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_subscriber_that_changes_a_row_is_named() -> None:
    users = Collection("users", row=User, key="id")

    def subscriber(changes: Any) -> None:
        spoil(changes[0].value)

    def body() -> None:
        with strict():
            users.subscribe(subscriber)
            with pytest.raises(ExceptionGroup) as caught:
                write(users, User(1, []))
            assert [type(error) for error in caught.value.exceptions] == [InvariantError]

    with pytest.raises(InvariantError, match=r"subscriber '.*<locals>.subscriber' changed a row"):
        body()


@pytest.mark.parametrize("row", [{"id": 1, "tags": []}, User(1, [])])
def test_a_row_that_its_giver_changes_later_is_named(row: Any) -> None:
    items: Collection[Any] = Collection("items", key="id")
    message = "the row of key 1 in collection 'items' was changed after it had been given"

    def body() -> None:
        with strict():
            write(items, row)
            spoil(row)

    with pytest.raises(InvariantError, match=message):
        body()


def test_it_is_found_before_the_row_is_replaced() -> None:
    items: Collection[Row] = Collection("items", key="id")
    row = {"id": 1, "tags": []}

    def body() -> None:
        with strict():
            write(items, row)
            spoil(row)
            write(items, {"id": 1, "tags": ["fine"]})

    with pytest.raises(InvariantError, match="of key 1"):
        body()


def test_whoever_leaves_rows_alone_passes() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias()

    def drain(row: Row) -> int:
        row["ids"].sort()
        return len([row["ids"].pop() for _ in range(len(row["ids"]))])

    groups = query(item).group_by(item.g).select(g=item.g, ids=collect(item.id)).alias("groups")
    with strict():
        drained = live(query(groups).map(drain))
        mapped = live(query(items).filter(bool).map(lambda row: {**row, "new": 1}))
        mapped.subscribe(lambda changes: changes.clear())
        folded = live(by_fold(extended, finish=tuple)(items))
        for i in range(5):
            write(items, {"id": i, "g": i % 2, "tags": ["x"]})
        write(items, {"id": 1, "g": 0})
        with items.sync() as writer:
            writer.delete(0)
    assert drained.rows() == [3, 1]
    assert [row["new"] for row in mapped.rows()] == [1] * 4
    assert folded.rows() == [{"x": (i,)} for i in (1, 2, 3, 4)]


def test_equal_queries_still_share_and_functions_run_unwatched_afterwards() -> None:
    items: Collection[Row] = Collection("items", key="id")
    with strict():
        first, second = live(query(items).map(spoil)), live(query(items).map(spoil))
        with strict():
            pass
        assert current_graph().observer is not None
    assert first.statistics().nodes[0].shared_by == 2
    assert current_graph().observer is None
    write(items, {"id": 1, "tags": []})
    assert second.rows() == [{"id": 1, "tags": ["spoiled"]}]


def test_nan_is_no_change() -> None:
    items: Collection[Row] = Collection("items", key="id")
    with strict(), live(query(items).map(lambda row: row["v"])) as values:
        told: list[Any] = []
        values.subscribe(told.append)
        write(items, {"id": 1, "v": nan})
        write(items, {"id": 1, "v": 2.0})
    assert [len(changes) for changes in told] == [1, 1]


@strict()
def test_it_is_a_decorator_too() -> None:
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1})
    assert live(query(items)).rows() == [{"id": 1}]
