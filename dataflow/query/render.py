"""Query trees as text, one node a line, inputs indented below it.

>>> from dataflow.query.ir import Filter, Scan, SourceRef
>>> from dataflow.query.scalar import Call, Column, Const
>>> class Users:
...     name, row_type, key_field = "users", None, "id"
>>> print(render(Filter(Scan(SourceRef(Users()), "user"), Call("gt", (Column("user", "age"), Const(17))))))
where user.age > 17
  scan users as user
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.ir import (
    Filter,
    FilterRows,
    Group,
    Join,
    MapRows,
    Named,
    Narrow,
    Nest,
    Node,
    Order,
    Project,
    Recursive,
    RecursiveRef,
    Rekey,
    Scan,
    SetOp,
    Subquery,
    UnionAll,
    Unnest,
    Windowed,
    inputs,
    scope,
)
from dataflow.query.notation import ordering_text, text_of
from dataflow.query.scalar import Cell, Ordering, Record, RowOf, Scalar, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable


def render(node: Node) -> str:
    """Return the text of a query tree. O(size)."""
    return "\n".join(_lines(node, 0))


def _lines(node: Node, depth: int) -> list[str]:
    lines = ["  " * depth + describe(node)]
    for child in inputs(node):
        lines += _lines(child, depth + 1)
    return lines


def describe(node: Node) -> str:  # noqa: C901 - one case per kind of node
    """Return one line on a node, without its inputs."""
    match with_cells_named(node):
        case Scan(source=source, alias=alias):
            name = source.relation.name
            return f"scan {name}" if name == alias else f"scan {name} as {alias}"
        case Named(alias=alias):
            return f"as {alias}"
        case Filter(condition=condition):
            return f"where {text_of(condition)}"
        case FilterRows(function=function):
            return f"filter {function_name(function)}"
        case MapRows(function=function):
            return f"map {function_name(function)}"
        case Project(row=row, into=into):
            made = "" if into is None else f" into {into.__name__}"
            return f"select {columns_text(row)}{made}"
        case Join(how=how, on=on, residual=residual):
            pairs = [f"{text_of(left)} == {text_of(right)}" for left, right in on]
            conditions = pairs + ([] if residual is None else [text_of(residual)])
            return f"{how} join on {' & '.join(conditions)}" if conditions else f"{how} join"
        case Group(keys=keys, aggregates=aggregates):
            by = ", ".join(map(text_of, keys)) or "nothing"
            return f"group by {by}: {', '.join(map(text_of, aggregates)) or 'no aggregates'}"
        case Nest(parts=parts):
            return f"nest {', '.join(map(_nested_text, parts))}"
        case Windowed(windows=windows):
            return f"window {', '.join(map(text_of, windows))}"
        case SetOp(kind=kind, columns=columns):
            return f"{kind} of {'whole rows' if columns is None else ', '.join(columns)}"
        case UnionAll():
            return "union all"
        case Unnest(column=column, position=position):
            return f"unnest {column}" + ("" if position is None else f", position {position}")
        case Recursive(so_far=RecursiveRef(columns=columns), max_rounds=rounds):
            return f"recursive {', '.join(columns)}, at most {rounds} rounds: seed, step"
        case RecursiveRef():
            return "rows so far"
        case Order(by=by, limit=limit, offset=offset):
            window = ("" if limit is None else f" limit {limit}") + (
                f" offset {offset}" if offset else ""
            )
            return f"order by {', '.join(map(ordering_text, by))}{window}"
        case Narrow(columns=columns):
            return f"reads {', '.join(sorted(map(text_of, columns))) or 'no column'}"
        case Rekey(key=key):
            return f"key {function_name(key) if callable(key) else ', '.join(key)}"


def _nested_text(part: Subquery) -> str:
    notes = [note for note, holds in (("one row", part.one), ("live", part.live)) if holds]
    return f"{part.alias} ({', '.join(notes)})" if notes else part.alias


def with_cells_named(node: Node) -> Node:
    """Return a node that says what the cells it reads are, instead of where: group keys, aggregates, window functions."""
    match node:
        case Filter(input=below, condition=condition):
            return Filter(below, name_cells(condition, below))
        case Project(input=below, row=row, into=into):
            return Project(below, name_cells(row, below), into)
        case Order(input=below, by=by, limit=limit, offset=offset):
            parts = tuple(Ordering(name_cells(p.by, below), p.descending, p.nulls_last) for p in by)
            return Order(below, parts, limit, offset)
        case _:
            return node


def name_cells(expression: Scalar, below: Node) -> Scalar:
    """Return an expression over the rows of a node, its cells replaced by what is in them."""
    cells = cells_of(below)

    def name(part: Scalar) -> Scalar | None:
        return cells[part.index] if isinstance(part, Cell) and part.index < len(cells) else None

    return rewrite(expression, name) if cells else expression


def cells_of(node: Node) -> tuple[Scalar, ...]:
    """Return what the parts of a node's row are: the rows of its aliases, group keys, aggregates, window functions."""
    match node:
        case Group(keys=keys, aggregates=aggregates):
            return (*keys, *aggregates)
        case Windowed(input=below, windows=windows):
            return (*(cells_of(below) or map(RowOf, scope(below))), *windows)
        case Filter(input=below) | Order(input=below) | Narrow(input=below):
            return cells_of(below)
        case _:
            return ()


def columns_text(row: Scalar) -> str:
    """Return the columns of a select as text."""
    if not isinstance(row, Record):
        return text_of(row)
    return ", ".join(
        f"*{text_of(value)}" if name is None else f"{name}={text_of(value)}"
        for name, value in row.items
    )


def function_name(function: Callable[..., Any]) -> str:
    """Return how a user's function is named in plans."""
    return getattr(function, "__qualname__", None) or repr(function)
