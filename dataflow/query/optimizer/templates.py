"""Templates: a query of a known shape is optimized by filling in its sources and constants.

    where a.x > 3, a.y == "open" over S   ->   the tree of  where a.x > ?, a.y == ? over ?,  with 3, "open" and S

Lifted are sources, of which rules read nothing but what a `SourceHole` says, and constants that a filter compares with a column,
which no rule looks at. All else belongs to the shape. Not kept are trees with user functions, which may hold on to anything, and
recursions, no two of which are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

from dataflow.frozen import frozen, values_of
from dataflow.query import ir
from dataflow.query.optimizer.barriers import is_open_throughout
from dataflow.query.optimizer.facts_to_columns import facts_to_columns
from dataflow.query.scalar import Call, Column, Const, Scalar, call_of

Fill: TypeAlias = Callable[[list[Any]], Any]

TEMPLATES_KEPT: Final = 1_000  # more are forgotten, oldest first
_COMPARISONS: Final = frozenset(("eq", "ne", "lt", "le", "gt", "ge", "in"))

_templates: dict[ir.Node, Fill] = {}


@frozen
class SourceHole:
    """Stands for a source: what rules may ask of it, and its place among the values lifted."""

    index: int
    name: str
    row_type: Any
    key_field: str | None


@frozen
class ConstHole:
    """Stands for the value of a constant."""

    index: int


_HOLES: Final = (SourceHole, ConstHole)


def from_template(tree: ir.Node, optimize: Callable[[ir.Node], ir.Node]) -> ir.Node:
    """Return what `optimize` makes of a tree, without calling it for a shape that is known.

    Complexity: O(nodes of relations and conditions) for a known shape, apart from hashing the tree.
    """
    lifted = _Lifted()
    try:
        shape = lifted.tree(tree)
        fill = _templates.get(shape)
    except TypeError:  # something in it is not hashable
        return optimize(tree)
    if fill is None:
        if not _may_be_kept(tree):
            return optimize(tree)
        fill = _templates[shape] = _filling(optimize(shape))
        if len(_templates) > TEMPLATES_KEPT:
            del _templates[next(iter(_templates))]
    filled: ir.Node = fill(lifted.values)
    return filled


def _may_be_kept(tree: ir.Node) -> bool:
    """Tell whether a tree calls no user functions, asks for no facts and has no recursion."""
    return is_open_throughout(tree) and facts_to_columns(tree) is tree and not _recurs(tree)


def _recurs(tree: ir.Node) -> bool:
    return isinstance(tree, ir.Recursive) or any(map(_recurs, ir.inputs(tree)))


class _Lifted:
    """The values lifted out of one tree, in order."""

    __slots__ = ("_places", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[int, int] = {}

    def tree(self, node: ir.Node) -> ir.Node:
        """Return the shape of a tree."""
        if isinstance(node, ir.Scan):
            return self._scan(node.source.relation, node.alias)
        if isinstance(node, ir.Filter):
            return ir.Filter(self.tree(node.input), self._condition(node.condition))
        if isinstance(node, ir.Group):
            return ir.Group(self.tree(node.input), node.keys, node.aggregates)
        return ir.with_inputs(node, self.tree)

    def _scan(self, relation: ir.Relation, alias: str) -> ir.Scan:
        place = self._places.get(id(relation))
        if place is None:
            place = self._places[id(relation)] = self._add(relation)
        hole = _source_hole(place, relation.name, relation.row_type, relation.key_field)
        return _scan_hole(hole, alias)

    def _condition(self, node: Scalar) -> Scalar:
        if not isinstance(node, Call):
            return node
        if node.name == "and":
            return Call("and", tuple([self._condition(part) for part in node.args]))
        if node.name in _COMPARISONS:
            left, right = node.args
            if left.__class__ is Column and isinstance(right, Const):
                return call_of(node.name, (left, _const_hole(self._add(right.value))))
        return node

    def _add(self, value: Any) -> int:
        self.values.append(value)
        return len(self.values) - 1


@lru_cache(maxsize=TEMPLATES_KEPT)
def _source_hole(index: int, name: str, row_type: Any, key_field: str | None) -> ir.SourceRef:
    """Return the one reference to a hole: references are compared by identity."""
    return ir.SourceRef(SourceHole(index, name, row_type, key_field))


@lru_cache(maxsize=TEMPLATES_KEPT)
def _scan_hole(source: ir.SourceRef, alias: str) -> ir.Scan:
    return ir.Scan(source, alias)


@lru_cache(maxsize=TEMPLATES_KEPT)
def _const_hole(index: int) -> Const:
    return Const(ConstHole(index))


def _filling(part: Any) -> Fill:
    """Return what puts values into the holes of a tree: one generated expression; parts without holes stay one object."""
    names: dict[str, Any] = {}
    text = _text(part, names) or _name(part, names)
    fill: Fill = eval(f"lambda values: {text}", names)
    return fill


def _text(part: Any, names: dict[str, Any]) -> str | None:
    """Return the expression that makes a part of a tree from `values`, None if there are no holes in it.

    Args:
        names: takes up the objects that the expression speaks of.
    """
    if isinstance(part, _HOLES):
        return f"values[{part.index}]"
    inner = part if isinstance(part, tuple) else values_of(part)
    found = [_text(each, names) for each in inner]
    if not any(found):
        return None
    texts = [text or _name(each, names) for text, each in zip(found, inner, strict=True)]
    made = "" if isinstance(part, tuple) else _name(part.__class__, names)
    return f"{made}({', '.join(texts)}{',' if not made else ''})"


def _name(part: Any, names: dict[str, Any]) -> str:
    name = f"part{len(names)}"
    names[name] = part
    return name
