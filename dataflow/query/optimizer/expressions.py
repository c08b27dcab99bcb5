"""The expressions of a tree, changed one by one: what rules about expressions walk.

A node is made anew only where an expression of it has changed, so that a rule that finds nothing to do costs a walk and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.scalar import Aggregate, Ordering, Scalar, Window

Change = Callable[[Scalar], Scalar]
S = TypeVar("S", Aggregate, Window)
T = TypeVar("T")


def with_expressions(node: ir.Node, change: Change) -> ir.Node:
    """Return a node whose own expressions are changed by a function, its inputs as they are."""
    match node:
        case ir.Filter(condition=condition):
            found = change(condition)
            return node if found is condition else ir.Filter(node.input, found)
        case ir.Project(row=row):
            found = change(row)
            return node if found is row else ir.Project(node.input, found, node.into)
        case ir.Join(on=on, residual=residual):
            pairs = _each(on, lambda pair: _pair(pair, change))
            further = None if residual is None else change(residual)
            same = pairs is on and further is residual
            return node if same else replace(node, on=pairs, residual=further)
        case ir.Group(keys=keys, aggregates=aggregates):
            new_keys = _each(keys, change)
            new = _each(aggregates, lambda part: within(part, change))
            same = new_keys is keys and new is aggregates
            return node if same else ir.Group(node.input, new_keys, new)
        case ir.Windowed(windows=windows):
            functions = _each(windows, lambda part: within(part, change))
            return node if functions is windows else ir.Windowed(node.input, functions)
        case ir.Order(by=by):
            parts = _each(by, lambda part: _ordering(part, change))
            return node if parts is by else replace(node, by=parts)
        case _:
            return node


def within(spec: S, change: Change) -> S:
    """Return an aggregate or window function whose arguments, condition and order are changed."""
    args = _each(spec.args, change)
    where = None if spec.where is None else change(spec.where)
    order_by = _each(spec.order_by, lambda part: _ordering(part, change))
    if args is not spec.args or where is not spec.where or order_by is not spec.order_by:
        spec = replace(spec, args=args, where=where, order_by=order_by)
    if isinstance(spec, Window):
        parts = _each(spec.partition_by, change)
        if parts is not spec.partition_by:
            spec = replace(spec, partition_by=parts)
    return spec


def _pair(pair: tuple[Scalar, Scalar], change: Change) -> tuple[Scalar, Scalar]:
    left, right = change(pair[0]), change(pair[1])
    return pair if left is pair[0] and right is pair[1] else (left, right)


def _ordering(part: Ordering, change: Change) -> Ordering:
    by = change(part.by)
    return part if by is part.by else replace(part, by=by)


def _each(parts: tuple[T, ...], change: Callable[[T], T]) -> tuple[T, ...]:
    """Return changed parts, or the very same tuple if none has changed."""
    changed = False
    found = []
    for part in parts:
        new = change(part)
        changed = changed or new is not part
        found.append(new)
    return tuple(found) if changed else parts
