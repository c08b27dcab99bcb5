"""Set operations: operands and their columns."""

from __future__ import annotations

from dataflow.errors import UnknownFieldError
from dataflow.query.builder import query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.unnesting import unnest
from tests.dataflow.query.refused.parts import Refused, anything_of, event, message, start, totals
from tests.dataflow.query.sources import MESSAGES, Message

REFUSED: list[Refused] = [
    Refused(
        "union_all",
        lambda: union_all(start),
        "union_all takes two queries or more, not 1",
        "write union_all(first, second); of a list: union_all(*queries)",
    ),
    Refused(
        "union",
        lambda: union(),
        "union takes two queries or more, not 0",
        "write union(first, second); of a list: union(*queries)",
    ),
    Refused(
        "union",
        lambda: union(start, anything_of(message)),
        "union takes queries and sources, not an alias",
        "an alias a goes in as query(a)",
    ),
    Refused(
        "intersect",
        lambda: intersect(start, anything_of([{"id": 1}])),
        "intersect takes queries and sources, not [{'id': 1}]",
        "an alias a goes in as query(a)",
    ),
    Refused(
        "except_",
        lambda: except_(start, query(event)),
        "except_: the columns of query 2 are not known, those of the other are",
        "select the columns, or declare the row type of the collection",
    ),
    Refused(
        "union",
        lambda: union(totals, start.select(role=message.role, m=message.seq)),
        "union: query 2 has other columns than the first: m, n",
        "select the same columns in each",
    ),
    Refused(
        "unnest",
        lambda: unnest(anything_of(message), "meta"),
        "unnest takes queries and sources, not an alias",
        "an alias a goes in as query(a)",
    ),
    Refused(
        "unnest",
        lambda: unnest(start, anything_of(message.meta)),
        "unnest takes the name of a column, not <Expr message.meta>",
        "select it by name: unnest(query(a).select(id=a.id, tag=a.tags), 'tag')",
    ),
    Refused(
        "unnest",
        lambda: unnest(start.map(str), "meta"),
        "unnest after map or into, whose rows have no columns",
        "select it by name: unnest(query(a).select(id=a.id, tag=a.tags), 'tag')",
    ),
    Refused(
        "unnest",
        lambda: unnest(start.select(message).into(Message), "meta"),
        "unnest after map or into, whose rows have no columns",
        "select it by name: unnest(query(a).select(id=a.id, tag=a.tags), 'tag')",
    ),
    Refused(
        "unnest",
        lambda: unnest(start, "mata"),
        "the query given to unnest has no field 'mata' (did you mean 'meta'?)",
        "it has id, role, content, seq, meta, pending",
        UnknownFieldError,
    ),
    Refused(
        "unnest",
        lambda: unnest(start, "meta", position="seq"),
        "unnest has two columns 'seq'",
        "give the position another name: position='n'",
    ),
    Refused(
        "unnest",
        lambda: unnest(MESSAGES, "meta", position="meta"),
        "unnest has two columns 'meta'",
        "give the position another name: position='n'",
    ),
    Refused(
        "unnest",
        lambda: unnest(start, "meta", position=anything_of(0)),
        "unnest takes the name of a column, not 0",
        "select it by name: unnest(query(a).select(id=a.id, tag=a.tags), 'tag')",
    ),
]
