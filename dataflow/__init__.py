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

from dataflow.circuit.tracing import Epoch, EpochTrace, trace_epochs
from dataflow.collection.action import action
from dataflow.collection.batch import batch
from dataflow.collection.changes import Change
from dataflow.collection.collection import Collection, mark_ready
from dataflow.collection.following import Changes
from dataflow.collection.indexes import HashIndex, OrderedIndex
from dataflow.collection.mutation import Mutation
from dataflow.collection.subscription import Subscription
from dataflow.collection.transaction import Transaction
from dataflow.errors import (
    CollectionError,
    DataflowError,
    InvariantError,
    NonRetriableError,
    PacingError,
    QueryError,
    StorageError,
    TransactionError,
    UnknownFieldError,
)
from dataflow.live.effect import Effect, effect
from dataflow.live.explain import explain
from dataflow.live.inspect import inspect
from dataflow.live.live import LiveQuery, live, run
from dataflow.live.splices import (
    Insert,
    Move,
    Remove,
    Replace,
    Reset,
    Splice,
    apply_splices,
)
from dataflow.operators.circuit import Circuit
from dataflow.query.aggregates.custom import aggregate, fold
from dataflow.query.aggregates.named import (
    all_,
    any_,
    avg,
    collect,
    count,
    count_distinct,
    first,
    last,
    max_,
    median,
    min_,
    stddev,
    string_agg,
    sum_,
    variance,
)
from dataflow.query.alias import Alias
from dataflow.query.builder import Query, query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.expr import Expr
from dataflow.query.functions.casts import (
    cast,
    is_bool,
    is_datetime,
    is_dict,
    is_list,
    is_number,
    is_text,
)
from dataflow.query.functions.containers import keys, length, path
from dataflow.query.functions.logic import (
    and_,
    case,
    coalesce,
    greatest,
    is_null,
    least,
    not_,
    nullif,
    or_,
)
from dataflow.query.functions.numbers import abs_, ceil, exp, floor, ln, power, round_, sign, sqrt
from dataflow.query.functions.patterns import regexp_extract, regexp_matches, regexp_replace
from dataflow.query.functions.references import facts, fn, lit, selected
from dataflow.query.functions.texts import (
    concat,
    lower,
    ltrim,
    pad_end,
    pad_start,
    position,
    replace,
    rtrim,
    split,
    substring,
    trim,
    upper,
)
from dataflow.query.functions.times import (
    date_add,
    date_diff,
    date_part,
    date_trunc,
    from_local,
    from_timestamp,
    parse_datetime,
    timestamp,
    to_local,
)
from dataflow.query.nesting import nested
from dataflow.query.recursion import recursive
from dataflow.query.source import Source
from dataflow.query.unnesting import unnest
from dataflow.query.windows import dense_rank, lag, lead, rank, row_number
from dataflow.zset import ZSet

__all__ = [
    "Alias",
    "Change",
    "Changes",
    "Circuit",
    "Collection",
    "CollectionError",
    "DataflowError",
    "Effect",
    "Epoch",
    "EpochTrace",
    "Expr",
    "HashIndex",
    "Insert",
    "InvariantError",
    "LiveQuery",
    "Move",
    "Mutation",
    "NonRetriableError",
    "OrderedIndex",
    "PacingError",
    "Query",
    "QueryError",
    "Remove",
    "Replace",
    "Reset",
    "Source",
    "Splice",
    "StorageError",
    "Subscription",
    "Transaction",
    "TransactionError",
    "UnknownFieldError",
    "ZSet",
    "abs_",
    "action",
    "aggregate",
    "all_",
    "and_",
    "any_",
    "apply_splices",
    "avg",
    "batch",
    "case",
    "cast",
    "ceil",
    "coalesce",
    "collect",
    "concat",
    "count",
    "count_distinct",
    "date_add",
    "date_diff",
    "date_part",
    "date_trunc",
    "dense_rank",
    "effect",
    "except_",
    "exp",
    "explain",
    "facts",
    "first",
    "floor",
    "fn",
    "fold",
    "from_local",
    "from_timestamp",
    "greatest",
    "inspect",
    "intersect",
    "is_bool",
    "is_datetime",
    "is_dict",
    "is_list",
    "is_null",
    "is_number",
    "is_text",
    "keys",
    "lag",
    "last",
    "lead",
    "least",
    "length",
    "lit",
    "live",
    "ln",
    "lower",
    "ltrim",
    "mark_ready",
    "max_",
    "median",
    "min_",
    "nested",
    "not_",
    "nullif",
    "or_",
    "pad_end",
    "pad_start",
    "parse_datetime",
    "path",
    "position",
    "power",
    "query",
    "rank",
    "recursive",
    "regexp_extract",
    "regexp_matches",
    "regexp_replace",
    "replace",
    "round_",
    "row_number",
    "rtrim",
    "run",
    "selected",
    "sign",
    "split",
    "sqrt",
    "stddev",
    "string_agg",
    "substring",
    "sum_",
    "timestamp",
    "to_local",
    "trace_epochs",
    "trim",
    "union",
    "union_all",
    "unnest",
    "upper",
    "variance",
]
