"""The comparison with the oracle rejects what is wrong, and nothing else."""

from decimal import Decimal

import pytest

from tests.tpch.tables import Row

pytest.importorskip("duckdb")
from tests.tpch.oracle import Question


def ranked() -> None:
    """
    select name, total
    from (select name, sum(amount) as total from sales order by amount) as sums
    order by total desc, name
    limit 3
    """


def summed() -> None:
    """
    select sum(amount) / 7 as total
    from sales
    """


def row(name: str, total: int) -> Row:
    return {"name": name, "total": total}


FULL = [row("a", 9), row("b", 5), row("c", 5), row("d", 5), row("e", 1)]
BY_TOTAL = Question("", order=("total",), limit=3)


def test_question_is_read_from_a_docstring() -> None:
    question = Question.of(ranked)
    assert question.sql.startswith("select name, total\n")
    assert question.sql.endswith("order by total desc, name")
    assert (question.order, question.limit) == (("total", "name"), 3)
    assert (Question.of(summed).order, Question.of(summed).limit) == ((), None)


@pytest.mark.parametrize("answer", [[FULL[0], FULL[1], FULL[2]], [FULL[0], FULL[3], FULL[1]]])
def test_ties_come_in_any_sequence_and_a_limit_cuts_them_anywhere(answer: list[Row]) -> None:
    assert BY_TOTAL.accepts(answer, FULL)


@pytest.mark.parametrize(
    "answer",
    [
        [FULL[0], FULL[1]],
        [FULL[0], FULL[1], FULL[2], FULL[3]],
        [FULL[1], FULL[0], FULL[2]],
        [FULL[0], FULL[1], FULL[1]],
        [FULL[0], FULL[1], FULL[4]],
        [FULL[0], FULL[1], row("c", 6)],
        [FULL[0], FULL[1], {"name": "c"}],
    ],
)
def test_wrong_rows_and_wrong_order_are_rejected(answer: list[Row]) -> None:
    assert not BY_TOTAL.accepts(answer, FULL)


def test_quotients_may_differ_by_rounding_and_sums_may_not() -> None:
    quotient = [{"total": Decimal(1) / 3}]
    question = Question.of(summed)
    assert question.accepts(quotient, [{"total": 1 / 3}])
    assert not question.accepts(quotient, [{"total": 0.3333}])
    assert not question.accepts(quotient, [{"total": Decimal("0.3333333333333333")}])
    assert not question.accepts([{"total": None}], [{"total": 0.5}])
