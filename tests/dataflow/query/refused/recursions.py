"""The step of a recursion: negation, aggregation, order, windows and functions in the loop."""

from __future__ import annotations

from dataflow.errors import UnknownFieldError
from dataflow.query.aggregates import max_
from dataflow.query.builder import query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.functions import fn, lit
from dataflow.query.nesting import nested
from dataflow.query.recursion import recursive
from dataflow.query.unnesting import unnest
from dataflow.query.windows import row_number
from tests.dataflow.query.refused.parts import (
    Link,
    Refused,
    anything_of,
    asynchronous,
    event,
    onward,
    other,
    outward,
    seed,
    step,
    twice,
)

REFUSED: list[Refused] = [
    Refused(
        "join(how='anti')",
        outward("anti"),
        "the step of recursive uses join(how='anti') over the result so far",
        "what is missing now may be found in a later round: take rows away from a source before, query(...).alias('x'), or from the finished result",
    ),
    Refused(
        "join(how='left')",
        outward("left"),
        "the step of recursive uses join(how='left') over the result so far",
        "what is missing now may be found in a later round: take rows away from a source before, query(...).alias('x'), or from the finished result",
    ),
    Refused(
        "join(how='right')",
        outward("right"),
        "the step of recursive uses join(how='right') over the result so far",
        "what is missing now may be found in a later round: take rows away from a source before, query(...).alias('x'), or from the finished result",
    ),
    Refused(
        "join(how='full')",
        outward("full"),
        "the step of recursive uses join(how='full') over the result so far",
        "what is missing now may be found in a later round: take rows away from a source before, query(...).alias('x'), or from the finished result",
    ),
    Refused(
        "except_",
        step(lambda path: except_(seed, query(path))),
        "the step of recursive uses except_ over the result so far",
        "what is missing now may be found in a later round: take rows away from a source before, query(...).alias('x'), or from the finished result",
    ),
    Refused(
        "distinct",
        step(lambda path: onward(path).distinct()),
        "the step of recursive uses distinct over the result so far",
        "leave it out: the result of recursive is a set",
    ),
    Refused(
        "union",
        step(lambda path: union(seed, onward(path))),
        "the step of recursive uses union over the result so far",
        "write union_all: the result of recursive is a set",
    ),
    Refused(
        "intersect",
        step(lambda path: intersect(seed, onward(path))),
        "the step of recursive uses intersect over the result so far",
        "write a join with how='semi'",
    ),
    Refused(
        "group_by",
        step(lambda path: query(path).group_by(path.src).select(src=path.src, dst=max_(path.dst))),
        "the step of recursive uses group_by over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "order_by",
        step(lambda path: onward(path).order_by(path.src)),
        "the step of recursive uses order_by over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "order_by",
        step(lambda path: onward(path).order_by(path.src).limit(3)),
        "the step of recursive uses order_by over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "order_by",
        step(lambda path: onward(path).one()),
        "the step of recursive uses order_by over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "nested",
        step(
            lambda path: query(path).select(
                src=path.src, dst=nested(query(other).where(other.src == path.dst))
            )
        ),
        "the step of recursive uses nested over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "window function",
        step(
            lambda path: query(path).select(src=path.src, dst=row_number().over(order_by=path.dst))
        ),
        "the step of recursive uses a window function over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "filter",
        step(lambda path: query(path).filter(twice)),
        "the step of recursive uses filter over the result so far",
        "a row may pass the loop more than once, and a function may not see it twice: call it on a source before, query(...).alias('x'), or on the finished result",
    ),
    Refused(
        "fn",
        step(lambda path: query(path).select(src=path.src, dst=fn(twice, path.dst))),
        "the step of recursive uses fn over the result so far",
        "a row may pass the loop more than once, and a function may not see it twice: call it on a source before, query(...).alias('x'), or on the finished result",
    ),
    Refused(
        "fn",
        step(lambda path: query(path).where(fn(twice, path.dst) == 1)),
        "the step of recursive uses fn over the result so far",
        "a row may pass the loop more than once, and a function may not see it twice: call it on a source before, query(...).alias('x'), or on the finished result",
    ),
    Refused(
        "fn",
        step(
            lambda path: (
                query(path)
                .join(other, on=(path.dst == other.src) & fn(twice, path.dst), how="semi")
                .select(path)
            )
        ),
        "the step of recursive uses fn over the result so far",
        "a row may pass the loop more than once, and a function may not see it twice: call it on a source before, query(...).alias('x'), or on the finished result",
    ),
    Refused(
        "into",
        step(lambda path: query(path).select(path).into(Link)),
        "the step of recursive uses into over the result so far",
        "a row may pass the loop more than once, and a function may not see it twice: call it on a source before, query(...).alias('x'), or on the finished result",
    ),
    Refused(
        "unnest",
        step(lambda path: unnest(query(path), "src")),
        "the step of recursive uses unnest over the result so far",
        "do that with the finished result: query(recursive(...).alias('x'))",
    ),
    Refused(
        "another recursion",
        step(lambda path: recursive(query(path), onward)),
        "the step of recursive uses another recursion over the result so far",
        "let the inner one read finished results only",
    ),
    Refused(
        "another recursion",
        step(lambda path: recursive(seed, lambda inner: union_all(onward(inner), query(path)))),
        "the step of recursive uses another recursion over the result so far",
        "let the inner one read finished results only",
    ),
    Refused(
        "step",
        step(lambda path: seed),
        "the step of recursive does not read the result so far",
        "join the alias it is called with; without it this is union(seed, step)",
    ),
    Refused(
        "step",
        step(lambda path: query(path).select(src=path.src, depth=lit(1))),
        "the step of recursive has other columns than the seed: depth, dst",
        "select the same columns in both",
    ),
    Refused(
        "step",
        step(lambda path: query(path).map(twice)),
        "the columns of the step of recursive are not known",
        "select the columns, or declare the row type of the collection",
    ),
    Refused(
        "step",
        step(lambda path: anything_of(path)),
        "the step of recursive takes queries and sources, not an alias",
        "an alias a goes in as query(a)",
    ),
    Refused(
        "sorce",
        step(lambda path: query(path).select(src=path.sorce, dst=path.dst)),
        "alias 'recursive' has no field 'sorce' (did you mean 'src'?)",
        "it has src, dst",
        UnknownFieldError,
    ),
    Refused(
        "seed",
        lambda: recursive(query(event), onward),
        "the columns of the seed of recursive are not known",
        "select the columns, or declare the row type of the collection",
    ),
    Refused(
        "recursive",
        lambda: recursive(anything_of(event), onward),
        "recursive takes queries and sources, not an alias",
        "an alias a goes in as query(a)",
    ),
    Refused(
        "recursive",
        lambda: recursive(seed, anything_of(seed)),
        "recursive takes a function, not a query",
        "write lambda so_far: query(...).join(so_far, on=...)",
    ),
    Refused(
        "recursive",
        lambda: recursive(seed, asynchronous),
        "recursive cannot call a coroutine function: ...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "max_rounds",
        lambda: recursive(seed, onward, max_rounds=0),
        "max_rounds is a number of rounds, 1 or more, not 0",
        "it bounds how often the step runs in one epoch; 10_000 by default",
    ),
    Refused(
        "max_rounds",
        lambda: recursive(seed, onward, max_rounds=True),
        "max_rounds is a number of rounds, 1 or more, not True",
        "it bounds how often the step runs in one epoch; 10_000 by default",
    ),
]
