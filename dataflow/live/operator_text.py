"""What an operator of a plan does, as text: from the identity it is shared by, and the part of the query it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query import ir
from dataflow.query.compiler.steps import CallFilter, CallMap, Construct, Select, Step, Test
from dataflow.query.notation import text_of
from dataflow.query.render import cells_of, columns_text, describe, function_name
from dataflow.query.rows import columns_of
from dataflow.query.scalar import Cell, Scalar, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.query.compiler.layout import Layout

PAIRS_ALONE = frozenset(("right", "full", "semi", "anti"))
"""Joins whose `join` operator yields the pairs that match, while another one completes the answer."""


def does_text(identity: tuple[Any, ...], answer: ir.Node | None, label: str) -> str:
    """Return what an operator does, with the joins that run inside.

    Args:
        identity: see `Outline.identities`.
        answer: the part of the query that the operator answers, if it answers one alone.
        label: the operator's own name for itself.
    """
    joins = map(_join_text, joins_inside(identity, answer))
    return ": ".join(("; ".join(joins), _own_text(identity, answer, label))).removeprefix(": ")


def joins_inside(identity: tuple[Any, ...], answer: ir.Node | None) -> list[ir.Node | None]:
    """Return the joins that run inside an operator, in the order they run; None for one that answers no part of the query alone."""
    joins: list[ir.Node | None] = []
    tree = answer
    if identity[0] == "join" and answer is not None:
        tree = _left_of(operator_of(answer, ir.Join))
    below = identity[1] if identity[0] in {"Chain", "StoredChain", "group", "join"} else None
    while isinstance(below, tuple):
        join = operator_of(tree, ir.Join)
        joins.append(join)
        tree, below = _left_of(join), below[1]
    return joins[::-1]


def _left_of(join: ir.Node | None) -> ir.Node | None:
    return join.left if isinstance(join, ir.Join) else None


def _join_text(join: ir.Node | None) -> str:
    if isinstance(join, ir.Join) and join.how not in PAIRS_ALONE and join.residual is None:
        return describe(join)
    return "pairs that match"


def _own_text(identity: tuple[Any, ...], answer: ir.Node | None, label: str) -> str:
    match identity:
        case ("index", _, _, parts):
            by = ", ".join(map(text_of, parts))
            return f"arrangement by {by}" if by else "arrangement of all rows"
        case ("Chain" | "StoredChain", _, _, steps):
            below = operator_of(answer, ir.Group | ir.Windowed | ir.Order)
            return _steps_text(steps, () if below is None else cells_of(below)) or "keep rows"
        case ("group", _, _, keys, aggregates, _, steps, _):
            return _group_text(keys, aggregates, steps)
        case ("join", *_):
            return _join_text(operator_of(answer, ir.Join))
        case ("outer" | "matched" | "semijoin", *_):
            join = operator_of(answer, ir.Join)
            return label if join is None else describe(join)
        case ("window" | "nest" | "recursive" | "set operation" | "union all", *_) if answer:
            kinds = ir.Windowed | ir.Nest | ir.Recursive | ir.SetOp | ir.UnionAll
            operator = operator_of(answer, kinds)
            return label if operator is None else describe(operator)
        case _:
            return label if answer is None else describe(answer)


def operator_of(tree: ir.Node | None, kind: Any) -> ir.Node | None:
    """Return the first node of some kind, of those above which there are only row-by-row ones."""
    while tree is not None and not isinstance(tree, kind):
        below = ir.inputs(tree)
        tree = below[0] if len(below) == 1 else None
    return tree


def _group_text(
    keys: tuple[Scalar, ...], aggregates: tuple[Scalar, ...], steps: Iterable[Step]
) -> str:
    by = ", ".join(map(text_of, keys))
    text = f"group by {by}" if keys else "one group of all rows"
    then = _steps_text(steps, (*keys, *aggregates))
    if not then:
        then = ", ".join(map(text_of, aggregates))
    return f"{text}: {then}" if then else text


def _steps_text(steps: Iterable[Step], cells: tuple[Scalar, ...]) -> str:
    def cell(part: Scalar) -> Scalar | None:
        return cells[part.index] if isinstance(part, Cell) and part.index < len(cells) else None

    texts = []
    for step in steps:
        match step:
            case Test(condition=condition):
                texts.append(f"where {text_of(rewrite(condition, cell))}")
            case Select(row=row):
                texts.append(f"select {columns_text(rewrite(row, cell))}")
            case Construct(into=into):
                texts.append(f"into {into.__name__}")
            case CallFilter(function=function):
                texts.append(f"filter {function_name(function)}")
            case CallMap(function=function):
                texts.append(f"map {function_name(function)}")
            case _:
                pass
    return "; ".join(texts)


def key_text(tree: ir.Node) -> str:  # noqa: C901 - one case per kind of key
    """Return under which key the rows of a tree are known."""
    match tree:
        case ir.Scan(source=source):
            return source.relation.key_field or "key"
        case ir.Join(how="semi" | "anti"):
            return key_text(tree.left)
        case ir.Join():
            return f"({', '.join(ir.scope(tree))})"
        case ir.Group(keys=keys):
            parts = ", ".join(map(text_of, keys))
            return parts if len(keys) == 1 else f"({parts})"
        case ir.SetOp(columns=columns) | ir.RecursiveRef(columns=columns):
            return "value" if columns is None else f"({', '.join(columns)})"
        case ir.Recursive(columns=columns):
            return f"({', '.join(columns)})"
        case ir.UnionAll():
            return "(query, key)"
        case ir.Unnest():
            return f"({key_text(tree.input)}, place)"
        case ir.Rekey(key=key):
            if callable(key):
                return f"{function_name(key)}(row)"
            return key[0] if tree.single else f"({', '.join(key)})"
        case _:
            return key_text(tree.input)


def row_text(tree: ir.Node, layout: Layout) -> str:
    """Return what the rows of a tree are."""
    base = operator_of(tree, _BASES)
    cells = () if base is None else cells_of(base)
    if cells and (layout.joined or not layout.slots):
        return f"({', '.join(map(text_of, cells))})"
    if layout.joined:
        names = (f"{slot.alias} or none" if slot.nullable else slot.alias for slot in layout.slots)
        return f"({', '.join(names)})"
    columns = columns_of(tree)
    if columns and not isinstance(base, ir.Scan):
        return f"{{{', '.join(columns)}}}"
    return next(iter(ir.scope(tree)), "row")


_BASES = (
    ir.Scan
    | ir.Project
    | ir.MapRows
    | ir.Join
    | ir.Group
    | ir.Windowed
    | ir.Nest
    | ir.SetOp
    | ir.UnionAll
    | ir.Recursive
)
