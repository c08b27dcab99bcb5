from typing import Any

import pytest

from dataflow.query.aggregates import collect, count, sum_
from dataflow.query.expr import Expr, node_of
from dataflow.query.functions import (
    case,
    coalesce,
    facts,
    fn,
    is_null,
    lit,
    round_,
    selected,
)
from dataflow.query.notation import field_access, text_of
from dataflow.query.scalar import Cell, Column, Param, Record, RowOf, Scalar
from tests.dataflow.query.sources import EVENTS

event = EVENTS.alias("event")


def shorten(text: str) -> str:
    return text[:3]


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (event.kind, "event.kind"),
        (event["two words"], "event['two words']"),
        (event["_id"], "event['_id']"),
        (-(event.a - 1), "-(event.a - 1)"),
        (~event.a | event.b, "(~event.a) | event.b"),
        ((event.a + 1)["x"], "(event.a + 1)['x']"),
        (is_null(event), "event.is_null()"),
        (coalesce(event.a, None), "coalesce(event.a, None)"),
        (round_(event.a, 2), "round_(event.a, 2)"),
        (
            case((event.a > 1, "x"), (event.b, "y")),
            "case((event.a > 1, 'x'), (event.b, 'y'), else_=None)",
        ),
        (fn(shorten, event.a, lit(1), 2, 3), "fn(shorten, event.a, 1, 2, 3)"),
        (selected.total, "selected.total"),
        (facts(event).pending, "facts(event).pending"),
        (count(), "count()"),
        (
            collect(event, order_by=[event.a, event.b.desc(), event.c.asc(nulls="last")]),
            'collect(event, order_by=[event.a, event.b.desc(), event.c.asc(nulls="last")])',
        ),
        (
            sum_(event.a).where(event.b, event.c),
            "sum_(event.a).where(event.b & event.c)",
        ),
    ],
)
def test_an_expression_reads_like_what_was_written(expr: Expr[Any], text: str) -> None:
    assert text_of(node_of(expr)) == text


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Column("", "total"), "total"),
        (RowOf(""), "row"),
        (Cell(2), "cell 2"),
        (Param(0, "int"), "$0"),
        (Record(((None, RowOf("event")), ("n", Cell(0)))), "{**event, n: cell 0}"),
    ],
)
def test_what_planning_makes_has_a_text_too(node: Scalar, text: str) -> None:
    assert text_of(node) == text


def test_a_name_that_is_no_identifier_stands_in_brackets() -> None:
    assert [field_access(name) for name in ("a", "a b", "_a")] == [".a", "['a b']", "['_a']"]
