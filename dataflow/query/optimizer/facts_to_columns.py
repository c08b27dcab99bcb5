"""Read row facts as columns: what `facts(alias)` asks, a source that hands out rows beside their facts answers.

    select t.x from T as t where facts(t).pending
        ->   select t.row["x"] from (rows of T with their facts) as t where t.pending

Only the aliases whose facts are asked for are read like that; everything else about the query stays. Not a rule that could be left
out, but the first step of every one: nothing below knows of facts. A block of a query (a subquery, an operand, a nested query)
has aliases of its own; what it shows without select is the plain row again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.errors import QueryError
from dataflow.frozen import frozen, replace
from dataflow.query import ir
from dataflow.query.optimizer.expressions import with_expressions
from dataflow.query.scalar import Column, Fact, Item, RowOf, Scalar, rewrite, walk

if TYPE_CHECKING:
    from collections.abc import Callable

ROW = "row"
"""The column in which a row stands beside its facts."""


@frozen
class WithFacts:
    """A source whose rows are dicts: the row, and what its collection knows about it."""

    source: Any

    @property
    def name(self) -> str:
        """Label."""
        return f"{self.source.name} with facts"

    @property
    def row_type(self) -> None:
        """Dicts."""
        return

    @property
    def key_field(self) -> None:
        """The key is no field."""
        return


@frozen
class PlainRows:
    """A user function, called with plain rows where there are rows with facts.

    Attributes:
        function: what is called.
        aliases: under which of them rows stand beside facts; None if what is given is such a row itself.
    """

    function: Callable[[Any], Any]
    aliases: frozenset[str] | None

    def __call__(self, row: Any) -> Any:
        """Call the function."""
        if self.aliases is None:
            return self.function(row[ROW])
        plain = {a: plain_row(each) if a in self.aliases else each for a, each in row.items()}
        return self.function(plain)


def facts_to_columns(node: ir.Node) -> ir.Node:
    """Rewrite a tree in which facts are asked for; any other stays as it is."""
    return _block(node, frozenset()) if _asked(node) else node


def _block(node: ir.Node, outer: frozenset[str]) -> ir.Node:
    """Return a block without facts, showing plain rows.

    Args:
        node: the last node of the block.
        outer: aliases of the blocks around that are read with facts.
    """
    if isinstance(node, ir.Rekey):
        return replace(node, input=_block(node.input, outer))
    aliases = frozenset(_asked(node)) | outer
    lowered = _lowered(node, aliases)
    shown = ir.scope(lowered)
    return (
        ir.MapRows(lowered, plain_row)
        if len(shown) == 1 and shown[0] in _read(lowered)
        else lowered
    )


def _lowered(node: ir.Node, aliases: frozenset[str]) -> ir.Node:
    """Return a node of a block, in which some aliases are read with facts."""
    match node:
        case ir.Scan(source=source, alias=alias):
            if alias not in aliases:
                return node
            _check(source.relation)
            return ir.Scan(ir.SourceRef(WithFacts(source.relation)), alias)
        case ir.Named():
            return replace(node, input=_block(node.input, frozenset()))
        case ir.SetOp() | ir.UnionAll():
            return replace(node, inputs=tuple(_block(each, frozenset()) for each in node.inputs))
        case ir.Recursive(seed=seed, step=step):
            return replace(node, seed=_block(seed, frozenset()), step=_block(step, frozenset()))
        case ir.Nest(input=below, parts=parts):
            around = _lowered(below, aliases)
            inner = [replace(part, query=_block(part.query, aliases)) for part in parts]
            return ir.Nest(around, tuple(inner))
        case _:
            below = ir.with_inputs(node, lambda each: _lowered(each, aliases))
            return _with_functions(with_expressions(below, lambda e: _columns(e, aliases)))


def _with_functions(node: ir.Node) -> ir.Node:
    """Let the user function of a node see plain rows."""
    if not isinstance(node, ir.FilterRows | ir.MapRows):
        return node
    shown = ir.scope(node.input)
    read = _read(node.input) & frozenset(shown)
    if not read:
        return node
    aliases = None if len(shown) == 1 else read
    return replace(node, function=PlainRows(node.function, aliases))


def _columns(expression: Scalar, aliases: frozenset[str]) -> Scalar:
    """Return an expression that reads rows and facts as columns."""

    def column(part: Scalar) -> Scalar | None:
        match part:
            case Fact(alias=alias, name=name):
                return Column(alias, name)
            case Column(alias=alias, name=name) if alias in aliases:
                return Item(Column(alias, ROW), name)
            case RowOf(alias=alias) if alias in aliases:
                return Column(alias, ROW)
            case _:
                return None

    return rewrite(expression, column)


def _asked(node: ir.Node) -> set[str]:
    """Return the aliases whose facts are asked for, in a block and in the subqueries below it."""
    found: set[str] = set()

    def note(expression: Scalar) -> Scalar:
        found.update(part.alias for part in walk(expression) if isinstance(part, Fact))
        return expression

    with_expressions(node, note)
    return found.union(*map(_asked, ir.inputs(node)))


def _read(node: ir.Node) -> frozenset[str]:
    """Return the aliases of a block that are read with facts, once it is rewritten."""
    if isinstance(node, ir.Scan):
        return frozenset((node.alias,) if isinstance(node.source.relation, WithFacts) else ())
    if isinstance(node, ir.Named | ir.SetOp | ir.UnionAll | ir.Recursive):
        return frozenset()
    return frozenset[str]().union(*map(_read, ir.inputs(node)))


def plain_row(row: Any) -> Any:
    """Return the row that stands beside facts."""
    return None if row is None else row[ROW]


def _check(relation: ir.Relation) -> None:
    if not hasattr(relation, "facts_node"):
        error = QueryError(f"{relation.name!r} is derived: its rows have no facts")
        error.add_note("facts are what a collection knows about its own rows: ask them there")
        raise error
