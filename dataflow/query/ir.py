"""Relational IR: the tree that a query text stands for, before any choice of how to run it.

A closed union of frozen nodes. Each node says which rows it has, and under which *key* each row is
known; keys follow from the query text alone and never from a plan:

node        row                                   key
Scan        the source's row, bound to an alias   the source's key
Named       the input's row, bound to an alias    the input's key, as one part
Filter      the input's                           the input's
Project     a new row (a dict, or `into`)         the input's
MapRows     what the function returns             the input's
Join        one row per alias (`None`: absent)    flat tuple: a part per alias, or `ABSENT`
            semi, anti: the left row              the left key
Group       cells: group keys, then aggregates    the bare key; a tuple of several; `()` of none
Nest        the input's, and one list (or row)    the input's
            per subquery
Windowed    the input's, then cells: windows      the input's
SetOp       a distinct value                      the value, as a tuple of its columns
UnionAll    the rows of all inputs                (number of the input, key there)
Unnest      the input's, an element for a list    (the input's, place of the element)
Recursive   a value derived from the seed         the value, as a tuple of its columns
Order       the input's, windowed                 the input's
Rekey       the input's                           fields, or a function of the row
Narrow      the input's                           the input's

`scope` lists the aliases a node's row binds; the row of a node with an empty scope is anonymous:
its fields are `Column("", name)`.

Sources are known through the `Source` protocol only; they are compared by identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from dataflow.frozen import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataflow.query.scalar import Aggregate, Column, Ordering, RowOf, Scalar, Window


class Relation(Protocol):
    """What a query needs to know of a collection while it is built and compiled.

    Attributes:
        name: label for plans and errors.
        row_type: declared row type, or `None` when rows speak for themselves.
        key_field: the field that is the key, or `None` when the key is computed.
    """

    @property
    def name(self) -> str:
        """Label."""
        ...

    @property
    def row_type(self) -> Any:
        """Declared row type."""
        ...

    @property
    def key_field(self) -> str | None:
        """Field that is the key."""
        ...


@frozen
class SourceRef:
    """A source compared by identity, so that the tree around it can be compared by structure."""

    relation: Relation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceRef) and self.relation is other.relation

    def __hash__(self) -> int:
        return id(self.relation)


@frozen
class Scan:
    """Read a source under an alias."""

    source: SourceRef
    alias: str


@frozen
class Named:
    """Give the row of a finished query an alias (a subquery)."""

    input: Node
    alias: str


@frozen
class Filter:
    """Keep the rows for which the condition is TRUE."""

    input: Node
    condition: Scalar


@frozen
class FilterRows:
    """Keep the rows for which a user function answers something truthy.

    It is called with the row users see.
    """

    input: Node
    function: Callable[[Any], object]


@frozen
class Project:
    """Build a new row. `into` constructs it as that type; `None` leaves a dict."""

    input: Node
    row: Scalar
    into: type | None = None


@frozen
class MapRows:
    """Replace each row by what a user function makes of it."""

    input: Node
    function: Callable[[Any], Any]


@frozen
class Join:
    """Combine rows of two inputs whose key expressions are equal (a null never is).

    `on` pairs an expression over the left scope with one over the right scope; `residual` is any
    further condition, part of the match (in an outer join a row whose candidates all fail it is
    unmatched).
    """

    left: Node
    right: Node
    how: str
    on: tuple[tuple[Scalar, Scalar], ...] = ()
    residual: Scalar | None = None


@frozen
class Group:
    """Aggregate the rows of equal key. The row is a tuple of cells, read through `Cell`."""

    input: Node
    keys: tuple[Scalar, ...]
    aggregates: tuple[Aggregate, ...]


@frozen
class Subquery:
    """A query evaluated for each row of another one, whose aliases its `where` may name.

    Its value is known under `alias`: the list of its rows, or with `one` the first of them, null if
    there is none. With `live` it is a collection of the rows, the same one as long as the outer row
    is there.
    """

    alias: str
    query: Node
    one: bool
    live: bool = False


@frozen
class Nest:
    """Put the values of subqueries beside each row."""

    input: Node
    parts: tuple[Subquery, ...]


@frozen
class Windowed:
    """Append the values of window functions to each row.

    They share partition and order; others are a node of their own. The values are read through
    `Cell`, counted from the cells of the input, or from the rows of its aliases; see `width`.
    """

    input: Node
    windows: tuple[Window, ...]


@frozen
class SetOp:
    """The distinct values for which a rule holds.

    The kinds are `distinct` (of one input), `union`, `intersect` and `except`. Rows with known
    `columns` are dicts in normal form; without, a row stands for its whole value.
    """

    inputs: tuple[Node, ...]
    kind: str
    columns: tuple[str, ...] | None


@frozen
class UnionAll:
    """The rows of all inputs."""

    inputs: tuple[Node, ...]


@frozen
class Unnest:
    """A row for each element of a list, which takes the place of the list in its column."""

    input: Node
    column: str
    position: str | None


@frozen
class RecursiveRef:
    """Inside the step of a recursion: the rows it has so far. The marker tells which recursion."""

    columns: tuple[str, ...]
    marker: object


@frozen
class Recursive:
    """The rows of the seed, and all that the step derives from `so_far`, which it reads.

    A set of dicts in normal form.
    """

    seed: Node
    step: Node
    so_far: RecursiveRef
    max_rounds: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its rows."""
        return self.so_far.columns


@frozen
class Order:
    """Order rows, ties by row key ascending, and keep `limit` of them from `offset` on."""

    input: Node
    by: tuple[Ordering, ...]
    limit: int | None = None
    offset: int = 0


@frozen
class Rekey:
    """Know rows under another key: field names, or a function of the row."""

    input: Node
    key: tuple[str, ...] | Callable[[Any], object]
    single: bool = True

    def __hash__(self) -> int:
        return hash((self.input, self.single))  # the key may be a function without a hash


@frozen
class Narrow:
    """The input's rows, of which only some columns are read.

    An update that leaves these as they are need not be told. Put in by the optimizer. A `RowOf`
    among the columns stands for a whole row.
    """

    input: Node
    columns: frozenset[Column | RowOf]


Node: TypeAlias = (
    Scan
    | Named
    | Filter
    | FilterRows
    | Project
    | MapRows
    | Join
    | Group
    | Nest
    | Windowed
    | SetOp
    | UnionAll
    | Unnest
    | RecursiveRef
    | Recursive
    | Order
    | Rekey
    | Narrow
)


def with_inputs(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a node with every input changed by a function; one whose inputs stay the same as it is."""
    match node:
        case Scan() | RecursiveRef():
            return node
        case Filter():
            below = change(node.input)
            return node if below is node.input else Filter(below, node.condition)
        case Project():
            below = change(node.input)
            return node if below is node.input else Project(below, node.row, node.into)
        case Recursive():
            return replace(node, seed=change(node.seed), step=change(node.step))
        case Join():
            left, right = change(node.left), change(node.right)
            same = left is node.left and right is node.right
            return node if same else Join(left, right, node.how, node.on, node.residual)
        case SetOp() | UnionAll():
            return replace(node, inputs=tuple(map(change, node.inputs)))
        case Nest(input=input_, parts=parts):
            changed = tuple(replace(part, query=change(part.query)) for part in parts)
            return Nest(change(input_), changed)
        case _:
            below = change(node.input)
            return node if below is node.input else replace(node, input=below)


def inputs(node: Node) -> tuple[Node, ...]:
    """Return the direct inputs of a node, in textual order."""
    match node:
        case Filter() | Project() | Narrow() | Group() | Order():  # the most common ones first
            return (node.input,)
        case Scan() | RecursiveRef():
            return ()
        case Join():
            return (node.left, node.right)
        case SetOp() | UnionAll():
            return node.inputs
        case Recursive():
            return (node.seed, node.step)
        case Nest():
            return (node.input, *(part.query for part in node.parts))
        case _:
            return (node.input,)


def scope(node: Node) -> tuple[str, ...]:
    """Return the aliases that a node's row binds, in textual order; `()` for an anonymous row."""
    if isinstance(node, Filter):
        return scope(node.input)
    match node:
        case Scan(alias=alias) | Named(alias=alias):
            return (alias,)
        case Join(how=how):
            of_left = how in ("semi", "anti")
            return scope(node.left) if of_left else scope(node.left) + scope(node.right)
        case Nest():
            return scope(node.input) + tuple(part.alias for part in node.parts)
        case FilterRows() | Windowed() | Order() | Rekey() | Narrow():
            return scope(node.input)
        case _:
            return ()


def width(node: Node) -> int:
    """Return how many rows or cells precede the values that a `Windowed` over a node appends."""
    match node:
        case Group(keys=keys, aggregates=aggregates):
            return len(keys) + len(aggregates)
        case Windowed(input=below, windows=windows):
            return width(below) + len(windows)
        case Filter() if not scope(node):  # having
            return width(node.input)
        case Narrow(input=below):
            return width(below)
        case _:
            return len(scope(node))


def scans(node: Node) -> Sequence[Scan]:
    """Return every scan of a tree, in textual order."""
    found: list[Scan] = []
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, Scan):
            found.append(part)
        else:
            pending += inputs(part)[::-1]
    return found


def refers(node: Node, reference: RecursiveRef) -> bool:
    """Tell whether a tree reads the rows that a recursion has so far."""
    return node == reference or any(refers(child, reference) for child in inputs(node))
