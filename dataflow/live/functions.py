"""The user functions of a query, replaced by others: how a debug mode gets between a query and what it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dataflow.query import ir
from dataflow.query.scalar import Aggregate, Apply, Ordering, Scalar, rewrite

Wrap = Callable[[Callable[..., Any], str], Callable[..., Any]]
FOLD_ROLES = ("fold initial", "fold step", "fold finish")


def replace_functions(tree: ir.Node, wrap: Wrap) -> ir.Node:
    """Return a tree that calls `wrap(function, role)` in place of each user function.

    Types given to `into` stay as they are: a constructor gets no rows.
    """

    if isinstance(tree, ir.Scan):
        return tree
    if isinstance(tree, ir.Join):
        return _join(tree, wrap)
    below = replace_functions(tree.input, wrap)
    match tree:
        case ir.Filter(condition=condition):
            return ir.Filter(below, _scalar(condition, wrap))
        case ir.FilterRows(function=function):
            return ir.FilterRows(below, wrap(function, "filter"))
        case ir.MapRows(function=function):
            return ir.MapRows(below, wrap(function, "map"))
        case ir.Project(row=row):
            return replace(tree, input=below, row=_scalar(row, wrap))
        case ir.Group():
            return _group(replace(tree, input=below), wrap)
        case ir.Order():
            by = tuple(Ordering(_scalar(o.by, wrap), o.descending, o.nulls_last) for o in tree.by)
            return replace(tree, input=below, by=by)
        case ir.Rekey(key=key) if callable(key):
            return replace(tree, input=below, key=wrap(key, "key"))
        case _:
            return replace(tree, input=below)


def _join(tree: ir.Join, wrap: Wrap) -> ir.Join:
    return ir.Join(
        replace_functions(tree.left, wrap),
        replace_functions(tree.right, wrap),
        tree.how,
        tuple((_scalar(left, wrap), _scalar(right, wrap)) for left, right in tree.on),
        None if tree.residual is None else _scalar(tree.residual, wrap),
    )


def _group(tree: ir.Group, wrap: Wrap) -> ir.Group:
    keys = tuple(_scalar(key, wrap) for key in tree.keys)
    return replace(tree, keys=keys, aggregates=tuple(_aggregate(a, wrap) for a in tree.aggregates))


def _scalar(node: Scalar, wrap: Wrap) -> Scalar:
    def replaced(part: Scalar) -> Scalar | None:
        if isinstance(part, Apply):
            args = tuple(_scalar(arg, wrap) for arg in part.args)
            return Apply(wrap(part.function, "fn"), args)
        return None

    return rewrite(node, replaced)


def _aggregate(node: Aggregate, wrap: Wrap) -> Aggregate:
    found = _scalar(node, wrap)
    assert isinstance(found, Aggregate)
    if node.kind != "fold":
        return found
    options = [
        wrap(option, role) if callable(option) else option
        for option, role in zip(node.options, FOLD_ROLES, strict=True)
    ]
    return replace(found, options=tuple(options))
