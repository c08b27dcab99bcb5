"""Turn the further condition of an inner join into a filter above it.

    Join(A, B, on, residual)   ->   Filter(residual, Join(A, B, on))      inner

For an inner join "matches and satisfies" and "is in the result and satisfies" are the same; as a filter the condition can be pushed to
one side, or run in one function with what follows. Not so for outer joins, where a failing condition makes a row unmatched.
"""

from __future__ import annotations

from dataflow.frozen import replace
from dataflow.query.ir import Filter, Join, Node, with_inputs


def residuals_to_filters(node: Node) -> Node:
    """Rewrite every inner join of a tree that has a further condition."""
    node = with_inputs(node, residuals_to_filters)
    if not isinstance(node, Join) or node.how != "inner" or node.residual is None:
        return node
    return Filter(replace(node, residual=None), node.residual)
