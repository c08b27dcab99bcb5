"""The user functions of a query, replaced by others: how a debug mode gets between a query and what it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.scalar import Aggregate, Apply, Ordering, Scalar, Window, rewrite

Wrap = Callable[[Callable[..., Any], str], Callable[..., Any]]
OPTION_ROLES: dict[str, tuple[str, ...]] = {
    "fold": ("fold initial", "fold step", "fold finish"),
    "aggregate": ("aggregate initial", "aggregate add", "aggregate retract", "aggregate finish"),
}


def replace_functions(tree: ir.Node, wrap: Wrap) -> ir.Node:
    """Return a tree that calls `wrap(function, role)` in place of each user function.

    Types given to `into` stay as they are: a constructor gets no rows.
    """
    tree = ir.with_inputs(tree, lambda each: replace_functions(each, wrap))
    match tree:
        case ir.Filter(condition=condition):
            return replace(tree, condition=_scalar(condition, wrap))
        case ir.FilterRows(function=function):
            return replace(tree, function=wrap(function, "filter"))
        case ir.MapRows(function=function):
            return replace(tree, function=wrap(function, "map"))
        case ir.Project(row=row):
            return replace(tree, row=_scalar(row, wrap))
        case ir.Join(on=on, residual=residual):
            pairs = tuple((_scalar(left, wrap), _scalar(right, wrap)) for left, right in on)
            further = None if residual is None else _scalar(residual, wrap)
            return replace(tree, on=pairs, residual=further)
        case ir.Group():
            return _group(tree, wrap)
        case ir.Windowed(windows=windows):
            return replace(tree, windows=tuple(_window(window, wrap) for window in windows))
        case ir.Order(by=by):
            parts = tuple(Ordering(_scalar(o.by, wrap), o.descending, o.nulls_last) for o in by)
            return replace(tree, by=parts)
        case ir.Rekey(key=key) if callable(key):
            return replace(tree, key=wrap(key, "key"))
        case _:
            return tree


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


def _window(node: Window, wrap: Wrap) -> Window:
    found = _scalar(node, wrap)
    assert isinstance(found, Window)
    return found


def _aggregate(node: Aggregate, wrap: Wrap) -> Aggregate:
    found = _scalar(node, wrap)
    assert isinstance(found, Aggregate)
    options = [
        wrap(option, role) if callable(option) else option
        for option, role in zip(node.options, OPTION_ROLES.get(node.kind, ()), strict=True)
    ]
    return replace(found, options=tuple(options))
