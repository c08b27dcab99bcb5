"""Recursion: a query whose step reads the result so far, until it finds nothing new.

The result is a set and the step may only add to it, so that there is one smallest answer whatever
the order of rounds. That is why the step may not ask what is *not* in the result so far, count it,
or order it; all of that may be done with the finished result, and with anything in the step that
does not read the result so far.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.alias import Alias
from dataflow.query.builder import Query
from dataflow.query.clauses import Clauses
from dataflow.query.combining import operand
from dataflow.query.rows import columns_of
from dataflow.query.scalar import Apply, contains
from dataflow.query.traps import check_function, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.source import Source

ALIAS: Final = "recursive"


def recursive(
    seed: Query[Any] | Source[Any],
    step: Callable[[Alias[dict[str, Any]]], Query[Any]],
    *,
    max_rounds: int = 10_000,
) -> Query[dict[str, Any]]:
    """Return the rows of a seed, and all rows that a step derives from them, again and again.

    The result is a set: equal rows are one, so that a cycle in the data ends. A row is known under
    the tuple of its columns and shown in normal form (1.0 as 1). When the data shrink, rows go
    whose last derivation from the seed is gone, on cycles too.

    Args:
        seed: The rows to begin with.
        step: Is called once, with an alias of the result so far, and returns a query with the
            columns of the seed. It may use the alias in where, select, inner, cross and semi joins
            and union_all, more than once, and with library expressions only.
        max_rounds: How often the step may be applied to new rows in one epoch; beyond it the result
            is in status "error", with its last good rows, until the data change.

    Raises:
        QueryError: The columns differ or are not known, or the step uses the alias in another way.

    Complexity: an epoch costs the derivations that come or go; where rows go, also those of
        everything derived from them.
    """
    _check_rounds(max_rounds)
    check_function(step, "recursive", "write lambda so_far: query(...).join(so_far, on=...)")
    first = operand(seed, "recursive")
    columns = _columns(first, "seed")
    so_far = ir.RecursiveRef(columns, object())
    again = operand(step(Alias(ir.Named(so_far, ALIAS))), "the step of recursive")
    differing = sorted(set(columns) ^ set(_columns(again, "step")))
    if differing:
        raise refusal(
            f"the step of recursive has other columns than the seed: {', '.join(differing)}",
            "select the same columns in both",
        )
    if not ir.refers(again, so_far):
        raise refusal(
            "the step of recursive does not read the result so far",
            "join the alias it is called with; without it this is union(seed, step)",
        )
    _check(again, so_far)
    tree = ir.Recursive(first, *_numbered(again, so_far), max_rounds)
    return Query(Clauses(ir.Named(tree, ALIAS)))


def _check_rounds(rounds: object) -> None:
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise refusal(
            f"max_rounds is a number of rounds, 1 or more, not {rounds!r}",
            "it bounds how often the step runs in one epoch; 10_000 by default",
        )


def _columns(tree: ir.Node, part: str) -> tuple[str, ...]:
    columns = columns_of(tree)
    if columns is None:
        raise refusal(
            f"the columns of the {part} of recursive are not known",
            "select the columns, or declare the row type of the collection",
        )
    return columns


def _numbered(step: ir.Node, so_far: ir.RecursiveRef) -> tuple[ir.Node, ir.RecursiveRef]:
    """Return a step whose own references have a number, and the reference.

    Equal recursions are equal trees then. The number is greater than that of any recursion inside the step, which keeps theirs apart.
    """
    inner = [node.marker for node in _references(step) if isinstance(node.marker, int)]
    mine = replace(so_far, marker=1 + max(inner, default=0))

    def numbered(node: ir.Node) -> ir.Node:
        return mine if node == so_far else ir.with_inputs(node, numbered)

    return numbered(step), mine


def _references(node: ir.Node) -> list[ir.RecursiveRef]:
    if isinstance(node, ir.RecursiveRef):
        return [node]
    return [found for child in ir.inputs(node) for found in _references(child)]


def _check(node: ir.Node, so_far: ir.RecursiveRef) -> None:
    """Refuse what would not only add to the result, and what may not run again for a row."""
    if not ir.refers(node, so_far):
        return
    refused = _refused(node)
    if refused is not None:
        clause, hint = refused
        raise refusal(f"the step of recursive uses {clause} over the result so far", hint)
    for child in ir.inputs(node):
        _check(child, so_far)


def _refused(node: ir.Node) -> tuple[str, str] | None:
    """Return the clause that may not read the result so far, with a hint; None if it may."""
    match node:
        case ir.Join(how=how) if how not in ("inner", "cross", "semi"):
            return f"join(how={how!r})", _NOT_YET
        case ir.Project(into=into) if into is not None:
            return "into", _FUNCTIONS
        case (
            ir.RecursiveRef() | ir.Named() | ir.Filter() | ir.Project() | ir.Join() | ir.UnionAll()
        ):
            return ("fn", _FUNCTIONS) if _calls_functions(node) else None
        case ir.SetOp(kind=kind):
            return ("except_" if kind == "except" else kind), _SET_OPERATIONS[kind]
        case ir.FilterRows():
            return "filter", _FUNCTIONS
        case ir.MapRows():
            return "map", _FUNCTIONS
        case ir.Recursive():
            return "another recursion", "let the inner one read finished results only"
        case _:
            return _CLAUSES.get(type(node), type(node).__name__.lower()), _AFTERWARDS


def _calls_functions(node: ir.Node) -> bool:
    match node:
        case ir.Filter(condition=condition):
            return contains(condition, Apply)
        case ir.Project(row=row):
            return contains(row, Apply)
        case ir.Join(on=on, residual=residual):
            further = () if residual is None else (residual,)
            return any(contains(part, Apply) for part in (*chain(*on), *further))
        case _:
            return False


_CLAUSES: Final[dict[type, str]] = {
    ir.Group: "group_by",
    ir.Nest: "nested",
    ir.Order: "order_by",
    ir.Windowed: "a window function",
}
_AFTERWARDS: Final = "do that with the finished result: query(recursive(...).alias('x'))"
_NOT_YET: Final = (
    "what is missing now may be found in a later round: take rows away from a source before,"
    " query(...).alias('x'), or from the finished result"
)
_FUNCTIONS: Final = (
    "a row may pass the loop more than once, and a function may not see it twice:"
    " call it on a source before, query(...).alias('x'), or on the finished result"
)
_SET_OPERATIONS: Final = {
    "distinct": "leave it out: the result of recursive is a set",
    "union": "write union_all: the result of recursive is a set",
    "intersect": "write a join with how='semi'",
    "except": _NOT_YET,
}
