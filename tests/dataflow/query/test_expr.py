import copy
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from dataflow.errors import QueryError
from dataflow.query.aggregates import count
from dataflow.query.expr import Expr, node_of, ordering_of, origins_of
from dataflow.query.functions import concat, length, lit
from dataflow.query.scalar import (
    Call,
    Column,
    Const,
    Item,
    Ordering,
    Scalar,
)
from tests.dataflow.query.refused.parts import Sale
from tests.dataflow.query.sources import ACTORS, MESSAGES, Table

message = MESSAGES.alias("message")
actor = ACTORS.alias("actor")
seq: Scalar = Column("message", "seq")
role: Scalar = Column("message", "role")
x: Any = message.seq  # for calls that a type checker refuses, too


def operation(name: str, *args: Scalar) -> Call:
    return Call(name, args)


@pytest.mark.parametrize(
    ("expr", "node"),
    [
        (message.seq == 1, operation("eq", seq, Const(1))),
        (message.seq != 1, operation("ne", seq, Const(1))),
        (message.seq < 1, operation("lt", seq, Const(1))),
        (message.seq <= 1, operation("le", seq, Const(1))),
        (message.seq > 1, operation("gt", seq, Const(1))),
        (message.seq >= 1, operation("ge", seq, Const(1))),
        (message.seq == message.role, operation("eq", seq, role)),
        (message.seq + 1, operation("add", seq, Const(1))),
        (1 + message.seq, operation("add", Const(1), seq)),
        (message.seq - 1, operation("sub", seq, Const(1))),
        (1 - message.seq, operation("sub", Const(1), seq)),
        (message.seq * 2, operation("mul", seq, Const(2))),
        (2 * message.seq, operation("mul", Const(2), seq)),
        (message.seq / 2, operation("div", seq, Const(2))),
        (2 / message.seq, operation("div", Const(2), seq)),
        (message.seq // 2, operation("floordiv", seq, Const(2))),
        (2 // message.seq, operation("floordiv", Const(2), seq)),
        (message.seq % 2, operation("mod", seq, Const(2))),
        (2 % message.seq, operation("mod", Const(2), seq)),
        (-message.seq, operation("neg", seq)),
        (~message.pending, operation("not", Column("message", "pending"))),
        (
            (message.seq > 1) & (message.role == "user"),
            operation("and", operation("gt", seq, Const(1)), operation("eq", role, Const("user"))),
        ),
        (
            (message.seq > 1) | message.role,
            operation("or", operation("gt", seq, Const(1)), role),
        ),
        (message.role.like("a%"), operation("like", role, Const("a%"))),
        (message.role.ilike("a%"), operation("ilike", role, Const("a%"))),
        (message.role.contains("a"), operation("contains", role, Const("a"))),
        (message.role.starts_with("a"), operation("starts_with", role, Const("a"))),
        (message.role.ends_with(message.role), operation("ends_with", role, role)),
        (message.role.is_null(), operation("is_null", role)),
        (message.role.is_not_null(), operation("is_not_null", role)),
        (message.seq.in_([1, 2]), operation("in", seq, Const((1, 2)))),
        (message.seq.in_(n for n in (1, 2)), operation("in", seq, Const((1, 2)))),
        (message.seq.in_([]), operation("in", seq, Const(()))),
        (message.seq.in_([1, message.role]), operation("in_any", seq, Const(1), role)),
        (message.seq.not_in([1]), operation("not", operation("in", seq, Const((1,))))),
        (
            message.seq.between(1, message.role),
            operation("and", operation("ge", seq, Const(1)), operation("le", seq, role)),
        ),
        (
            message.meta["author"][0],
            Item(Item(Column("message", "meta"), "author"), 0),
        ),
    ],
)
def test_operators_and_methods_build_nodes(expr: Expr[Any], node: Scalar) -> None:
    assert node_of(expr) == node


def test_constants_of_different_types_are_different_queries() -> None:
    nodes = [node_of(message.seq == value) for value in (1, 1.0, True)]
    assert [[a == b for b in nodes] for a in nodes] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


@pytest.mark.parametrize("number", [np.int64(3), np.float64(3.0)])
def test_a_numpy_scalar_on_the_left_is_a_constant(number: Any) -> None:
    assert node_of(number + message.seq) == operation("add", Const(number), seq)
    assert node_of(number > message.seq) == operation("lt", seq, Const(number))


def test_an_order_names_direction_and_place_of_nulls() -> None:
    assert [
        ordering_of(order)
        for order in (
            message.seq.asc(),
            message.seq.desc(),
            message.seq.asc(nulls="last"),
            message.seq.desc(nulls="last"),
        )
    ] == [
        Ordering(seq),
        Ordering(seq, descending=True),
        Ordering(seq, nulls_last=True),
        Ordering(seq, descending=True, nulls_last=True),
    ]


def test_an_expression_remembers_what_its_aliases_stand_for() -> None:
    expr = (message.seq > 1) & (actor.id == message.role)
    assert set(origins_of(expr)) == {"message", "actor"}
    assert origins_of(expr)["actor"] == origins_of(ACTORS.alias("actor").name)["actor"]


def test_an_expression_survives_copy_and_pickle() -> None:
    expr = lit(1) + 2
    for twin in (copy.copy(expr), copy.deepcopy(expr), pickle.loads(pickle.dumps(expr))):
        assert node_of(twin) == node_of(expr)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (message.role == "user", "<Expr message.role == 'user'>"),
        (~((message.seq > 1) & message.pending), "<Expr ~((message.seq > 1) & message.pending)>"),
        (1 - (message.seq + 2) * 3, "<Expr 1 - ((message.seq + 2) * 3)>"),
        (message.meta["author"][0], "<Expr message.meta['author'][0]>"),
        (
            concat(length(message.role), "x" * 99),
            f"<Expr concat(length(message.role), '{'x' * 58}…)>",
        ),
        (message.role.like("a%"), "<Expr message.role.like('a%')>"),
        (count().where(message.seq > 1) - 1, "<Expr count().where(message.seq > 1) - 1>"),
        (message.seq.in_([1, message.role]), "<Expr message.seq.in_(1, message.role)>"),
        (message.seq.desc(nulls="last"), '<Order message.seq.desc(nulls="last")>'),
    ],
)
def test_expressions_read_like_what_was_written(expr: object, text: str) -> None:
    assert repr(expr) == text


def test_a_coroutine_is_refused_and_closed() -> None:
    async def later() -> int:
        return 1

    coroutine: Any = later()
    with pytest.raises(QueryError, match="a coroutine stands where == expects a value"):
        assert message.seq == coroutine
    assert coroutine.cr_frame is None


def test_expressions_are_unhashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(message.seq)


def test_tools_that_look_for_attributes_find_none() -> None:
    assert not hasattr(message.role, "_repr_html_")


def test_decimals_and_floats_compare_where_their_values_can_be_equal() -> None:
    sale = Table("sales", Sale).alias("sale")
    assert node_of(sale.price > 0.5) == operation("gt", Column("sale", "price"), Const(0.5))
    assert node_of(sale.price == 10.0) == operation("eq", Column("sale", "price"), Const(10.0))
    half = Decimal("0.5")
    assert node_of(sale.weight == half) == operation("eq", Column("sale", "weight"), Const(half))
    assert node_of(sale.price == 3) == operation("eq", Column("sale", "price"), Const(3))
    undeclared = Table[dict[str, Any]]("sales").alias("sale")
    assert node_of(undeclared.price == 9.99) == operation(
        "eq", Column("sale", "price"), Const(9.99)
    )


def test_the_bounds_of_between_are_part_of_it() -> None:
    assert node_of(message.seq.between(1, message.seq)) == operation(
        "and", operation("ge", seq, Const(1)), operation("le", seq, seq)
    )
