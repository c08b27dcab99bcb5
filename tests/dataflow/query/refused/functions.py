"""Python functions: expressions in their place, and functions that cannot be called."""

from __future__ import annotations

from functools import partial

import numpy as np

from dataflow.query import aggregates as agg
from dataflow.query.aggregates import fold
from dataflow.query.functions import fn, lit
from tests.dataflow.query.refused.parts import (
    Later,
    Refused,
    added,
    anything,
    anything_of,
    asynchronous,
    later,
    many,
    message,
    nothing,
    start,
    steps,
    twice,
)

REFUSED: list[Refused] = [
    Refused(
        "filter",
        lambda: anything.filter(message.role == "user"),
        "filter takes a function, not an expression",
        "an expression goes into where(...)",
    ),
    Refused(
        "filter",
        lambda: anything.filter(None),
        "filter takes a function, not None",
        "name a function, or write lambda row: ...",
    ),
    Refused(
        "filter",
        lambda: start.filter(later),
        "filter cannot call a coroutine function: ...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "map",
        lambda: anything.map(message.role),
        "map takes a function, not an expression",
        "an expression goes into select(name=expression)",
    ),
    Refused(
        "map",
        lambda: anything.map(start),
        "map takes a function, not a query",
        "an expression goes into select(name=expression)",
    ),
    Refused(
        "map",
        lambda: anything.map("role"),
        "map takes a function, not 'role'",
        "name a function, or write lambda row: ...",
    ),
    Refused(
        "map",
        lambda: start.map(many),
        "map cannot call a coroutine function: ...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "map",
        lambda: start.map(Later()),
        "map cannot call a coroutine function: ...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "map",
        lambda: start.map(steps),
        "map cannot call a generator function: ...",
        "calling it runs nothing; return a value, or a list of values, where it has a yield",
    ),
    Refused(
        "fn",
        lambda: fn(partial(later), message.role),
        "fn cannot call a coroutine function: functools.partial(...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "fn",
        lambda: fn(anything, message.role),
        "fn takes a function, not a query",
        "write fn(function, expression, ...)",
    ),
    Refused(
        "fn",
        lambda: anything_of(fn)(str.upper, len),
        "a function stands where fn expects a value: <built-in function len>",
        "call it, or write fn(function, column, ...) to call it for each row",
    ),
    Refused(
        "fold",
        lambda: fold(message, 0, anything),
        "fold takes a function, not a query",
        "write fold(values, initial, lambda state, value: ...)",
    ),
    Refused(
        "fold",
        lambda: fold(message, ["a"], lambda roles, row: [*roles, row.role]),
        "fold begins with the mutable value ['a'], which all groups would share",
        "pass what makes a fresh one: list, or lambda: ...",
    ),
    Refused(
        "fold",
        lambda: fold(message.seq, asynchronous, max),
        "fold cannot call a coroutine function: ...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "fold",
        lambda: fold(message.seq, 0, max, finish=asynchronous),
        "fold cannot call a coroutine function: ...",
        "queries never await; fetch the data first and write it to a collection",
    ),
    Refused(
        "aggregate",
        lambda: agg.aggregate(message.seq, 0, added, nothing),
        "aggregate takes a function, not None",
        "name a function, or write lambda row: ...",
    ),
    Refused(
        "aggregate",
        lambda: anything_of(agg.aggregate)(message.seq, [], twice, twice),
        "aggregate begins with the mutable value [], which all groups would share",
        "pass what makes a fresh one: list, or lambda: ...",
    ),
    Refused(
        "lit",
        lambda: lit(message.role),
        "lit takes a constant, not an expression",
        "use it as it is, without lit",
    ),
    Refused(
        "lit",
        lambda: lit(len),
        "a function stands where lit expects a value: <built-in function len>",
        "call it, or write fn(function, column, ...) to call it for each row",
    ),
    Refused(
        "lit",
        lambda: lit(np.array([1, 2])),
        "a value of type 'ndarray' stands where lit expects a constant: no single truth comes of comparing it",
        "of an array write x.in_(array.tolist()) for one of its elements; as a whole it is lit(array.tolist())",
    ),
    Refused(
        "lit",
        lambda: lit(later(1)),
        "a coroutine stands where lit expects a value",
        "await it first",
    ),
]
