"""The reference evaluator on queries small enough to be checked by eye, SQLite beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dataflow.query import ir
from dataflow.query.scalar import (
    Aggregate,
    Call,
    Cell,
    Column,
    Const,
    Item,
    Ordering,
    Record,
    RowOf,
    Scalar,
)
from dataflow.values.null import ABSENT
from tests.oracle import sqlite
from tests.oracle.reference import TwoOwnersError, evaluate, is_ordered
from tests.oracle.semantics import by_total_order, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.reference import Tables


@dataclass(frozen=True)
class Table:
    name: str
    row_type: Any = None
    key_field: str | None = "id"


@dataclass(frozen=True)
class Person:
    id: str
    age: int | None


USERS, POSTS = Table("users"), Table("posts")
TABLES: Tables = {
    ir.SourceRef(USERS): [
        ("u1", {"id": "u1", "team": "a", "age": 30}),
        ("u2", {"id": "u2", "team": "b", "age": None}),
        ("u3", {"id": "u3", "age": 20}),
        ("u4", {"id": "u4", "team": None, "age": 7.5}),
    ],
    ir.SourceRef(POSTS): [
        (1, {"id": 1, "user": "u1", "likes": 2}),
        (2, {"id": 2, "user": "u1", "likes": 0.5}),
        (3, {"id": 3, "user": None, "likes": 9}),
        (4, {"id": 4, "user": "u9", "likes": None}),
    ],
}
USER, POST = ir.Scan(ir.SourceRef(USERS), "u"), ir.Scan(ir.SourceRef(POSTS), "p")
WROTE = ((Column("u", "id"), Column("p", "user")),)


def call(name: str, *args: Any) -> Call:
    return Call(name, tuple(arg if hasattr(arg, "__slots__") else Const(arg) for arg in args))


def record(**columns: Scalar) -> Record:
    return Record(tuple(columns.items()))


def both(node: ir.Node) -> list[tuple[Any, Any]]:
    """Evaluate with both oracles, which must agree."""
    ours, theirs = evaluate(node, TABLES), sqlite.evaluate(node, TABLES)
    if not is_ordered(node):
        ours, theirs = by_key(ours), by_key(theirs)
    assert same(ours, theirs), f"reference {ours} but SQLite {theirs}"
    return ours


def by_key(entries: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return sorted(entries, key=lambda entry: by_total_order(entry[0]))


def test_scan_yields_the_rows_of_the_source() -> None:
    assert evaluate(USER, TABLES) == TABLES[ir.SourceRef(USERS)]
    assert same(by_key(sqlite.evaluate(USER, TABLES)), TABLES[ir.SourceRef(USERS)])


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        (call("eq", Column("u", "team"), "a"), ["u1"]),
        (call("ne", Column("u", "team"), "a"), ["u2"]),
        (call("not", call("eq", Column("u", "team"), "a")), ["u2"]),
        (call("is_null", Column("u", "team")), ["u3", "u4"]),
        (call("gt", Column("u", "age"), 7), ["u1", "u3", "u4"]),
        (call("gt", Column("u", "age"), "7"), []),
        (call("not", call("gt", Column("u", "age"), "7")), []),
        (call("or", call("eq", Column("u", "age"), 20), call("lt", Column("u", "team"), "b")), ["u1", "u3"]),
        (call("and", True, call("is_not_null", Column("u", "age"))), ["u1", "u3", "u4"]),
        (call("in", Column("u", "age"), (30, None)), ["u1"]),
        (call("not", call("in", Column("u", "age"), (30, None))), []),
        (call("in_any", Column("u", "age"), 20, call("sub", 10, 2.5)), ["u3", "u4"]),
    ],
)  # fmt: skip
def test_filter_keeps_rows_whose_condition_is_true(condition: Scalar, keys: list[str]) -> None:
    assert [key for key, _ in both(ir.Filter(USER, condition))] == keys


def test_projection_computes_with_nulls_and_spreads_rows() -> None:
    row = Record(
        (
            (None, RowOf("u")),
            ("next", call("add", Column("u", "age"), 1)),
            ("ratio", call("div", Column("u", "age"), 0)),
            ("adult", call("ge", Column("u", "age"), 18)),
            ("label", call("case", call("is_null", Column("u", "team")), "none", Column("u", "team"))),
        )
    )  # fmt: skip
    assert both(ir.Project(USER, row))[1:3] == [
        (
            "u2",
            {"id": "u2", "team": "b", "age": None, "next": None, "ratio": None, "adult": None, "label": "b"},
        ),
        ("u3", {"id": "u3", "age": 20, "next": 21, "ratio": None, "adult": True, "label": "none"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "keys"),
    [
        ("inner", [("u1", 1), ("u1", 2)]),
        ("left", [("u1", 1), ("u1", 2), ("u2", ABSENT), ("u3", ABSENT), ("u4", ABSENT)]),
        ("right", [(ABSENT, 3), (ABSENT, 4), ("u1", 1), ("u1", 2)]),
        (
            "full",
            [(ABSENT, 3), (ABSENT, 4), ("u1", 1), ("u1", 2), ("u2", ABSENT), ("u3", ABSENT), ("u4", ABSENT)],
        ),
        ("semi", ["u1"]),
        ("anti", ["u2", "u3", "u4"]),
    ],
)  # fmt: skip
def test_join_matches_equal_keys_and_never_nulls(how: str, keys: list[Any]) -> None:
    assert [key for key, _ in both(ir.Join(USER, POST, how, WROTE))] == keys


def test_join_row_has_one_entry_per_alias_and_none_for_an_absent_side() -> None:
    result = both(ir.Join(USER, POST, "left", WROTE, call("gt", Column("p", "likes"), 1)))
    assert result[0] == (
        ("u1", 1),
        {
            "u": {"id": "u1", "team": "a", "age": 30},
            "p": {"id": 1, "user": "u1", "likes": 2},
        },
    )
    assert result[1] == (
        ("u2", ABSENT),
        {"u": {"id": "u2", "team": "b", "age": None}, "p": None},
    )


def test_cross_join_pairs_everything_and_composed_keys_stay_flat() -> None:
    pair = ir.Join(USER, POST, "cross")
    other = ir.Scan(ir.SourceRef(POSTS), "q")
    triple = ir.Join(pair, other, "inner", ((Column("p", "id"), Column("q", "id")),))
    keys = [key for key, _ in both(triple)]
    assert keys == [(f"u{u}", p, p) for u in (1, 2, 3, 4) for p in (1, 2, 3, 4)]


def test_a_subquery_is_one_part_of_a_key_however_composed() -> None:
    pair = ir.Project(ir.Join(USER, POST, "left", WROTE), record(id=Column("p", "id")))
    outer = ir.Join(POST, ir.Named(pair, "s"), "right", ((Column("p", "id"), Column("s", "id")),))
    assert [key for key, _ in both(outer)] == [
        (ABSENT, ("u2", ABSENT)),
        (ABSENT, ("u3", ABSENT)),
        (ABSENT, ("u4", ABSENT)),
        (1, ("u1", 1)),
        (2, ("u1", 2)),
    ]


def test_grouping_puts_nulls_together_and_aggregates_skip_them() -> None:
    age = Column("u", "age")
    kinds = ("count", "sum", "avg", "min", "max")
    node = ir.Group(
        USER,
        (Column("u", "team"),),
        (Aggregate("count"), *[Aggregate(kind, (age,)) for kind in kinds]),
    )
    row = record(**{f"c{n}": Cell(n) for n in range(7)})
    assert [list(r.values()) for _, r in both(ir.Project(node, row))] == [
        [None, 2, 2, 27.5, 13.75, 7.5, 20],
        ["a", 1, 1, 30, 30.0, 30, 30],
        ["b", 1, 0, None, None, None, None],
    ]


def test_group_key_is_bare_for_one_expression_a_tuple_for_several_and_empty_for_none() -> None:
    total = (Aggregate("count"),)
    one = ir.Group(USER, (Column("u", "team"),), total)
    two = ir.Group(USER, (Column("u", "team"), Column("u", "id")), total)
    none = ir.Group(ir.Filter(USER, call("eq", Column("u", "id"), "nobody")), (), total)
    assert [key for key, _ in both(ir.Project(one, record(n=Cell(1))))] == [None, "a", "b"]
    assert [key for key, _ in both(ir.Project(two, record(n=Cell(2))))] == [
        (None, "u3"),
        (None, "u4"),
        ("a", "u1"),
        ("b", "u2"),
    ]
    assert both(ir.Project(none, record(n=Cell(0)))) == [((), {"n": 0})]


def test_group_keys_are_in_normal_form_and_bools_are_no_numbers() -> None:
    rows = [
        (n, {"v": value}) for n, value in enumerate((1.0, 1, True, math.nan, math.nan, [1.0], [1]))
    ]
    source = ir.SourceRef(Table("mixed"))
    node = ir.Group(ir.Scan(source, "m"), (Column("m", "v"),), (Aggregate("count"),))
    found = evaluate(node, {source: rows})
    assert [(repr(key), row[1]) for key, row in found] == [
        ("1", 2),
        ("True", 1),
        ("nan", 2),
        ("[1]", 2),
    ]


def test_sums_are_exact_whatever_the_order() -> None:
    source = ir.SourceRef(Table("floats"))
    values = (1e16, 0.1, -1e16, 0.2)
    rows = [(n, {"v": value}) for n, value in enumerate(values)]
    node = ir.Group(
        ir.Scan(source, "f"),
        (),
        (Aggregate("sum", (Column("f", "v"),)), Aggregate("avg", (Column("f", "v"),))),
    )
    assert evaluate(node, {source: rows}) == [((), (0.30000000000000004, 0.07500000000000001))]
    specials = [(0, {"v": math.inf}), (1, {"v": 1}), (2, {"v": "x"}), (3, {"v": True})]
    assert evaluate(node, {source: specials}) == [((), (math.inf, math.inf))]
    specials.append((4, {"v": -math.inf}))
    assert [math.isnan(cell) for cell in evaluate(node, {source: specials})[0][1]] == [True, True]


def test_ordered_aggregates_follow_their_order_then_the_row_key() -> None:
    likes = Ordering(Column("p", "likes"), descending=True, nulls_last=True)
    ident = (Column("p", "id"),)
    node = ir.Group(
        POST,
        (),
        (
            Aggregate("collect", ident, order_by=(likes,)),
            Aggregate("first", ident),
            Aggregate("last", ident, where=call("lt", Column("p", "id"), 4)),
            Aggregate("fold", ident, options=("", lambda text, n: f"{text}{n}", str.strip)),
        ),
    )
    assert evaluate(node, TABLES) == [((), ([3, 1, 2, 4], 1, 3, "1234"))]


@pytest.mark.parametrize(
    ("ordering", "keys"),
    [
        (Ordering(Column("u", "age")), ["u2", "u4", "u3", "u1"]),
        (Ordering(Column("u", "age"), descending=True), ["u2", "u1", "u3", "u4"]),
        (Ordering(Column("u", "age"), descending=True, nulls_last=True), ["u1", "u3", "u4", "u2"]),
        (Ordering(Column("u", "team"), descending=True), ["u3", "u4", "u2", "u1"]),
    ],
)
def test_order_places_nulls_first_unless_told_and_breaks_ties_by_ascending_key(
    ordering: Ordering, keys: list[str]
) -> None:
    assert [key for key, _ in both(ir.Order(USER, (ordering,)))] == keys


def test_limit_and_offset_cut_a_window_out_of_the_order() -> None:
    node = ir.Order(USER, (Ordering(Column("u", "age")),), limit=2, offset=1)
    assert [key for key, _ in both(node)] == ["u4", "u3"]
    beyond = ir.Order(USER, (Ordering(Column("u", "age")),), limit=2, offset=9)
    assert both(beyond) == []


def test_order_survives_projection_and_user_functions_see_visible_rows() -> None:
    node = ir.MapRows(
        ir.FilterRows(
            ir.Order(ir.Join(USER, POST, "left", WROTE), (Ordering(Column("u", "age")),)),
            lambda row: row["p"] is None or row["p"]["id"] == 1,
        ),
        lambda row: row["u"]["id"],
    )
    assert is_ordered(node)
    assert [row for _, row in evaluate(node, TABLES)] == ["u2", "u4", "u3", "u1"]


def test_rows_may_be_objects_and_values_nested() -> None:
    source = ir.SourceRef(Table("people", Person))
    rows = [("a", Person("a", 3)), ("b", Person("b", None))]
    scan = ir.Scan(source, "p")
    spread = ir.Project(scan, Record(((None, RowOf("p")),)), Person)
    assert evaluate(spread, {source: rows}) == rows
    nested = record(tags=Const(({"t": [1, 2]},)), none=Item(Column("p", "age"), "x"))
    deep = Item(Item(Item(nested, "tags"), 0), "t")
    (found, _) = evaluate(
        ir.Project(scan, record(x=Item(deep, -1), y=Item(deep, 2))), {source: rows}
    )
    assert found == ("a", {"x": 2, "y": None})


def test_rekey_knows_rows_by_fields_and_refuses_two_owners() -> None:
    renamed = ir.Rekey(USER, ("team", "id"), single=False)
    assert [key for key, _ in evaluate(renamed, TABLES)] == [
        ("a", "u1"),
        ("b", "u2"),
        (None, "u3"),
        (None, "u4"),
    ]
    with pytest.raises(TwoOwnersError, match="None"):
        evaluate(ir.Rekey(USER, ("team",)), TABLES)


@pytest.mark.parametrize(
    "node",
    [
        ir.MapRows(USER, str),
        ir.Filter(USER, Column("u", "team")),
        ir.Filter(USER, call("eq", Column("u", "age"), True)),
        ir.Project(USER, record(x=Item(Column("u", "age"), "x"))),
        ir.Group(USER, (), (Aggregate("collect", (Column("u", "age"),)),)),
    ],
)
def test_sqlite_refuses_what_it_would_answer_differently(node: ir.Node) -> None:
    with pytest.raises(sqlite.NotExpressibleError):
        sqlite.evaluate(node, TABLES)


@pytest.mark.parametrize("value", [True, math.nan, 0.1, 2**70, [1]])
def test_sqlite_refuses_values_it_holds_differently(value: Any) -> None:
    with pytest.raises(sqlite.NotExpressibleError):
        sqlite.evaluate(USER, {ir.SourceRef(USERS): [(1, {"v": value})]})
