"""What the step of a recursion may not do is refused when the query is built; what it may do elsewhere is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.errors import QueryError
from dataflow.live.live import run
from dataflow.query.aggregates import max_
from dataflow.query.builder import Query, query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.functions import fn, lit
from dataflow.query.nesting import nested
from dataflow.query.recursion import recursive
from tests.dataflow.query.recursions import Graph, Row, Rows, Watched, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.alias import Alias

edges: Collection[Any] = Collection("edges", key="id")
edge, other = edges.alias("edge"), edges.alias("other")
seed = query(edge).select(src=edge.src, dst=edge.dst)
anything: Any = recursive


def onward(path: Alias[Row]) -> Rows:
    return query(path).join(other, on=path.dst == other.src).select(src=path.src, dst=other.dst)


def negated(how: Any) -> Callable[[Alias[Row]], Query[Any]]:
    return lambda path: (
        query(other)
        .join(path, on=path.dst == other.src, how=how)
        .select(src=other.src, dst=other.dst)
    )


def twice(value: Any) -> Any:
    return value


NOT_YET = (
    "what is missing now may be found in a later round: take rows away from a source before,"
    " query(...).alias('x'), or from the finished result"
)
FUNCTIONS = (
    "a row may pass the loop more than once, and a function may not see it twice:"
    " call it on a source before, query(...).alias('x'), or on the finished result"
)
AFTERWARDS = "do that with the finished result: query(recursive(...).alias('x'))"
USES = "the step of recursive uses {} over the result so far".format
ORDERED: Callable[[Alias[Row]], Rows] = lambda path: onward(path).order_by(path.src)  # noqa: E731 - a row of the table

REFUSED: list[tuple[Callable[[Alias[Row]], Query[Any]], str, str]] = [
    (negated("anti"), USES("join(how='anti')"), NOT_YET),
    (negated("left"), USES("join(how='left')"), NOT_YET),
    (negated("right"), USES("join(how='right')"), NOT_YET),
    (negated("full"), USES("join(how='full')"), NOT_YET),
    (lambda path: except_(seed, query(path)), USES("except_"), NOT_YET),
    (
        lambda path: onward(path).distinct(),
        USES("distinct"),
        "leave it out: the result of recursive is a set",
    ),
    (
        lambda path: union(seed, onward(path)),
        USES("union"),
        "write union_all: the result of recursive is a set",
    ),
    (lambda path: intersect(seed, onward(path)), USES("intersect"), "write a join with how='semi'"),
    (
        lambda path: query(path).group_by(path.src).select(src=path.src, dst=max_(path.dst)),
        USES("group_by"),
        AFTERWARDS,
    ),
    (ORDERED, USES("order_by"), AFTERWARDS),
    (
        lambda path: query(path).select(
            src=path.src,
            dst=nested(query(other).where(other.src == path.dst).select(dst=other.dst)),
        ),
        USES("nested"),
        AFTERWARDS,
    ),
    (lambda path: ORDERED(path).limit(3), USES("order_by"), AFTERWARDS),
    (lambda path: query(path).filter(twice), USES("filter"), FUNCTIONS),
    (
        lambda path: query(path).select(src=path.src, dst=fn(twice, path.dst)),
        USES("fn"),
        FUNCTIONS,
    ),
    (lambda path: query(path).where(fn(twice, path.dst) == 1), USES("fn"), FUNCTIONS),
    (
        lambda path: (
            query(path)
            .join(other, on=(path.dst == other.src) & (fn(twice, path.dst) == 1), how="semi")
            .select(path)
        ),
        USES("fn"),
        FUNCTIONS,
    ),
    (
        lambda path: recursive(query(path), onward),
        USES("another recursion"),
        "let the inner one read finished results only",
    ),
    (
        lambda path: recursive(seed, lambda inner: union_all(onward(inner), query(path))),
        USES("another recursion"),
        "let the inner one read finished results only",
    ),
    (
        lambda _: seed,
        "the step of recursive does not read the result so far",
        "join the alias it is called with; without it this is union(seed, step)",
    ),
    (
        lambda path: query(path).select(src=path.src, depth=lit(1)),
        "the step of recursive has other columns than the seed: depth, dst",
        "select the same columns in both",
    ),
    (
        lambda path: query(path).map(twice),
        "the columns of the step of recursive are not known",
        "select the columns, or declare the row type of the collection",
    ),
]


@pytest.mark.parametrize(("step", "message", "hint"), REFUSED)
def test_steps_that_are_refused(
    step: Callable[[Alias[Row]], Query[Any]], message: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        recursive(seed, step)
    assert (str(caught.value), caught.value.__notes__[-1]) == (message, hint)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: recursive(query(edge), onward),
            "the columns of the seed of recursive are not known",
        ),
        (lambda: anything(seed, seed), "recursive takes a function, not a query"),
        (lambda: anything(edge, onward), "recursive takes queries and sources, not an alias"),
        (
            lambda: anything(seed, lambda path: path),
            "the step of recursive takes queries and sources, not an alias",
        ),
        (
            lambda: recursive(seed, onward, max_rounds=0),
            "max_rounds is a number of rounds, 1 or more, not 0",
        ),
        (
            lambda: anything(seed, onward, max_rounds=True),
            "max_rounds is a number of rounds, 1 or more, not True",
        ),
    ],
)
def test_calls_that_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(QueryError) as caught:
        call()
    assert str(caught.value) == message


def test_functions_and_orders_are_welcome_where_the_result_so_far_is_not_read() -> None:
    newest = query(other).filter(lambda row: row["src"] != 3).order_by(other.id.desc()).limit(2)
    kept = newest.select(src=other.src, dst=fn(lambda value: value * 10, other.dst)).alias("kept")
    graph = Graph(edges=edges)
    graph.commit(("edges", 0, link(0, 1)), ("edges", 1, link(1, 2)), ("edges", 2, link(3, 4)))
    found = recursive(
        seed,
        lambda path: (
            query(path).join(kept, on=path.dst == kept.src).select(src=path.src, dst=kept.dst)
        ),
    )
    watched = Watched(graph, found)
    watched.check()
    graph.commit(("edges", 2, link(1, 4)), ("edges", 3, None))
    watched.check()
    watched.subscription.close()


def test_an_alias_that_leaves_its_step_is_refused() -> None:
    kept: list[Alias[Row]] = []

    def step(path: Alias[Row]) -> Rows:
        kept.append(path)
        return onward(path)

    recursive(seed, step)
    with pytest.raises(QueryError) as caught:
        run(query(kept[0]))
    assert str(caught.value) == "the alias of a recursion is used outside of its step"


def test_an_unknown_column_of_the_result_so_far_is_refused_at_the_dot() -> None:
    with pytest.raises(QueryError, match="has no field 'sorce'"):
        recursive(seed, lambda path: query(path).select(src=path.sorce, dst=path.dst))
