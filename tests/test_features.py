"""The features that the generator wishes for are those that are found in the trees."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.query import ir
from tests.cases import View
from tests.features import Origin, Use, origin_of
from tests.programs import bind

BOTH = (frozenset("a"), frozenset("b"))
ROWS = (frozenset("a"),)
TEXTS: dict[str, set[Use]] = {
    "query(x).join(y, on=(x.k == y.k) & (x.s < y.s), how='anti')": {
        Use("anti join", BOTH),
        Use("further condition", BOTH),
    },
    "query(x).join(y, on=x.k < y.k)": {Use("inner join", BOTH), Use("range join", BOTH)},
    "query(x).group_by(x.k).select(n=max_(x.m)).having(count() > 1)": {
        Use("group by", ROWS),
        Use("max", ROWS),
        Use("count", ROWS),
        Use("having", ROWS),
        Use("having unselected", ROWS),
    },
    "query(x).select(total=sum_(x.m).where(x.k == 1) + 1)": {
        Use("global aggregate", ROWS),
        Use("sum", ROWS),
        Use("filtered aggregate", ROWS),
        Use("aggregate in expression", ROWS),
    },
    "query(x).select(of=nested(query(y).where(y.k == x.k).order_by(y.m).limit(2)))": {
        Use("nested list", BOTH),
        Use("order by", (frozenset("b"),)),
        Use("limit", (frozenset("b"),)),
    },
    "recursive(query(x).select(n=x.k), lambda r: query(y).join(r, on=y.k == r.n).select(n=y.m))": {
        Use("recursion", BOTH),
        Use("inner join", (frozenset("b"), frozenset())),
    },
    "query(x).select(k=x.k).order_by(fn(double, x.m), x.s.asc(collation='natural'))": {
        Use("order by", ROWS),
        Use("order by a call", ROWS),
        Use("collation", ROWS),
        Use("fn", ROWS),
    },
    "except_(query(x).select(k=x.k), query(y).select(k=y.k))": {Use("except", BOTH)},
    "query(x).select(x, before=lag(upper(x.s)).over(order_by=x.m.desc(nulls='last')))": {
        Use("spread", ROWS),
        Use("lag", ROWS),
        Use("text", ROWS),
    },
}


def uses(text: str) -> set[Use]:
    sources: dict[str, Collection[Any]] = {name: Collection(name, key="id") for name in "ab"}
    origins = {ir.SourceRef(source): Origin(frozenset(name)) for name, source in sources.items()}
    view = View("v", (("x", "a"), ("y", "b")), (text,), is_live=False)
    tree = bind([view], sources, lambda query: query)["v"]._plan()
    return set(origin_of(tree, origins.__getitem__).uses)


@pytest.mark.parametrize("text", TEXTS)
def test_features_are_found_in_a_tree(text: str) -> None:
    assert uses(text) == TEXTS[text]


def test_a_view_uses_what_the_views_it_reads_use() -> None:
    tree = ir.Scan(ir.SourceRef(Collection("v", key="id")), "x")
    below = Origin(frozenset("a"), 1, frozenset((Use("distinct", ROWS),)))
    assert origin_of(tree, lambda _: below) == Origin(
        frozenset("a"), 2, frozenset((Use("live view", ROWS), Use("distinct", ROWS)))
    )
