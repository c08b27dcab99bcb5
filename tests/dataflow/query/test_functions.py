import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dataflow.query import aggregates as agg
from dataflow.query import functions as f
from dataflow.query.expr import Expr, node_of, origins_of
from dataflow.query.operations.registry import OPERATIONS
from dataflow.query.scalar import (
    Aggregate,
    Apply,
    Call,
    Column,
    Const,
    Fact,
    Ordering,
    RowOf,
    Scalar,
    Selected,
    walk,
)
from tests.dataflow.query.sources import MESSAGES, Message

message = MESSAGES.alias("message")
seq: Scalar = Column("message", "seq")
role: Scalar = Column("message", "role")
row: Scalar = RowOf("message")
PATTERN = Const(re.compile("a+"))


def scaled(number: float, by: float) -> float:
    return number * by


def joined(total: int, row: Message) -> int:
    return total + row.seq


def operation(name: str, *args: Scalar) -> Call:
    return Call(name, args)


FUNCTIONS: list[tuple[Expr[Any], Scalar]] = [
    (f.lit(None), Const(None)),
    (f.lit(True), Const(True)),
    (f.and_(message.seq), seq),
    (f.and_(message.seq, message.role, message.seq), operation("and", seq, role, seq)),
    (f.or_(message.seq, message.role), operation("or", seq, role)),
    (f.not_(message.seq), operation("not", seq)),
    (f.is_null(message.seq), operation("is_null", seq)),
    (f.is_null(message), operation("is_null", row)),
    (f.coalesce(message.role, None, "x"), operation("coalesce", role, Const(None), Const("x"))),
    (
        f.case((message.role == "a", 1), (message.role == "b", message.seq), else_=False),
        operation(
            "case",
            operation("eq", role, Const("a")),
            Const(1),
            operation("eq", role, Const("b")),
            seq,
            Const(False),
        ),
    ),
    (f.case((message.role, "x")), operation("case", role, Const("x"), Const(None))),
    (f.upper(message.role), operation("upper", role)),
    (f.lower("A"), operation("lower", Const("A"))),
    (f.trim(message.role), operation("trim", role)),
    (f.length(message.role), operation("length", role)),
    (f.concat(message.role, ":", 1), operation("concat", role, Const(":"), Const(1))),
    (f.substring(message.role, 1), operation("substring", role, Const(1))),
    (f.substring(message.role, 0, message.seq), operation("substring", role, Const(0), seq)),
    (f.round_(message.seq), operation("round", seq, Const(0))),
    (f.round_(message.seq, 2), operation("round", seq, Const(2))),
    (f.abs_(message.seq), operation("abs", seq)),
    (f.nullif(message.role, ""), operation("nullif", role, Const(""))),
    (f.least(message.seq, 1), operation("least", seq, Const(1))),
    (f.greatest(message.seq), operation("greatest", seq)),
    (f.floor(message.seq), operation("floor", seq)),
    (f.ceil(message.seq), operation("ceil", seq)),
    (f.sign(message.seq), operation("sign", seq)),
    (f.power(message.seq, 2), operation("power", seq, Const(2))),
    (f.sqrt(message.seq), operation("sqrt", seq)),
    (f.exp(message.seq), operation("exp", seq)),
    (f.ln(message.seq), operation("ln", seq)),
    (f.ltrim(message.role), operation("ltrim", role)),
    (f.rtrim(message.role), operation("rtrim", role)),
    (f.pad_start(message.role, 3), operation("pad_start", role, Const(3), Const(" "))),
    (f.pad_end(message.role, 3, "."), operation("pad_end", role, Const(3), Const("."))),
    (f.replace(message.role, "a", "b"), operation("replace", role, Const("a"), Const("b"))),
    (f.position(message.role, "a"), operation("position", role, Const("a"))),
    (f.split(message.role, ","), operation("split", role, Const(","))),
    (f.regexp_matches(message.role, "a+"), operation("regexp_matches", role, PATTERN)),
    (
        f.regexp_extract(message.role, re.compile("a+")),
        operation("regexp_extract", role, PATTERN, Const(0)),
    ),
    (
        f.regexp_replace(message.role, "a+", "b"),
        operation("regexp_replace", role, PATTERN, Const("b")),
    ),
    (f.parse_datetime(message.role), operation("parse_datetime", role)),
    (f.date_part(message.seq, "week"), operation("date_part", seq, Const("week"))),
    (f.date_trunc(message.seq, "week"), operation("date_trunc", seq, Const("week"))),
    (
        f.date_diff(message.seq, message.role, "day"),
        operation("date_diff", seq, role, Const("day")),
    ),
    (f.date_add(message.seq, 1, "day"), operation("date_add", seq, Const(1), Const("day"))),
    (f.to_local(message.seq, message.role), operation("to_local", seq, role)),
    (f.from_local(message.seq, "UTC"), operation("from_local", seq, Const("UTC"))),
    (f.timestamp(message.seq), operation("timestamp", seq)),
    (f.from_timestamp(message.seq), operation("from_timestamp", seq)),
    *[
        (f.cast(message.seq, kind), operation(name, seq))
        for kind, name in (
            (int, "cast_int"),
            (float, "cast_float"),
            (str, "cast_str"),
            (bool, "cast_bool"),
            (Decimal, "cast_decimal"),
            (date, "cast_date"),
            (datetime, "parse_datetime"),
        )
    ],
    (f.is_number(message.seq), operation("is_number", seq)),
    (f.is_text(message.seq), operation("is_text", seq)),
    (f.is_bool(message.seq), operation("is_bool", seq)),
    (f.is_datetime(message.seq), operation("is_datetime", seq)),
    (f.is_list(message.seq), operation("is_list", seq)),
    (f.is_dict(message.seq), operation("is_dict", seq)),
    (f.keys(message.seq), operation("keys", seq)),
    (f.path(message.seq, "$.a[0]['b c'].d[-1]"), node_of(message.seq["a"][0]["b c"]["d"][-1])),
    (f.path(message.seq, "a.b"), node_of(message.seq["a"]["b"])),
    (f.path(message.seq, '["a"][1]'), node_of(message.seq["a"][1])),
    (f.path(message.seq, "$"), seq),
    (f.fn(scaled, message.seq, f.lit(2.0)), Apply(scaled, (seq, Const(2.0)))),
    (f.fn(str, message), Apply(str, (row,))),
    (f.selected.total, Selected("total")),
    (f.selected["any name"], Selected("any name")),
    (f.facts(message).pending, Fact("message", "pending")),
    (f.facts(message).origin, Fact("message", "origin")),
    (f.facts(message).key, Fact("message", "key")),
]

BY_SEQ = (Ordering(seq),)

AGGREGATES: list[tuple[Expr[Any], Scalar]] = [
    (agg.count(), Aggregate("count")),
    (agg.count(message.seq), Aggregate("count", (seq,))),
    (agg.count(message), Aggregate("count", (row,))),
    (agg.count_distinct(message.seq), Aggregate("count_distinct", (seq,))),
    (agg.sum_(message.seq), Aggregate("sum", (seq,))),
    (agg.avg(message.seq), Aggregate("avg", (seq,))),
    (agg.min_(message.seq), Aggregate("min", (seq,))),
    (agg.max_(message.seq), Aggregate("max", (seq,))),
    (agg.median(message.seq), Aggregate("median", (seq,))),
    (agg.any_(message.pending), Aggregate("any", (Column("message", "pending"),))),
    (agg.all_(message.pending), Aggregate("all", (Column("message", "pending"),))),
    (
        agg.string_agg(message.role, ", ", order_by=message.seq),
        Aggregate("string_agg", (role,), order_by=BY_SEQ, options=(", ",)),
    ),
    (agg.collect(message.role), Aggregate("collect", (role,))),
    (
        agg.collect(message, order_by=[message.seq, message.role.desc()]),
        Aggregate("collect", (row,), order_by=(*BY_SEQ, Ordering(role, descending=True))),
    ),
    (
        agg.first(message.role, order_by=message.seq),
        Aggregate("first", (role,), order_by=BY_SEQ),
    ),
    (agg.last(message), Aggregate("last", (row,))),
    (
        agg.fold(message, 0, joined, finish=str, order_by=message.seq),
        Aggregate("fold", (row,), order_by=BY_SEQ, options=(0, joined, str)),
    ),
    (
        agg.fold(message.seq, float, scaled),
        Aggregate("fold", (seq,), options=(float, scaled, None)),
    ),
    (agg.variance(message.seq), Aggregate("variance", (seq,))),
    (agg.stddev(message.seq), Aggregate("stddev", (seq,))),
    (
        agg.aggregate(message, 0, joined, joined, finish=str),
        Aggregate("aggregate", (row,), options=(0, joined, joined, str)),
    ),
    (
        agg.sum_(message.seq).where(message.role),
        Aggregate("sum", (seq,), where=role),
    ),
    (
        agg.count().where(message.role).where(message.seq, message.role),
        Aggregate("count", where=operation("and", role, seq, role)),
    ),
    (agg.count().where(), Aggregate("count")),
    (agg.count() - 1, operation("sub", Aggregate("count"), Const(1))),
]


@pytest.mark.parametrize(("expr", "node"), [*FUNCTIONS, *AGGREGATES])
def test_functions_build_nodes(expr: Expr[Any], node: Scalar) -> None:
    assert node_of(expr) == node


@pytest.mark.parametrize(("expr", "node"), FUNCTIONS)
def test_functions_call_known_operations_with_as_many_arguments_as_they_take(
    expr: Expr[Any], node: Scalar
) -> None:
    for part in walk(node_of(expr)):
        if isinstance(part, Call):
            known = OPERATIONS[part.name]
            assert known.least <= len(part.args)
            assert known.most is None or len(part.args) <= known.most


@pytest.mark.parametrize(
    "expr",
    [
        f.is_null(message),
        f.fn(str, message),
        f.facts(message).key,
        f.coalesce(1, message.role),
        agg.count().where(message.role),
        agg.collect(f.lit(1), order_by=message.seq),
    ],
)
def test_the_origin_of_an_alias_is_kept_wherever_it_stands(expr: Expr[Any]) -> None:
    assert origins_of(expr) == origins_of(message.id)


def test_selected_has_no_private_names() -> None:
    assert not hasattr(f.selected, "_repr_html_")
    assert repr(f.selected) == "selected"
