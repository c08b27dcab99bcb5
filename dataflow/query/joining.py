"""Joins: what may stand on the right side, and how a condition splits into its parts.

The condition of a join is one expression, or several that are ANDed. Its top-level equalities
between the two sides become key pairs, by which matches are looked up; everything else becomes the
residual, which is tested for each pair and is part of the match. A condition no part of which names
both sides is
refused: it would pair all rows, which is what a cross join says in words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from dataflow.errors import near
from dataflow.query import ir
from dataflow.query.expr import as_condition, node_of
from dataflow.query.notation import text_of
from dataflow.query.rows import leaves
from dataflow.query.scalar import (
    Apply,
    Call,
    Column,
    Scalar,
    aliases_of,
    conjunction,
    conjuncts,
    contains,
)
from dataflow.query.scope import check_aliases, check_free_of_groups
from dataflow.query.traps import QueryPart, refusal

if TYPE_CHECKING:
    from dataflow.query.expr import Expr

KINDS: Final = ("inner", "left", "right", "full", "semi", "anti", "cross")


def joined(
    left: ir.Node,
    right: ir.Scan | ir.Named,
    on: Expr[bool] | Iterable[Expr[bool]] | None,
    how: str,
) -> ir.Join:
    """Return the join of a tree with one more leaf.

    Raises:
        QueryError: The kind is unknown, the alias taken, or the condition missing or one-sided.
    """
    if how not in KINDS:
        raise refusal(
            f"unknown kind of join {how!r}{near(str(how), KINDS)}", f"one of {', '.join(KINDS)}"
        )
    if right.alias in leaves(left):
        raise refusal(
            f"alias {right.alias!r} is used twice in one query",
            "give one of the two another name: source.alias('other')",
        )
    both = ir.Join(left, right, "cross")
    if how == "cross":
        if on is not None:
            raise refusal("a cross join takes no on: it pairs all rows", "how='inner' takes on")
        return both
    given = _conditions(on)
    if not given:
        raise refusal(
            f"join of {right.alias!r} without on", "write on=a.x == b.y; how='cross' pairs all rows"
        )
    for condition in given:
        check_free_of_groups(condition, "on")
        check_aliases(condition, both, "on")
    pairs, rest = _split(conjunction(tuple(map(node_of, given))), left, right)
    return ir.Join(left, right, how, pairs, conjunction(rest) if rest else None)


def _conditions(on: Any) -> list[Expr[bool]]:
    if on is None:
        return []
    several = isinstance(on, Iterable) and not isinstance(on, QueryPart | str)
    return [as_condition(part, "on") for part in (on if several else (on,))]


def _split(
    condition: Scalar, left: ir.Node, right: ir.Node
) -> tuple[tuple[tuple[Scalar, Scalar], ...], tuple[Scalar, ...]]:
    """Split a condition: equalities with one side each, the left side first, and the rest."""
    sides = (frozenset(ir.scope(left)), frozenset(ir.scope(right)))
    parts = conjuncts(condition)
    pairs = [_pair(part, *sides) for part in parts]
    equalities = tuple([pair for pair in pairs if pair is not None])
    if not equalities and not any(all(aliases_of(part) & side for side in sides) for part in parts):
        lacking = [", ".join(map(repr, sorted(side))) for side in sides]
        raise refusal(
            f"on={text_of(condition)} does not relate {lacking[0]} to {lacking[1]}",
            "compare a column of the one with a column of the other; without any use how='cross'",
            "a condition on one side alone belongs in where(...)",
        )
    rest = tuple([part for part, pair in zip(parts, pairs, strict=True) if pair is None])
    return equalities, rest


def _reads_only(node: Scalar, side: frozenset[str]) -> bool:
    """Tell whether an expression reads aliases, all of them of one side."""
    if isinstance(node, Column):
        return node.alias in side
    aliases = aliases_of(node)
    return bool(aliases) and aliases <= side


def _pair(
    part: Scalar, left: frozenset[str], right: frozenset[str]
) -> tuple[Scalar, Scalar] | None:
    if not (isinstance(part, Call) and part.name == "eq"):
        return None
    one, other = part.args
    for mine, theirs in ((one, other), (other, one)):
        if _reads_only(mine, left) and _reads_only(theirs, right):
            for side in (mine, theirs):
                if contains(side, Apply):
                    raise refusal(
                        f"{text_of(side)} in on={text_of(part)}: rows cannot be looked up by a call",
                        "select its result in a subquery: "
                        "s = query(a).select(a, part=fn(f, a.x)).alias('s'); on=s.part == b.y",
                    )
            return mine, theirs
    return None
