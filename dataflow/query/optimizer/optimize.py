"""The pipeline of rewrites, on one screen.

Each rule is a function from tree to tree, in a file of its own. Rules keep rows, keys and order: a query means the same with any of
them left out, which the tests draw at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dataflow.query.ir import Node
from dataflow.query.optimizer.derive_side_conditions import derive_side_conditions
from dataflow.query.optimizer.facts_to_columns import facts_to_columns
from dataflow.query.optimizer.fold_constants import fold_constants
from dataflow.query.optimizer.narrow_to_reads import narrow_to_reads
from dataflow.query.optimizer.push_down_predicates import push_down_predicates
from dataflow.query.optimizer.residuals_to_filters import residuals_to_filters
from dataflow.query.optimizer.templates import from_template

Rule = Callable[[Node], Node]

RULES: tuple[Rule, ...] = (
    fold_constants,
    residuals_to_filters,
    derive_side_conditions,
    push_down_predicates,
    narrow_to_reads,
)


def optimize(node: Node, rules: Sequence[Rule] | None = None) -> Node:
    """Apply every rule in order.

    Args:
        rules: instead of `RULES`.
    """
    if rules is None:
        return from_template(node, _by_rules)
    return _by_rules(node, rules)


def _by_rules(node: Node, rules: Sequence[Rule] = RULES) -> Node:
    node = facts_to_columns(node)
    for rule in rules:
        node = rule(node)
    return node
