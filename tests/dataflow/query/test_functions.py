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
