"""Live, queryable state: an incremental query engine with keyed collections.

    users = Collection("users", key="id")
    user = users.alias("user")
    adults = live(query(user).where(user.age >= 18).order_by(user.name))
    adults.subscribe(print)
    with users.sync() as write:
        write.insert({"id": 1, "name": "Ada", "age": 36})

A collection holds rows by key. A query over collections is live: its result is a collection again, kept up to date by touching only the
rows that a change affects. ARCHITECTURE.md has the design; `dataflow.testing` what tests of your own queries need.
"""

from dataflow.collection.batch import batch
from dataflow.collection.changes import Change
from dataflow.collection.collection import Collection, mark_ready
from dataflow.collection.following import Changes
from dataflow.collection.subscription import Subscription
from dataflow.errors import (
    CollectionError,
    DataflowError,
    InvariantError,
    QueryError,
    TransactionError,
    UnknownFieldError,
)
from dataflow.live.explain import explain
from dataflow.live.live import LiveQuery, live, run
from dataflow.query.aggregates import avg, collect, count, first, fold, last, max_, min_, sum_
from dataflow.query.alias import Alias
from dataflow.query.builder import Query, query
from dataflow.query.expr import Expr
from dataflow.query.functions import (
    abs_,
    and_,
    case,
    coalesce,
    concat,
    facts,
    fn,
    is_null,
    length,
    lit,
    lower,
    not_,
    or_,
    round_,
    selected,
    substring,
    trim,
    upper,
)
from dataflow.query.source import Source

__all__ = [
    "Alias",
    "Change",
    "Changes",
    "Collection",
    "CollectionError",
    "DataflowError",
    "Expr",
    "InvariantError",
    "LiveQuery",
    "Query",
    "QueryError",
    "Source",
    "Subscription",
    "TransactionError",
    "UnknownFieldError",
    "abs_",
    "and_",
    "avg",
    "batch",
    "case",
    "coalesce",
    "collect",
    "concat",
    "count",
    "explain",
    "facts",
    "first",
    "fn",
    "fold",
    "is_null",
    "last",
    "length",
    "lit",
    "live",
    "lower",
    "mark_ready",
    "max_",
    "min_",
    "not_",
    "or_",
    "query",
    "round_",
    "run",
    "selected",
    "substring",
    "sum_",
    "trim",
    "upper",
]
