"""Set operations: operands and their columns."""

from __future__ import annotations

from dataflow.query.builder import query
from dataflow.query.combining import except_, intersect, union, union_all
from tests.dataflow.query.refused.parts import Refused, anything_of, event, message, start, totals

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
]
