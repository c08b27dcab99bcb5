"""Move each condition of a filter to the join side it speaks of.

    Filter(a.x > 1 AND b.y = 2, Join(A, B))   ->   Join(Filter(a.x > 1, A), Filter(b.y = 2, B))       inner
    Filter(a.x > 1 AND b.y = 2, A left B)     ->   Filter(b.y = 2, Filter(a.x > 1, A) left B)         left

Not moved: conditions over several sides or over none; into the nullable side of an outer join, where a filter above removes rows
and a filter below would only unmatch them; conditions that call user functions, which must see only the rows they saw before;
anything below a limit, a group or a select (those are not looked through).
"""

from __future__ import annotations

from dataclasses import replace

from dataflow.query.ir import Filter, Join, Node, scope, with_inputs
from dataflow.query.scalar import Apply, Scalar, aliases_of, conjunction, conjuncts, contains

_RIGHT_IS_FREE = {"inner", "cross", "right"}
_LEFT_IS_FREE = {"inner", "cross", "left", "semi", "anti"}


def push_down_predicates(node: Node) -> Node:
    """Push the conditions of every filter of a tree as far down as they may go."""
    if isinstance(node, Filter):
        return _push(push_down_predicates(node.input), conjuncts(node.condition))
    return with_inputs(node, push_down_predicates)


def _push(node: Node, conditions: tuple[Scalar, ...]) -> Node:
    """Return `node` filtered by conditions, each as deep as it may go."""
    if not conditions:
        return node
    if isinstance(node, Filter):  # neighbouring filters are one; the earlier condition stays first
        return _push(node.input, conjuncts(node.condition) + conditions)
    if not isinstance(node, Join):
        return Filter(node, conjunction(conditions))
    left = _movable(conditions, node.left) if node.how in _LEFT_IS_FREE else ()
    right = _movable(conditions, node.right) if node.how in _RIGHT_IS_FREE else ()
    stay = tuple(part for part in conditions if part not in left and part not in right)
    joined = replace(node, left=_push(node.left, left), right=_push(node.right, right))
    return Filter(joined, conjunction(stay)) if stay else joined


def _movable(conditions: tuple[Scalar, ...], side: Node) -> tuple[Scalar, ...]:
    """Return the conditions that speak of one side alone."""
    here = frozenset(scope(side))
    return tuple(
        part
        for part in conditions
        if (read := aliases_of(part)) and read <= here and not contains(part, Apply)
    )
