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

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dataflow.frozen import frozen
from dataflow.values.identity import alike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@frozen
class Column:
    """A field of the row bound to an alias; a missing field is null."""

    alias: str
    name: str


@lru_cache(maxsize=4_096)
def column_of(alias: str, name: str) -> Column:
    """Return the one node of a column, so that its hash is computed once for all queries."""
    return Column(alias, name)


@frozen
class RowOf:
    """The whole row bound to an alias (`None` where an outer join found no match)."""

    alias: str


@frozen
class Cell:
    """A cell of a row by position: group keys, aggregates, values of window functions.

    Made by planning only.
    """

    index: int


@frozen
class Selected:
    """A column of the select clause, by name (`selected.total`).

    Replaced when the query is finished.
    """

    name: str


@frozen
class Fact:
    """A row fact of an alias: `pending`, `origin` or `key` (`facts(alias).pending`)."""

    alias: str
    name: str


@frozen
class Item:
    """A step into a nested value: `base["name"]` or `base[0]`.

    Null where there is nothing to step into.
    """

    base: Scalar
    key: str | int


@frozen
class Const:
    """A constant. Two constants are the same when type and value are, in containers too: `1` and `True` are not."""

    value: object

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Const):
            return NotImplemented
        return _is_same(self.value, other.value)

    def __hash__(self) -> int:
        try:
            return hash((self.value.__class__, self.value))
        except TypeError:
            return hash(self.value.__class__)


def _is_same(a: Any, b: Any) -> bool:
    """Tell whether two constants are one, whoever looks at them."""
    if a is b:
        return True
    cls = a.__class__
    if cls is not b.__class__:
        return False
    if cls is tuple or cls is list:
        return len(a) == len(b) and all(map(_is_same, a, b))
    if cls is float or cls is Decimal:
        return bool(a == b) and str(a) == str(b)
    return alike(a, b) if cls is dict or cls is datetime else bool(a == b)


@frozen
class Call:
    """A library function or operator by name (`eq`, `add`, `and`, `lower`, `case` …).

    See `dataflow.query.operations`.
    """

    name: str
    args: tuple[Scalar, ...]


@lru_cache(maxsize=4_096)
def call_of(name: str, args: tuple[Scalar, ...]) -> Call:
    """Return the one node of a call in a shape, whose constants are lifted; its hash is computed once."""
    return Call(name, args)


@frozen
class Apply:
    """A Python function of the user over scalar arguments (`fn(callable, x, y)`).

    Compared by identity.
    """

    function: Callable[..., Any]
    args: tuple[Scalar, ...]


@frozen
class Record:
    """A new dict: named values, in order.

    A name of `None` spreads the fields of its value (a row or a dict).
    """

    items: tuple[tuple[str | None, Scalar], ...]


@frozen
class Ordering:
    """One part of an order: what, which direction, and where nulls stand in the *result*."""

    by: Scalar
    descending: bool = False
    nulls_last: bool = False


@frozen
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


@frozen
class Nested:
    """The rows of a subquery that belong to a row: a list, or with `one` a row or null.

    With `live` a collection of them. Replaced when the query is finished. `query` is an `ir` tree,
    in whose `where` the aliases of the query around it may be named.
    """

    query: object
    one: bool
    live: bool = False


@frozen
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


@frozen
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


# Tuples, for a union of classes would be made anew at each test.
_CALLS: Final = (Call, Apply)
_FUNCTIONS: Final = (Aggregate, Window)
_ROWS: Final = (Column, RowOf)
_ALIASED: Final = (Column, RowOf, Fact)


def children(node: Scalar) -> tuple[Scalar, ...]:
    """Return the direct operands of a node, in evaluation order."""
    if isinstance(node, _CALLS):
        return node.args
    if isinstance(node, Record):
        return tuple([value for _, value in node.items])
    if isinstance(node, _FUNCTIONS):
        if node.__class__ is Aggregate and node.where is None and not node.order_by:
            return node.args
        where = () if node.where is None else (node.where,)
        partition_by = node.partition_by if isinstance(node, Window) else ()
        return node.args + where + partition_by + tuple([part.by for part in node.order_by])
    return (node.base,) if isinstance(node, Item) else ()


_LEAVES: Final = frozenset((Column, Const, RowOf, Cell, Param))


def walk(node: Scalar) -> list[Scalar]:
    """Return a node and everything below it, parents first."""
    found: list[Scalar] = []
    pending = [node]
    while pending:
        part = pending.pop()
        found.append(part)
        if part.__class__ not in _LEAVES:
            pending += children(part)[::-1]
    return found


Replace: TypeAlias = "Callable[[Scalar], Scalar | None]"


def rewrite(node: Scalar, replace: Replace) -> Scalar:
    """Return `node` with every subtree for which `replace` answers a node exchanged, top down.

    What has nothing to exchange in it stays the same object.
    """
    found = replace(node)
    if found is not None:
        return found
    if node.__class__ in _LEAVES:
        return node
    match node:
        case Call():
            args = _each_rewritten(node.args, replace)
            return node if args is node.args else Call(node.name, args)
        case Record(items=items):
            before = children(node)
            values = _each_rewritten(before, replace)
            if values is before:
                return node
            names = [name for name, _ in items]
            return Record(tuple(zip(names, values, strict=True)))
        case Aggregate() | Window():
            return _rewritten_function(node, replace)
        case Apply(function=function):
            args = _each_rewritten(node.args, replace)
            return node if args is node.args else Apply(function, args)
        case Item():
            base = rewrite(node.base, replace)
            return node if base is node.base else Item(base, node.key)
        case _:
            return node


def _each_rewritten(parts: tuple[Scalar, ...], replace: Replace) -> tuple[Scalar, ...]:
    """Rewrite expressions; the very same tuple if none of them changes."""
    changed = False
    found = []
    for part in parts:
        new = rewrite(part, replace)
        changed = changed or new is not part
        found.append(new)
    return tuple(found) if changed else parts


def _rewritten_function(node: Aggregate | Window, replace: Replace) -> Scalar:
    args = _each_rewritten(node.args, replace)
    where = None if node.where is None else rewrite(node.where, replace)
    order_by = tuple([rewrite_ordering(part, replace) for part in node.order_by])
    if isinstance(node, Aggregate):
        same = args is node.args and where is node.where and order_by == node.order_by
        return node if same else Aggregate(node.kind, args, where, order_by, node.options)
    partition_by = _each_rewritten(node.partition_by, replace)
    return Window(node.kind, args, where, partition_by, order_by, node.offset)


def rewrite_ordering(part: Ordering, replace: Callable[[Scalar], Scalar | None]) -> Ordering:
    """Rewrite the expression of one part of an order."""
    by = rewrite(part.by, replace)
    return part if by is part.by else Ordering(by, part.descending, part.nulls_last)


def aliases_of(node: Scalar) -> frozenset[str]:
    """Return the aliases that an expression reads."""
    if isinstance(node, Column):
        return frozenset((node.alias,))
    return frozenset([part.alias for part in walk(node) if isinstance(part, _ALIASED)])


def reads_of(*nodes: Scalar) -> frozenset[Column | RowOf]:
    """Return the columns, and the rows as a whole, that expressions read."""
    found: set[Column | RowOf] = set()
    for node in nodes:
        found.update([part for part in walk(node) if isinstance(part, _ROWS)])
    return frozenset(found)


def all_columns(nodes: Iterable[Scalar]) -> bool:
    """Tell whether expressions are plain columns."""
    return _COLUMN.issuperset([node.__class__ for node in nodes])


_COLUMN: Final = frozenset((Column,))


def contains(node: Scalar, kind: type[Scalar] | tuple[type[Scalar], ...]) -> bool:
    """Tell whether a node of one of these classes occurs in an expression."""
    if node.__class__ in _LEAVES:
        return isinstance(node, kind)
    pending = [node]
    for part in pending:
        if isinstance(part, kind):
            return True
        if part.__class__ is Call:
            pending += part.args
        elif part.__class__ not in _LEAVES:
            pending += children(part)
    return False


def conjuncts(node: Scalar) -> tuple[Scalar, ...]:
    """Split a condition at its top-level ANDs."""
    if isinstance(node, Call) and node.name == "and":
        return tuple([part for arg in node.args for part in conjuncts(arg)])
    return (node,)


def conjunction(parts: tuple[Scalar, ...]) -> Scalar:
    """Join conditions with AND; one condition stays as it is."""
    return parts[0] if len(parts) == 1 else Call("and", parts)
