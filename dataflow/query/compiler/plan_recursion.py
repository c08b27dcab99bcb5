"""Planning recursion: one Fixpoint over the seed, with the step as a circuit inside it.

What reads the rows so far belongs to the loop and runs round by round. What does not is planned, and shared, as anywhere: the step's
own sources, subqueries over them, and the arrangements by which the rows so far meet them. The fixpoint reads those from outside.

A semi join with the rows so far is planned as the pairs that match. Each pair is a derivation; a node that tells of the first and the
last match alone would hide that a row lost one derivation, and the one that is left may follow from the row itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.compiler.columns import value_of_columns
from dataflow.query.compiler.fixpoint import Fixpoint, Loop
from dataflow.query.compiler.layout import RECORD
from dataflow.query.compiler.planning import Physical
from dataflow.query.scalar import RowOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.planning import Planning


def plan_recursion(
    planner: Planning, tree: ir.Recursive, plan_step: Callable[[Loop], Physical]
) -> Physical:
    """Return the node of a recursion.

    Args:
        plan_step: fills a loop with the nodes of the step, and returns the last one.
    """
    seed = planner.build(tree.seed)
    columns = tree.columns

    def make() -> Fixpoint:
        loop = Loop()
        step = plan_step(loop)
        return Fixpoint(
            seed.node,
            loop,
            step.node,
            value_of_columns(seed.layout, columns),
            value_of_columns(step.layout, columns),
            columns,
            tree.max_rounds,
        )

    identity = ("recursive", seed.node, seed.layout, tree.step, tree.so_far, tree.max_rounds)
    return Physical(planner.share(identity, make), RECORD)


def in_pairs(step: ir.Node, so_far: ir.RecursiveRef) -> ir.Node:
    """Return a step whose semi joins with the rows so far are inner joins; the result of a recursion is a set anyway."""
    if not ir.refers(step, so_far):
        return step
    tree = ir.with_inputs(step, lambda child: in_pairs(child, so_far))
    if not (isinstance(tree, ir.Join) and tree.how == "semi" and ir.refers(tree.right, so_far)):
        return tree
    pairs = replace(tree, how="inner")
    aliases = ir.scope(tree.left)
    if len(aliases) > 1:
        return pairs  # rows of several aliases are selected by name: one more does no harm
    return ir.Named(ir.Project(pairs, RowOf(aliases[0])), aliases[0])
