"""What a query uses: the features of the language, found in its tree.

A feature knows its inputs, so that it can be said which of them a change came in by: a join has a
left and a right one, a set operation its first operand and the others, a nested query its outer and
inner rows, a recursion its seed and its step. Everything else has one.

The names are the vocabulary of the generator as well (`tests.programs`): what it wishes for is what
is found here afterwards, in the tree that the library built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dataflow.query import ir, scalar

JOINS = tuple(f"{how} join" for how in ("inner", "left", "right", "full", "semi", "anti", "cross"))
CONDITIONS = ("several equalities", "further condition", "range join")
SOURCES = ("subquery", "limited subquery", "live view", "view of a view", "view and its base")
OPERATIONS = ("union", "intersect", "except")
KINDS = (
    *("count", "count_distinct", "sum", "avg", "min", "max", "collect", "first", "last"),
    *("string_agg", "any", "all", "median", "variance", "stddev", "fold", "aggregate"),
)
GROUPS = (
    *("group by", "several keys", "expression key", "global aggregate", "having"),
    *("having unselected", "filtered aggregate", "aggregate in expression", *KINDS),
)
NESTED = ("nested list", "nested row", "nested aggregates", "nested groups", "nested twice")
SHAPES = ("nested dict", "spread", "into")
RANKS = ("row_number", "rank", "dense_rank")
WINDOWS = (*RANKS, "lag", "lead", "running aggregate", "aggregate of a partition")
RECURSIONS = ("recursion", "recursion over a cycle")
ORDERS = ("order by", "descending", "nulls last", "collation", "order by a call", "limit", "offset")
COLLATIONS = frozenset(("nocase", "unaccented", "natural"))
CALLS = {
    "case": ("case",),
    "coalesce": ("coalesce",),
    "text": ("upper", "lower", "length", "concat", "trim", "replace", "substring", "split", "like"),
    "regex": ("regexp_matches", "regexp_extract", "regexp_replace"),
    "date": ("parse_datetime", "date_part", "date_trunc", "date_diff", "date_add", "to_local"),
    "cast": ("cast_int", "cast_float", "cast_str", "cast_bool"),
    "type test": ("is_number", "is_text", "is_bool", "is_datetime", "is_list", "is_dict"),
}
"""Features of expressions -> the functions that are counted as such, by their names in the IR."""
FUNCTIONS = ("fn", "map", "filter")

FEATURES: tuple[str, ...] = (
    *JOINS,
    *CONDITIONS,
    *("self-join", "chain of joins"),
    *SOURCES,
    *("union_all", *OPERATIONS, "distinct", "unnest"),
    *GROUPS,
    *SHAPES,
    *NESTED,
    *WINDOWS,
    "top-k per group",
    *RECURSIONS,
    *ORDERS,
    *CALLS,
    "json path",
    *FUNCTIONS,
)


def inputs_of(feature: str) -> tuple[str, ...]:
    """Name the inputs of a feature."""
    if feature in JOINS or feature in CONDITIONS or feature == "chain of joins":
        return ("left", "right")
    if feature in OPERATIONS or feature == "union_all":
        return ("first", "other")
    if feature in NESTED:
        return ("outer", "inner")
    return ("seed", "step") if feature in RECURSIONS else ("rows",)


@dataclass(frozen=True)
class Use:
    """A feature in use, and the collections behind each of its inputs."""

    feature: str
    inputs: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Origin:
    """Where the rows of a source come from.

    Attributes:
        collections: The collections it is computed from, itself if it is one.
        depth: 0 of a collection, 1 of a view of collections, 2 of a view of such views, and so on.
        uses: What a view uses.
    """

    collections: frozenset[str]
    depth: int = 0
    uses: frozenset[Use] = frozenset()


Origins = Callable[[ir.SourceRef], Origin]


def origin_of(tree: ir.Node, origins: Origins) -> Origin:
    """Return where the rows of a live view come from; it uses what the views use that it reads."""
    sources = [origins(scan.source) for scan in ir.scans(tree)]
    uses = _uses_of(tree, origins).union(*[source.uses for source in sources])
    return Origin(_behind(tree, origins), 1 + max(source.depth for source in sources), uses)


def _uses_of(tree: ir.Node, origins: Origins) -> frozenset[Use]:
    """Return every feature in a tree; what its subqueries use is its own."""
    found = {Use(name, (_behind(tree, origins),)) for name in set(_of_sources(tree, origins))}
    for node in _nodes(tree):
        rows = _behind(node, origins)
        found |= {Use(name, inputs) for name, inputs in _of_inputs(node, origins)}
        found |= {Use(name, (rows,)) for name in _of_node(node)}
        found |= {Use(name, (rows,)) for part in scalars_of(node) for name in _of_scalar(part)}
    return frozenset(found)


def _behind(tree: ir.Node, origins: Origins) -> frozenset[str]:
    return frozenset().union(*[origins(scan.source).collections for scan in ir.scans(tree)])


def _nodes(tree: ir.Node) -> Iterator[ir.Node]:
    yield tree
    for child in ir.inputs(tree):
        yield from _nodes(child)


def _of_sources(tree: ir.Node, origins: Origins) -> Iterator[str]:
    found = [origins(scan.source) for scan in ir.scans(tree)]
    deepest = max((origin.depth for origin in found), default=0)
    yield from ("live view", "view of a view")[:deepest]
    bases = {name for origin in found if not origin.depth for name in origin.collections}
    if any(origin.depth and bases & origin.collections for origin in found):
        yield "view and its base"


def _of_inputs(
    node: ir.Node, origins: Origins
) -> Iterator[tuple[str, tuple[frozenset[str], frozenset[str]]]]:
    """Yield the features of a node that have several inputs."""
    match node:
        case ir.Join(left=left, right=right):
            sides = (_behind(left, origins), _behind(right, origins))
            yield from ((name, sides) for name in _of_join(node))
        case ir.SetOp(inputs=(first, *rest), kind=kind) if kind != "distinct":
            other = frozenset[str]().union(*[_behind(one, origins) for one in rest])
            yield kind, (_behind(first, origins), other)
        case ir.UnionAll(inputs=(first, *rest)):
            other = frozenset[str]().union(*[_behind(one, origins) for one in rest])
            yield "union_all", (_behind(first, origins), other)
        case ir.Recursive(seed=seed, step=step):
            yield "recursion", (_behind(seed, origins), _behind(step, origins))
        case ir.Nest(input=outer, parts=parts):
            for part in parts:
                sides = (_behind(outer, origins), _behind(part.query, origins))
                yield from ((name, sides) for name in _of_nested(part))
        case _:
            pass


def _of_join(node: ir.Join) -> Iterator[str]:
    yield f"{node.how} join"
    if len(node.on) > 1:
        yield "several equalities"
    if node.residual is not None:
        yield "further condition" if node.on else "range join"
    left = node.left
    while isinstance(left, ir.Filter):
        left = left.input
    if isinstance(left, ir.Join):
        yield "chain of joins"


def _of_nested(part: ir.Subquery) -> Iterator[str]:
    nodes = list(_nodes(part.query))
    groups = [node for node in nodes if isinstance(node, ir.Group)]
    if any(not group.keys for group in groups):
        yield "nested aggregates"
    else:
        yield "nested row" if part.one else "nested list"
    if any(group.keys for group in groups):
        yield "nested groups"
    if any(isinstance(node, ir.Nest) for node in nodes):
        yield "nested twice"


def _of_node(node: ir.Node) -> Iterator[str]:
    """Yield the features of a node that have one input."""
    match node:
        case ir.Join() | ir.Named() | ir.Filter():
            yield from _of_source(node)
        case ir.Group():
            yield from _of_group(node)
        case ir.Project():
            yield from _of_row(node)
        case ir.Windowed(windows=windows):
            yield from map(_of_window, windows)
        case ir.Order():
            yield from _of_order(node)
        case ir.SetOp(kind="distinct"):
            yield "distinct"
        case ir.Unnest():
            yield "unnest"
        case ir.MapRows():
            yield "map"
        case ir.FilterRows():
            yield "filter"
        case _:
            pass


def _of_source(node: ir.Join | ir.Named | ir.Filter) -> Iterator[str]:
    match node:
        case ir.Join(left=left, right=right):
            sources = [{scan.source for scan in ir.scans(side)} for side in (left, right)]
            if sources[0] & sources[1]:
                yield "self-join"
        case ir.Named(input=inner):
            yield from _of_subquery(inner)
        case ir.Filter(input=ir.Group()):
            yield "having"
        case ir.Filter(input=ir.Named(input=ranked), condition=condition):
            if _is_of_ranks(ranked, condition):
                yield "top-k per group"
        case _:
            pass


def _of_subquery(inner: ir.Node) -> Iterator[str]:
    """Yield the features of a named tree; set operations and recursions are named by the library."""
    is_set = isinstance(inner, ir.SetOp) and inner.kind != "distinct"
    if is_set or isinstance(inner, ir.UnionAll | ir.Recursive | ir.RecursiveRef):
        return
    yield "subquery"
    while isinstance(inner, ir.Project):
        inner = inner.input
    if isinstance(inner, ir.Order) and inner.limit is not None:
        yield "limited subquery"


def _of_group(node: ir.Group) -> Iterator[str]:
    yield "group by" if node.keys else "global aggregate"
    if len(node.keys) > 1:
        yield "several keys"
    if not all(isinstance(key, scalar.Column | scalar.Item) for key in node.keys):
        yield "expression key"
    for spec in node.aggregates:
        yield spec.kind
        if spec.where is not None:
            yield "filtered aggregate"


def _of_row(node: ir.Project) -> Iterator[str]:
    if node.into is not None:
        yield "into"
    if not isinstance(node.row, scalar.Record):
        return
    below: ir.Node = node.input
    having: tuple[scalar.Scalar, ...] = ()
    while isinstance(below, ir.Order | ir.Windowed | ir.Filter):
        having = (below.condition,) if isinstance(below, ir.Filter) else ()
        below = below.input
    first = len(below.keys) if isinstance(below, ir.Group) else 1_000
    for name, value in node.row.items:
        if name is None:
            yield "spread"
        if isinstance(value, scalar.Record):
            yield "nested dict"
        if not isinstance(value, scalar.Cell) and max(_cells(value), default=-1) >= first:
            yield "aggregate in expression"
    tested = {cell for part in having for cell in _cells(part) if cell >= first}
    if tested - set(_cells(node.row)):
        yield "having unselected"


def _cells(value: scalar.Scalar) -> list[int]:
    return [part.index for part in scalar.walk(value) if isinstance(part, scalar.Cell)]


def _of_window(window: scalar.Window) -> str:
    if window.kind not in ("count", "sum", "avg", "min", "max"):
        return window.kind
    return "running aggregate" if window.order_by else "aggregate of a partition"


def _is_of_ranks(ranked: ir.Node, condition: scalar.Scalar) -> bool:
    """Tell whether a condition bounds a rank that a subquery computes."""
    if not (isinstance(ranked, ir.Project) and isinstance(ranked.row, scalar.Record)):
        return False
    bounded = {
        call.args[0].name
        for call in scalar.walk(condition)
        if isinstance(call, scalar.Call) and call.name in ("le", "lt", "eq")
        if isinstance(call.args[0], scalar.Column)
    }
    cells = [cell for name, value in ranked.row.items if name in bounded for cell in _cells(value)]
    below = ranked.input
    while isinstance(below, ir.Order | ir.Windowed):
        if isinstance(below, ir.Windowed):
            first = ir.width(below.input)
            places = [cell - first for cell in cells if first <= cell < first + len(below.windows)]
            windows = [below.windows[place] for place in places]
            if any(window.kind in RANKS and window.partition_by for window in windows):
                return True
        below = below.input
    return False


def _of_order(node: ir.Order) -> Iterator[str]:
    if node.by:
        yield "order by"
    if any(part.descending for part in node.by):
        yield "descending"
    if any(part.nulls_last for part in node.by):
        yield "nulls last"
    if _calls_of(node.input) & {c.name for part in node.by for c in _columns(part.by)} or any(
        isinstance(each, scalar.Apply) for part in node.by for each in scalar.walk(part.by)
    ):
        yield "order by a call"
    if node.by and node.limit is not None:
        yield "limit"
    if node.offset:
        yield "offset"


def _calls_of(below: ir.Node) -> set[str | None]:
    """Return the columns of a select, distinct or not, that user functions compute."""
    if isinstance(below, ir.SetOp) and below.kind == "distinct":
        (below,) = below.inputs
    if not (isinstance(below, ir.Project) and isinstance(below.row, scalar.Record)):
        return set()
    return {
        name
        for name, value in below.row.items
        if any(isinstance(part, scalar.Apply) for part in scalar.walk(value))
    }


def _columns(value: scalar.Scalar) -> list[scalar.Column]:
    return [part for part in scalar.walk(value) if isinstance(part, scalar.Column)]


def scalars_of(node: ir.Node) -> list[scalar.Scalar]:
    """Return the expressions of a node alone."""
    match node:
        case ir.Filter(condition=condition):
            return [condition]
        case ir.Project(row=row):
            return [row]
        case ir.Join(on=on, residual=residual):
            return [*[part for pair in on for part in pair], *([residual] if residual else [])]
        case ir.Group(keys=keys, aggregates=aggregates):
            return [*keys, *aggregates]
        case ir.Windowed(windows=windows):
            return list(windows)
        case ir.Order(by=by):
            return [part.by for part in by]
        case _:
            return []


def _of_scalar(value: scalar.Scalar) -> Iterator[str]:
    for part in scalar.walk(value):
        match part:
            case scalar.Call(name=name) if name in COLLATIONS:
                yield "collation"
            case scalar.Call(name=name):
                yield from (feature for feature, names in CALLS.items() if name in names)
            case scalar.Item():
                yield "json path"
            case scalar.Apply():
                yield "fn"
            case _:
                pass
