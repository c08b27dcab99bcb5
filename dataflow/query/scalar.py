"""Scalar expressions: the frozen nodes behind every column, condition and aggregate of a query.

A closed union of small values, compared by structure, that says *what* to compute for one row. It
knows nothing of Python operators (that is `expr.Expr`, the wrapper users hold), of rows in memory,
or of how code is generated.

References name an alias (`Column("message", "role")`); `""` is the anonymous row of a query that
has been selected. After planning, the cells of a grouped row are addressed by position (`Cell(2)`),
because a group has no names of its own.

Constants compare by type and value, so that `x == 1`, `x == 1.0` and `x == True` are three
different queries. `lift` separates an expression into its *shape* (constants and user callables
replaced by numbered parameters) and those
values: queries of one shape share one generated function.

Source  Neumann, "Efficiently Compiling Efficient Query Plans for Modern Hardware", VLDB 2011
        (data-centric code); parameter lifting as in any prepared statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the row bound to an alias; a missing field is null."""

    alias: str
    name: str


@dataclass(frozen=True, slots=True)
class RowOf:
    """The whole row bound to an alias (`None` where an outer join found no match)."""

    alias: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row by position: group keys, aggregates, values of window functions.

    Made by planning only.
    """

    index: int


@dataclass(frozen=True, slots=True)
class Selected:
    """A column of the select clause, by name (`selected.total`).

    Replaced when the query is finished.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A row fact of an alias: `pending`, `origin` or `key` (`facts(alias).pending`)."""

    alias: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """A step into a nested value: `base["name"]` or `base[0]`.

    Null where there is nothing to step into.
    """

    base: Scalar
    key: str | int


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A constant. Two constants are the same when type and value are, `1` and `True` are not."""

    value: object

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Const):
            return NotImplemented
        mine, theirs = self.value, other.value
        return mine is theirs or (mine.__class__ is theirs.__class__ and bool(mine == theirs))

    def __hash__(self) -> int:
        try:
            return hash((self.value.__class__, self.value))
        except TypeError:
            return hash(self.value.__class__)


@dataclass(frozen=True, slots=True)
class Call:
    """A library function or operator by name (`eq`, `add`, `and`, `lower`, `case` …).

    See `dataflow.query.operations`.
    """

    name: str
    args: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """A Python function of the user over scalar arguments (`fn(callable, x, y)`).

    Compared by identity.
    """

    function: Callable[..., Any]
    args: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A new dict: named values, in order.

    A name of `None` spreads the fields of its value (a row or a dict).
    """

    items: tuple[tuple[str | None, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Ordering:
    """One part of an order: what, which direction, and where nulls stand in the *result*."""

    by: Scalar
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate over the rows of a group.

    `kind` names it (`count`, `sum`, `fold` …); `args` are its scalar arguments, `order_by` the
    order in which an ordered aggregate sees them, `where` an extra condition on its rows, `options`
    what is no scalar (fold: initial, step, finish; string_agg: separator).
    """

    kind: str
    args: tuple[Scalar, ...] = ()
    where: Scalar | None = None
    order_by: tuple[Ordering, ...] = ()
    options: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Nested:
    """The rows of a subquery that belong to a row: a list, or with `one` a row or null.

    Replaced when the query is finished. `query` is an `ir` tree, in whose `where` the aliases of
    the query around it may be named.
    """

    query: object
    one: bool


@dataclass(frozen=True, slots=True)
class Window:
    """A function over the rows of a partition, in an order; what `over` makes.

    `kind` names it: a ranking (`row_number`, `rank`, `dense_rank`), `lag` or `lead` (`args` are the
    value and the default, `offset` how many rows away), or an aggregate, of all rows without
    `order_by`, and else of those up to the row; `where` restricts the rows an aggregate sees.
    """

    kind: str
    args: tuple[Scalar, ...] = ()
    where: Scalar | None = None
    partition_by: tuple[Scalar, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Param:
    """A lifted constant: its position, and the class that the generated code may rely on."""

    index: int
    kind: str


Scalar: TypeAlias = (
    Column
    | RowOf
    | Cell
    | Selected
    | Fact
    | Item
    | Const
    | Call
    | Apply
    | Record
    | Aggregate
    | Nested
    | Window
    | Param
)


def children(node: Scalar) -> tuple[Scalar, ...]:
    """Return the direct operands of a node, in evaluation order."""
    match node:
        case Call(args=args) | Apply(args=args):
            return args
        case Item(base=base):
            return (base,)
        case Record(items=items):
            return tuple(value for _, value in items)
        case Aggregate(args=args, where=where, order_by=order_by):
            extra = () if where is None else (where,)
            return args + extra + tuple(part.by for part in order_by)
        case Window(args=args, where=where, partition_by=partition_by, order_by=order_by):
            extra = () if where is None else (where,)
            return args + extra + partition_by + tuple(part.by for part in order_by)
        case _:
            return ()


_LEAVES: Final = frozenset((Column, Const, RowOf, Cell, Param))


def walk(node: Scalar) -> Iterator[Scalar]:
    """Yield a node and everything below it, parents first."""
    pending = [node]
    while pending:
        part = pending.pop()
        yield part
        if part.__class__ not in _LEAVES:
            pending += reversed(children(part))


def rewrite(node: Scalar, replace: Callable[[Scalar], Scalar | None]) -> Scalar:
    """Return `node` with every subtree for which `replace` answers a node exchanged, top down."""
    found = replace(node)
    if found is not None:
        return found
    match node:
        case Item(base=base, key=key):
            return Item(rewrite(base, replace), key)
        case Call(name=name, args=args):
            return Call(name, tuple(rewrite(arg, replace) for arg in args))
        case Apply(function=function, args=args):
            return Apply(function, tuple(rewrite(arg, replace) for arg in args))
        case Record(items=items):
            return Record(tuple((name, rewrite(value, replace)) for name, value in items))
        case Aggregate():
            return Aggregate(
                node.kind,
                tuple(rewrite(arg, replace) for arg in node.args),
                None if node.where is None else rewrite(node.where, replace),
                tuple(rewrite_ordering(part, replace) for part in node.order_by),
                node.options,
            )
        case Window():
            return Window(
                node.kind,
                tuple(rewrite(arg, replace) for arg in node.args),
                None if node.where is None else rewrite(node.where, replace),
                tuple(rewrite(part, replace) for part in node.partition_by),
                tuple(rewrite_ordering(part, replace) for part in node.order_by),
                node.offset,
            )
        case _:
            return node


def rewrite_ordering(part: Ordering, replace: Callable[[Scalar], Scalar | None]) -> Ordering:
    """Rewrite the expression of one part of an order."""
    return Ordering(rewrite(part.by, replace), part.descending, part.nulls_last)


def aliases_of(node: Scalar) -> frozenset[str]:
    """Return the aliases that an expression reads."""
    return frozenset(part.alias for part in walk(node) if isinstance(part, Column | RowOf | Fact))


def reads_of(*nodes: Scalar) -> frozenset[Column | RowOf]:
    """Return the columns, and the rows as a whole, that expressions read."""
    found: set[Column | RowOf] = set()
    for node in nodes:
        found.update([part for part in walk(node) if isinstance(part, Column | RowOf)])
    return frozenset(found)


def contains(node: Scalar, kind: type[Scalar] | tuple[type[Scalar], ...]) -> bool:
    """Tell whether a node of one of these classes occurs in an expression."""
    return any(isinstance(part, kind) for part in walk(node))


def conjuncts(node: Scalar) -> tuple[Scalar, ...]:
    """Split a condition at its top-level ANDs."""
    if isinstance(node, Call) and node.name == "and":
        return tuple(part for arg in node.args for part in conjuncts(arg))
    return (node,)


def conjunction(parts: tuple[Scalar, ...]) -> Scalar:
    """Join conditions with AND; one condition stays as it is."""
    return parts[0] if len(parts) == 1 else Call("and", parts)
