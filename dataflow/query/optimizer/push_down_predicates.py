"""Move each condition of a filter down to the rows it speaks of.

    where a.x > 1 & b.y = 2 over A join B          ->   (A where a.x > 1) join (B where b.y = 2)     inner
    where a.x > 1 & b.y = 2 over A left join B     ->   where b.y = 2 over (A where a.x > 1) left join B
    where s.total > 1 over (select total=… from A) ->   select total=… from (A where … > 1)          subqueries
    where u.x > 1 over (A union B)                 ->   (A where x > 1) union (B where x > 1)         every set operation
    where key > 1 over A group by x                ->   (A where x > 1) group by x                    group keys, not aggregates

Not moved: conditions over several sides, or over none; into the nullable side of an outer join, where a filter above removes rows
and a filter below would only unmatch them; below a limit, whose window it would shift, or a recursion; past a call of a user
function (`barriers`), be it in a condition that stands earlier.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TypeAlias

from dataflow.errors import QueryError
from dataflow.frozen import replace
from dataflow.query.ir import (
    Filter,
    Group,
    Join,
    Named,
    Nest,
    Node,
    Order,
    Project,
    Scan,
    SetOp,
    UnionAll,
    scope,
    with_inputs,
)
from dataflow.query.optimizer.barriers import calls_no_user, is_open
from dataflow.query.rows import column
from dataflow.query.scalar import (
    Cell,
    Column,
    Record,
    RowOf,
    Scalar,
    aliases_of,
    conjunction,
    conjuncts,
    rewrite,
    walk,
)

Conditions: TypeAlias = tuple[Scalar, ...]

_RIGHT_IS_OPEN = {"inner", "cross", "right"}
_LEFT_IS_OPEN = {"inner", "cross", "left", "semi", "anti"}


def push_down_predicates(node: Node) -> Node:
    """Push the conditions of every filter of a tree as far down as they may go."""
    if isinstance(node, Filter):
        return _push(push_down_predicates(node.input), conjuncts(node.condition))
    return with_inputs(node, push_down_predicates)


def open_sides(join: Join) -> tuple[bool, bool]:
    """Tell to which sides of a join, left and right, conditions can be pushed."""
    if not is_open(join):
        return False, False
    return join.how in _LEFT_IS_OPEN, join.how in _RIGHT_IS_OPEN


def _push(node: Node, conditions: Conditions) -> Node:
    """Return `node` filtered by conditions over its row, each as deep as it may go."""
    if not conditions:
        return node
    if isinstance(node, Filter):  # neighbouring filters are one; the earlier condition stays first
        return _push(node.input, conjuncts(node.condition) + conditions)
    if not isinstance(node, Join | Named | Group | Nest | Order):
        return Filter(node, conjunction(conditions))
    movable = tuple(takewhile(calls_no_user, conditions))
    match node:
        case Join():
            pushed, stay = _into_join(node, movable)
        case Named(alias=alias):
            own, others = _split(movable, (alias,))  # a nested query also names rows around it
            below, stay = _into_row(node.input, alias, own)
            pushed, stay = Named(below, alias), others + stay
        case Group():
            pushed, stay = _into_group(node, movable)
        case Order(limit=limit, offset=offset):
            free = limit is None and not offset
            pushed = replace(node, input=_push(node.input, movable)) if free else node
            stay = () if free else movable
        case _:
            pushed, stay = _into_nest(node, movable)
    stay += conditions[len(movable) :]
    return Filter(pushed, conjunction(stay)) if stay else pushed


def _into_join(node: Join, conditions: Conditions) -> tuple[Node, Conditions]:
    left_is_open, right_is_open = open_sides(node)
    left, stay = _split(conditions, scope(node.left) if left_is_open else ())
    right, stay = _split(stay, scope(node.right) if right_is_open else ())
    if not left and not right:
        return node, stay
    sides = _push(node.left, left), _push(node.right, right)
    return Join(*sides, node.how, node.on, node.residual), stay


def _into_nest(node: Nest, conditions: Conditions) -> tuple[Node, Conditions]:
    """Push what is about outer rows alone."""
    own, stay = _split(conditions, scope(node.input) if is_open(node) else ())
    return (Nest(_push(node.input, own), node.parts) if own else node), stay


def _split(conditions: Conditions, aliases: tuple[str, ...]) -> tuple[Conditions, Conditions]:
    """Divide conditions into those that speak of some aliases and of no others, and the rest."""
    about: list[Scalar] = []
    rest: list[Scalar] = []
    for part in conditions:
        read = aliases_of(part)
        (about if read and read.issubset(aliases) else rest).append(part)
    return tuple(about), tuple(rest)


def _into_group(node: Group, conditions: Conditions) -> tuple[Node, Conditions]:
    """Push what is about group keys alone: it holds for all rows of a group or for none."""
    if not is_open(node):
        return node, conditions
    keys = node.keys

    def is_key(condition: Scalar) -> bool:
        cells = [part.index for part in walk(condition) if isinstance(part, Cell)]
        return bool(cells) and max(cells) < len(keys)

    def key(part: Scalar) -> Scalar | None:
        return keys[part.index] if isinstance(part, Cell) else None

    own = tuple(rewrite(part, key) for part in conditions if is_key(part))
    stay = tuple(part for part in conditions if not is_key(part))
    return (replace(node, input=_push(node.input, own)) if own else node), stay


def _into_row(node: Node, alias: str, conditions: Conditions) -> tuple[Node, Conditions]:
    """Push conditions on the row users see of a tree, known above it as `alias`; return what has to stay above it too."""
    match node:
        case Project() if is_open(node):
            translated = {part: _through(part, node, alias) for part in conditions}
            below = tuple(found for found in translated.values() if found is not None)
            stay = tuple(part for part, found in translated.items() if found is None)
            return (replace(node, input=_push(node.input, below)) if below else node), stay
        case UnionAll(inputs=inputs) | SetOp(inputs=inputs):
            return replace(
                node, inputs=tuple(_above(each, alias, conditions) for each in inputs)
            ), ()
        case Order(limit=None, offset=0):
            pushed, stay = _into_row(node.input, alias, conditions)
            return replace(node, input=pushed), stay
        case Scan() | Named() | Filter() | Join() if len(scope(node)) == 1:
            return _above(node, alias, conditions), ()
        case _:
            return node, conditions


def _above(node: Node, alias: str, conditions: Conditions) -> Node:
    """Return a tree whose row, elsewhere known as `alias`, is filtered by conditions."""
    inner = scope(node)
    if len(inner) == 1:
        return _push(node, tuple(_renamed(part, alias, inner[0]) for part in conditions))
    pushed, stay = _into_row(node, alias, conditions)
    own = tuple(_renamed(part, alias, "") for part in stay)
    return Filter(pushed, conjunction(own)) if own else pushed


def _renamed(condition: Scalar, alias: str, inner: str) -> Scalar:
    def rename(part: Scalar) -> Scalar | None:
        if isinstance(part, Column | RowOf) and part.alias == alias:
            return replace(part, alias=inner)
        return None

    return condition if alias == inner else rewrite(condition, rename)


def _through(condition: Scalar, select: Project, alias: str) -> Scalar | None:
    """Return a condition on a selected row as one on what it is selected from; None if there is no such condition."""
    row = select.row
    if isinstance(row, RowOf):
        return _renamed(condition, alias, row.alias)
    if not isinstance(row, Record):
        return None
    missing = False

    def expression(part: Scalar) -> Scalar | None:
        nonlocal missing
        if not isinstance(part, Column | RowOf) or part.alias != alias:
            return None
        found = _column(row, part.name, select.input) if isinstance(part, Column) else None
        missing = missing or found is None
        return found

    translated = rewrite(condition, expression)
    return None if missing else translated


def _column(record: Record, name: str, below: Node) -> Scalar | None:
    try:
        return column(record, name, below)
    except QueryError:  # it may come from a spread whose fields are not known
        return None
