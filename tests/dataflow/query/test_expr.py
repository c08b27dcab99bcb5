import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dataflow.errors import QueryError, UnknownFieldError
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
from tests.dataflow.query.sources import ACTORS, MESSAGES, Message

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


TRAPS: list[tuple[Callable[[], object], str, str]] = [
    (
        lambda: bool(message.seq > 1),
        "expression 'message.seq > 1' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    (lambda: 1 < message.seq < 3, "expression 'message.seq > 1' has no truth", "x.between(1, 3)"),
    (lambda: x and 1, "expression 'message.seq' has no truth value", "& | ~"),
    (lambda: not message.pending, "expression 'message.pending' has no truth value", "& | ~"),
    (lambda: message.seq in (1, 2), "expression 'message.seq == 1' has no truth", "x.in_([1, 2])"),
    (
        lambda: x == 1 & x,
        "& takes a condition, not 1",
        "& binds tighter than ==; write (a == 1) & (b == 2)",
    ),
    (lambda: x | 0, "| takes a condition, not 0", "| binds tighter than =="),
    (
        lambda: list(message.meta),
        "expression 'message.meta' is computed for each row: it cannot be iterated",
        "name the columns one by one",
    ),
    (
        lambda: "a" in x,
        "expression 'message.seq' is computed for each row: 'in' cannot ask it",
        "write x.contains(part), or x.in_([1, 2]) for x in (1, 2)",
    ),
    (
        lambda: len(x),
        "expression 'message.seq' is computed for each row: it has no length yet",
        "write length(x)",
    ),
    (
        lambda: f"{message.role}: {message.content}",
        "expression 'message.role' is computed for each row: it has no text yet",
        "write concat('a', x); to show the expression itself: f'{x!r}'",
    ),
    (
        lambda: message.role == None,  # noqa: E711 - the mistake in question
        "message.role == None is never true: null equals nothing",
        "write message.role.is_null()",
    ),
    (
        lambda: message.role != None,  # noqa: E711 - the mistake in question
        "message.role != None is never true: null equals nothing",
        "write message.role.is_not_null()",
    ),
    (lambda: message.seq < None, "< with None has no answer", "x.is_null()"),
    (lambda: message.seq + None, "+ with None has no answer", "a null on purpose is lit(None)"),
    (lambda: message.seq.in_([1, None]), "in_ with None has no answer", "x.is_null()"),
    (lambda: message.seq == len, "a function stands where == expects a value", "fn(function"),
    (lambda: message.seq == Message, "a function stands where == expects a value", "fn(function"),
    (
        lambda: message.seq == message,
        "an alias stands where == expects a value",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
    (lambda: message.seq > MESSAGES, "a source stands where > expects", "source.alias('x').field"),
    (lambda: message.seq.in_("ab"), "in_ takes several values, not 'ab'", "[first, second]"),
    (lambda: x.in_(3), "in_ takes several values, not 3", "[first, second]"),
    (
        lambda: x.in_(message.meta),
        "in_ takes several values, not <Expr message.meta>",
        "for a list in a column write column.contains(x)",
    ),
    (
        lambda: x[0:2],
        "brackets of an expression take a field name or a position, not slice(0, 2, None)",
        "a part of a text is substring(x, start, size)",
    ),
    (lambda: x[True], "brackets of an expression take a field name or a position, not True", ""),
    (lambda: x.desc(nulls="top"), "nulls is 'first' or 'last', not 'top'", ""),
]


@pytest.mark.parametrize(("mistake", "text", "hint"), TRAPS)
def test_a_trap_of_python_is_refused(mistake: Callable[[], object], text: str, hint: str) -> None:
    with pytest.raises(QueryError) as caught:
        mistake()
    assert str(caught.value).startswith(text)
    assert hint in "\n".join(getattr(caught.value, "__notes__", []))


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


def test_a_field_after_the_dot_of_an_expression_is_refused_with_a_hint() -> None:
    with pytest.raises(UnknownFieldError) as caught:
        message.meta.author  # type: ignore[attr-defined]  # noqa: B018 - the mistake in question
    assert str(caught.value) == "expression 'message.meta' has no field 'author'"
    assert caught.value.__notes__ == [
        "after a dot stand methods; a field of a nested value is x['author']"
    ]
    with pytest.raises(UnknownFieldError) as caught:
        message.role.upper()  # type: ignore[attr-defined]  # a function
    assert caught.value.__notes__[0] == "upper is a function: from dataflow import upper; upper(x)"
    assert not hasattr(message.role, "_repr_html_")
