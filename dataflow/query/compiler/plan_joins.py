"""Planning joins: which of the join nodes answers which join.

    inner, cross                               Join, with any further condition as a filter over the pairs
    left by equality                           Join, outer
    semi, anti by equality                     SemiJoin
    right, full; left with a further condition Outer over the pairs that match
    semi, anti with a further condition        Matched over the pairs that match

A join without equality is one on a key that all rows share: every row meets every row, so a change costs as much as the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.errors import QueryError
from dataflow.query import ir
from dataflow.query.compiler.index import Index
from dataflow.query.compiler.join import Join, JoinShape
from dataflow.query.compiler.keys import join_key
from dataflow.query.compiler.matching import Matched, Outer
from dataflow.query.compiler.planning import Physical
from dataflow.query.compiler.semijoin import SemiJoin
from dataflow.query.compiler.steps import Test
from dataflow.query.scalar import Apply, Column, contains

if TYPE_CHECKING:
    from dataflow.query.compiler.planning import Planning
    from dataflow.query.scalar import Scalar


def plan_join(planner: Planning, tree: ir.Join) -> Physical:
    """Return the node of a join."""
    exists = tree.how in {"semi", "anti"}
    if exists and tree.residual is None:
        return _semijoin(planner, tree)
    if tree.how in {"inner", "cross"} or (tree.how == "left" and tree.residual is None):
        return _pairs(planner, tree, outer=tree.how == "left")
    pairs = _pairs(planner, tree, outer=False)
    left = planner.build(tree.left, stored=True)
    width = max(len(left.layout.slots), 1)
    if exists:
        wanted = tree.how == "semi"
        node = planner.share(
            ("matched", pairs.node, left.node, width, wanted),
            lambda: Matched(pairs.node, left.node, width, wanted=wanted),
        )
        return Physical(node, left.layout)
    right = planner.build(tree.right, stored=True)
    keep_left, keep_right = tree.how in {"left", "full"}, tree.how in {"right", "full"}
    node = planner.share(
        ("outer", pairs.node, left.node, right.node, width, keep_left, keep_right),
        lambda: Outer(
            pairs.node, left.node, right.node, width, keep_left=keep_left, keep_right=keep_right
        ),
    )
    return Physical(node, pairs.layout.absent(width, left=keep_right, right=keep_left))


def _semijoin(planner: Planning, tree: ir.Join) -> Physical:
    left = planner.build(tree.left)
    left_index = _index(planner, left, tuple(pair[0] for pair in tree.on))
    right_index = _index(planner, planner.build(tree.right), tuple(pair[1] for pair in tree.on))
    wanted = tree.how == "semi"
    node = planner.share(
        ("semijoin", left.node, left_index, right_index, wanted),
        lambda: SemiJoin(left.node, left_index, right_index, wanted=wanted),
    )
    return Physical(node, left.layout)


def _pairs(planner: Planning, tree: ir.Join, *, outer: bool) -> Physical:
    """Return the pairs of rows that match, and with `outer` the left rows that match nothing."""
    primary = _joins_on_row_key(tree)
    left = planner.build(tree.left)
    right = planner.build(tree.right, stored=primary)
    left_index = _index(planner, left, tuple(pair[0] for pair in tree.on))
    right_index = None if primary else _index(planner, right, tuple(pair[1] for pair in tree.on))
    shape = JoinShape(outer=outer, primary=primary, flat=left.layout.joined)
    node = planner.share(
        ("join", left.node, right.node, shape, left_index, right_index),
        lambda: Join(left.node, right.node, shape, left_index, right_index),
    )
    joined = Physical(node, left.layout.joined_with(right.layout, nullable=outer))
    return (
        joined
        if tree.residual is None
        else planner.steps(joined, (Test(tree.residual),), stored=False)
    )


def _index(planner: Planning, side: Physical, parts: tuple[Scalar, ...]) -> Index:
    """Return the arrangement of a side by its join key."""
    if any(contains(part, Apply) for part in parts):
        raise QueryError("a join condition cannot call a Python function: select its result first")
    made = planner.share(
        ("index", side.node, side.layout, parts),
        lambda: Index(side.node, join_key(side.layout, parts)),
    )
    assert isinstance(made, Index)
    return made


def _joins_on_row_key(tree: ir.Join) -> bool:
    """Tell whether the right side is joined on the key under which its rows are known."""
    if len(tree.on) != 1:
        return False
    right, part = tree.right, tree.on[0][1]
    while isinstance(right, ir.Filter | ir.FilterRows):
        right = right.input
    if not isinstance(right, ir.Scan) or not isinstance(part, Column):
        return False
    return right.source.relation.key_field == part.name
