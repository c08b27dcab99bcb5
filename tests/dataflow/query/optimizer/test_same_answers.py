"""Each rule changes what a query costs, never what it answers: choices over joins, and conditions over every kind of subquery.

Beside the plan with all rules run the plan without any and those with each rule alone or left out, drawn at random. Rows, keys and
status are the same after every epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, tree_of
from dataflow.query.aggregates import count, max_, min_
from dataflow.query.builder import Query, query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.functions import and_, case, coalesce, lit, not_, or_
from dataflow.query.nesting import nested
from dataflow.query.optimizer.optimize import RULES, Rule, optimize
from dataflow.query.windows import row_number

if TYPE_CHECKING:
    from dataflow.query.expr import Expr

Make = Callable[[Any, Any], Query[Any]]
SOME = settings(max_examples=settings().max_examples // 5)
NUMBERS = st.sampled_from((None, 0, 1, 1.0, 2, -0.0, True, "1"))
ROWS = st.fixed_dictionaries({"id": st.integers(0, 3)}, optional=dict.fromkeys("xyz", NUMBERS))
COMMITS = st.lists(st.tuples(st.booleans(), st.booleans(), ROWS), max_size=6)


@st.composite
def atoms(draw: st.DrawFn, columns: list[Any]) -> Expr[Any]:
    """A comparison of a column with a constant, another column, or what can be computed before."""
    column = draw(st.sampled_from(columns))
    other = draw(st.sampled_from([*columns, lit(1), lit(0) + 1, lit(2) / 2, lit(1) / 0]))
    kinds = (
        column == other,
        column != other,
        column <= other,
        column.is_null(),
        column.in_([0, 1]),
    )
    return draw(st.sampled_from(kinds))


@st.composite
def conditions(draw: st.DrawFn, columns: list[Any]) -> Expr[Any]:
    """A choice between combinations, often; with constants among the parts, sometimes."""
    some = st.lists(atoms(columns), min_size=1, max_size=3)
    branches = [and_(*parts) if len(parts) > 1 else parts[0] for parts in draw(st.lists(some, min_size=1, max_size=3))]  # fmt: skip
    choice = or_(*branches) if len(branches) > 1 else branches[0]
    how = draw(st.integers(0, 7))
    if how == 0:
        return not_(choice)
    if how == 1:
        return and_(choice, lit(1) == 1)
    if how == 2:
        return or_(lit(1) == 2, choice)
    if how == 3:
        return case((lit(1) == 1, choice), else_=columns[0] == 1)
    return coalesce(lit(None), choice) if how == 4 else choice


def subqueries(a: Any, b: Any) -> list[Query[Any]]:
    """Queries with columns k and v, over which a condition can be asked."""
    plain = query(a).select(k=a.x, v=a.y)
    other = query(b).select(k=b.y, v=b.z)
    place = row_number().over(partition_by=a.x, order_by=a.y)
    joined = query(a).join(b, on=a.x == b.x)
    return [
        plain,
        query(a).select(k=a.x + 1, v=case((a.y == 1, a.z), else_=a.x)),
        query(a).group_by(a.x).select(k=a.x, v=count(a.y)),
        query(a).group_by(a.x, a.y).having(max_(a.z) >= 0).select(k=a.y, v=min_(a.z)),
        query(a).select(k=a.x, v=place),
        plain.distinct(),
        plain.order_by(a.y),
        plain.order_by(a.y).limit(2),
        union_all(plain, other),
        union(plain, other),
        intersect(plain, other),
        except_(plain, other),
        joined.select(k=a.y, v=b.z),
        query(a).join(b, on=a.x == b.x, how="left").select(k=b.y, v=a.z),
        query(a).join(b, on=(a.x == b.x) & (a.y != b.z), how="full").select(k=b.y, v=a.z),
        query(a).select(k=a.x, v=a.y, all=nested(query(b).where(b.x == a.x))),
    ]  # fmt: skip


class Beside:
    """One question, answered with and without rules."""

    def __init__(self, asked: Query[Any], rules: dict[str, list[Rule]]) -> None:
        tree, _ = tree_of(asked)
        self.answers: dict[str, LiveQuery[Any]] = {
            how: LiveQuery(optimize(tree, some), name=how, key=None, row_type=None)
            for how, some in rules.items()
        }

    def check(self) -> None:
        shown = {
            how: (answer.status, {key: repr(row) for key, row in answer.items()})
            for how, answer in self.answers.items()
        }
        expected = shown.pop("none")
        assert {how: one for how, one in shown.items() if one != expected} == {}, expected


def agree(make: Make, history: list[tuple[bool, bool, dict[str, Any]]], rule: Rule) -> None:
    """Follow a history with one question under several sets of rules."""
    tables = [Collection[Any](name, key="id") for name in ("one", "two")]
    asked = make(tables[0].alias("a"), tables[1].alias("b"))
    rules = {
        "none": [],
        "all": list(RULES),
        f"{rule.__name__} alone": [rule],
        f"without {rule.__name__}": [each for each in RULES if each is not rule],
    }
    beside = Beside(asked, rules)
    for first, present, row in history:
        with tables[first].sync() as write:
            if present:
                write.upsert(row)
            else:
                write.delete(row["id"])
        beside.check()
    for answer in beside.answers.values():
        answer.close()


@pytest.mark.parametrize("how", ["inner", "left", "right", "full", "semi", "anti"])
@SOME
@given(st.data())
def test_choices_over_joins(how: Any, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(RULES))

    def make(a: Any, b: Any) -> Query[Any]:
        columns = [a.x, a.y] if how in ("semi", "anti") else [a.x, a.y, b.x, b.y]
        further = data.draw(st.sampled_from([None, a.y != b.z, a.y <= b.y]))
        on = a.x == b.x if further is None else (a.x == b.x) & further
        joined = query(a).join(b, on=on, how=how).where(data.draw(conditions(columns)))
        row = {"x": a.x} if how in ("semi", "anti") else {"x": a.x, "z": b.z}
        return joined.select(**row) if data.draw(st.booleans()) else joined

    agree(make, data.draw(COMMITS), rule)


@pytest.mark.parametrize("number", range(16))
@SOME
@given(st.data())
def test_conditions_over_subqueries(number: int, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(RULES))

    def make(a: Any, b: Any) -> Query[Any]:
        sub = subqueries(a, b)[number].alias("sub")
        condition = data.draw(conditions([sub.k, sub.v]))
        if data.draw(st.booleans()):
            return query(sub).where(condition)
        other = query(b).select(k=b.x, w=b.y).alias("other")
        joined = query(sub).join(other, on=sub.k == other.k, how="left").where(condition)
        return joined.select(v=sub.v, w=other.w)

    agree(make, data.draw(COMMITS), rule)
