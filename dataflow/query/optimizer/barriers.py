"""Barriers: where user functions are called, which see the rows that the text of the query gives them, not fewer.

A condition that is moved below such a call would take rows from it: the function would be called less often, might not raise, and
a running total it keeps would differ from one plan to the other.
"""

from __future__ import annotations

from dataflow.query import ir
from dataflow.query.scalar import Apply, Scalar, contains


def calls_no_user(node: Scalar) -> bool:
    """Tell whether an expression is made of library functions alone."""
    return not contains(node, Apply)


def is_open(node: ir.Node) -> bool:
    """Tell whether a node calls no user function for its rows; its inputs are not looked at."""
    match node:
        case ir.FilterRows() | ir.MapRows() | ir.Rekey():
            return False
        case ir.Project(row=row, into=into):
            return into is None and calls_no_user(row)
        case ir.Filter(condition=condition):
            return calls_no_user(condition)
        case ir.Join(residual=residual):
            return residual is None or calls_no_user(residual)
        case ir.Group(keys=keys, aggregates=aggregates):
            options = (option for part in aggregates for option in part.options)
            return all(map(calls_no_user, (*keys, *aggregates))) and not any(map(callable, options))
        case ir.Windowed(windows=windows):
            return all(map(calls_no_user, windows))
        case ir.Nest(parts=parts):
            return all(is_open_throughout(part.query) for part in parts)
        case _:
            return True


def is_open_throughout(tree: ir.Node) -> bool:
    """Tell whether no node of a tree calls a user function."""
    return is_open(tree) and all(map(is_open_throughout, ir.inputs(tree)))
