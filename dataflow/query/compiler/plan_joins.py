"""Planning joins: which of the join nodes answers which join.

    inner, cross                               Join, with any further condition as a filter over the pairs
    left by equality                           Join, outer
    semi, anti by equality                     SemiJoin
    right, full; left with a further condition Outer over the pairs that match
    semi, anti with a further condition        Matched over the pairs that match

What the optimizer has noted on a side, the columns read of it, is no node: the join itself leaves alone what changes nothing read. So
joins that read different columns share the arrangements, which always hold the rows as they are.

A join without equality is one on a key that all rows share: every row meets every row, so a change costs as much as the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.compiler.index import Index
from dataflow.query.compiler.inside import known_as
from dataflow.query.compiler.join import Join, JoinShape
from dataflow.query.compiler.keys import join_key
from dataflow.query.compiler.matching import Matched, Outer
from dataflow.query.compiler.planning import Physical
from dataflow.query.compiler.reads import peel, unchanged
from dataflow.query.compiler.semijoin import SemiJoin
from dataflow.query.compiler.steps import Test
from dataflow.query.compiler.through import Through
from dataflow.query.scalar import Column, RowOf, aliases_of, column_of, reads_of, rewrite

if TYPE_CHECKING:
    from dataflow.query.compiler.planning import Planning
    from dataflow.query.scalar import Scalar


def plan_join(planner: Planning, tree: ir.Join, *, inside: bool = False) -> Physical:
    """Return the node of a join; with `inside` one that runs inside its reader, if one node answers it."""
    exists = tree.how in {"semi", "anti"}
    if exists and tree.residual is None:
        return _semijoin(planner, tree)
    if tree.how in {"inner", "cross"} or (tree.how == "left" and tree.residual is None):
        return _pairs(planner, tree, outer=tree.how == "left", inside=inside)
    pairs = _pairs(planner, _counted(tree) if exists else tree, outer=False)
    left_tree, left_reads = peel(tree.left)
    left = planner.build(left_tree, stored=True)
    width = max(len(left.layout.slots), 1)
    same = unchanged(left.layout, left_reads)
    if exists:
        wanted = tree.how == "semi"
        node = planner.share(
            ("matched", pairs.node, left.node, width, wanted, same),
            lambda: Matched(pairs.node, left.node, width, wanted=wanted, same=same),
        )
        return Physical(node, left.layout)
    right_tree, right_reads = peel(tree.right)
    right = planner.build(right_tree, stored=True)
    both = (same, unchanged(right.layout, right_reads))
    keep_left, keep_right = tree.how in {"left", "full"}, tree.how in {"right", "full"}
    node = planner.share(
        ("outer", pairs.node, left.node, right.node, width, keep_left, keep_right, both),
        lambda: Outer(
            pairs.node,
            left.node,
            right.node,
            width,
            keep_left=keep_left,
            keep_right=keep_right,
            same=both,
        ),
    )
    return Physical(node, pairs.layout.absent(width, left=keep_right, right=keep_left))


def _counted(tree: ir.Join) -> ir.Join:
    """Return the join whose pairs are only counted: of its left rows no more is read than the conditions do."""
    residual = () if tree.residual is None else (tree.residual,)
    left, _ = peel(tree.left)
    here = frozenset(ir.scope(left))
    read = reads_of(*(own for own, _ in tree.on), *residual)
    columns = frozenset(part for part in read if aliases_of(part) <= here)
    return replace(tree, left=ir.Narrow(left, columns))


def _semijoin(planner: Planning, tree: ir.Join) -> Physical:
    (left_tree, columns), (right_tree, _) = peel(tree.left), peel(tree.right)
    left = planner.build(left_tree)
    left_index = index_of(planner, left, tuple(pair[0] for pair in tree.on))
    right_index = index_of(planner, planner.build(right_tree), tuple(pair[1] for pair in tree.on))
    wanted, same = tree.how == "semi", unchanged(left.layout, columns)
    node = planner.share(
        ("semijoin", left.node, left_index, right_index, wanted, same),
        lambda: SemiJoin(left.node, left_index, right_index, wanted=wanted, same=same),
    )
    return Physical(node, left.layout)


def _pairs(planner: Planning, tree: ir.Join, *, outer: bool, inside: bool = False) -> Physical:
    """Return the pairs of rows that match, and with `outer` the left rows that match nothing."""
    inside = inside or tree.residual is not None
    primary = _joins_on_row_key(tree)
    (left_tree, left_reads), (right_tree, right_reads) = peel(tree.left), peel(tree.right)
    parts = tuple(pair[0] for pair in tree.on)
    left, left_index = _indexed(planner, left_tree, parts)
    right = planner.build(right_tree, stored=primary)
    right_index = None if primary else index_of(planner, right, tuple(pair[1] for pair in tree.on))
    same = (unchanged(left.layout, left_reads), unchanged(right.layout, right_reads))
    shape = JoinShape(
        outer=outer,
        primary=primary,
        flat=left.layout.joined,
        reads_left=same[0] is not None,
        reads_right=same[1] is not None,
    )
    through = left_index.identity if isinstance(left_index, Through) else left_index
    identity = ("join", known_as(left.node), right.node, shape, through, right_index, same)

    def make() -> Join:
        return Join(left.node, right.node, shape, left_index, right_index, same, inside=inside)

    if inside:
        node = make()
        node.identity = identity
    else:
        node = planner.share(identity, make)
    joined = Physical(node, left.layout.joined_with(right.layout, nullable=outer))
    return (
        joined
        if tree.residual is None
        else planner.steps(joined, (Test(tree.residual),), stored=False)
    )


def _indexed(
    planner: Planning, tree: ir.Node, parts: tuple[Scalar, ...]
) -> tuple[Physical, Index | Through]:
    """Return the left side of a join, and its index: one through a join where that serves."""
    left = planner.build(tree, inside=True)
    through = _through(planner, left, parts)
    if through is not None:
        return left, through
    left = planner.build(tree)
    return left, index_of(planner, left, parts)


def _through(planner: Planning, left: Physical, parts: tuple[Scalar, ...]) -> Through | None:
    """Return an index of a join that keeps nothing, if its right side alone is asked for, and is the smaller one."""
    join = left.node
    if not isinstance(join, Join) or not join.is_to_the_smaller():
        return None
    slot = left.layout.slots[-1]
    if not parts or any(aliases_of(part) != {slot.alias} for part in parts):
        return None
    right = Physical(join.right, replace(left.layout, slots=(slot.at(None),)))
    return Through(join, index_of(planner, right, parts), join_key(left.layout, parts).of)


def index_of(planner: Planning, side: Physical, parts: tuple[Scalar, ...]) -> Index:
    """Return the arrangement of a relation by some expressions, whatever its alias: all who ask share it."""
    layout = side.layout
    if len(layout.slots) == 1:
        layout = layout.named("")
        parts = tuple(rewrite(part, _without_alias) for part in parts)
    made = planner.share(
        ("index", side.node, layout, parts),
        lambda: Index(side.node, join_key(layout, parts)),
    )
    assert isinstance(made, Index)
    return made


def _without_alias(part: Scalar) -> Scalar | None:
    if isinstance(part, Column):
        return column_of("", part.name)
    return RowOf("") if isinstance(part, RowOf) else None


def _joins_on_row_key(tree: ir.Join) -> bool:
    """Tell whether the right side is joined on the key under which its rows are known."""
    if len(tree.on) != 1:
        return False
    (right, _), part = peel(tree.right), tree.on[0][1]
    while isinstance(right, ir.Filter | ir.FilterRows):
        right = right.input
    if not isinstance(right, ir.Scan) or not isinstance(part, Column):
        return False
    return right.source.relation.key_field == part.name
