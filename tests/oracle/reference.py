"""The meaning of a query, computed from scratch with lists and loops.

`evaluate` takes the relational tree of a query and the contents of its sources and answers the
(key, row) pairs of its result, in order where the query has one. It is the yardstick for every law
about results, so it shares no code with the engine: of that it imports the nodes of the tree, and
the name of the one key part that stands for an absent side.

Complexity: joins are nested loops and groups are found by scanning; meant for dozens of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from dataflow.query import ir
from dataflow.values.null import ABSENT
from tests.oracle.aggregates import Entry, aggregate, ordered
from tests.oracle.scalars import Env, is_true, value_of
from tests.oracle.semantics import field_of, normal, same
from tests.oracle.windows import windowed

Tables = Mapping[ir.SourceRef, Sequence[tuple[Any, Any]]]
"""Source -> its (key, row) pairs."""

NOTHING: Env = {}


class TwoOwnersError(Exception):
    """Two rows of a result claim one key."""


class EndlessError(Exception):
    """A recursion finds new rows in more rounds than it may take."""


@dataclass(eq=False)
class _SoFar:
    """Stands for the rows of a recursion while it is computed."""

    name: str = "rows so far"
    row_type: Any = None
    key_field: str | None = None


class TooLargeError(Exception):
    """A question that lists and loops would take minutes to answer: products of products of rows."""


EFFORT = 20_000  # rows made and pairs looked at, for one result
_spent = [0]


def _spend(effort: int) -> None:
    _spent[0] += effort
    if _spent[0] > EFFORT:
        raise TooLargeError(f"more than {EFFORT} rows and pairs")


def evaluate(node: ir.Node, tables: Tables) -> list[tuple[Any, Any]]:
    """Return the (key, row) pairs of a query's result; rows are what users see.

    Raises:
        TooLargeError: if that takes more than `EFFORT`.
    """
    _spent[0] = 0
    return _pairs(node, tables)


def _pairs(node: ir.Node, tables: Tables) -> list[tuple[Any, Any]]:
    return [(key, visible(node, env)) for key, env in entries_of(node, tables)]


def is_ordered(node: ir.Node) -> bool:
    """Tell whether a query says in which order its rows come."""
    match node:
        case ir.Order():
            return True
        case ir.Filter() | ir.FilterRows() | ir.Project() | ir.MapRows() | ir.Rekey():
            return is_ordered(node.input)
        case _:
            return False


def visible(node: ir.Node, env: Env) -> Any:
    """Return the row users see: of one alias its row, of several a dict of them."""
    names = ir.scope(node)
    if len(names) == 1:
        return env[names[0]]
    return {name: env[name] for name in names} if names else env[""]


def entries_of(node: ir.Node, tables: Tables, around: Env = NOTHING) -> list[Entry]:
    """Return the (key, environment) pairs of a node's rows.

    Args:
        around: Of a nested query, the row of the query around it.
    """
    entries = _entries_of(node, tables, around)
    _spend(len(entries))
    return entries


def _entries_of(  # noqa: C901 - one case per kind of node
    node: ir.Node, tables: Tables, around: Env
) -> list[Entry]:
    match node:
        case ir.Scan(source=source, alias=alias):
            return [(key, {alias: row}) for key, row in tables[source]]
        case ir.Join():
            return list(_join(node, tables, around))
        case ir.Nest():
            return [
                (key, {**env, **_nested(node, tables, {**around, **env})})
                for key, env in entries_of(node.input, tables, around)
            ]
        case ir.Group():
            return _group(node, entries_of(node.input, tables, around))
        case ir.Windowed():
            rows = entries_of(node.input, tables, around)
            _spend(len(rows) ** 2)
            return windowed(node, rows)
        case ir.Order(input=child, by=by, limit=limit, offset=offset):
            end = None if limit is None else offset + limit
            return ordered(entries_of(child, tables, around), by)[offset:end]
        case ir.Rekey():
            return _rekey(node, entries_of(node.input, tables))
        case ir.UnionAll():
            return [
                ((branch, key), {"": visible(operand, env)})
                for branch, operand in enumerate(node.inputs)
                for key, env in entries_of(operand, tables)
            ]
        case ir.Unnest():
            return list(_unnested(node, tables, around))
        case ir.Narrow():
            return entries_of(node.input, tables, around)
        case ir.SetOp():
            return _set_operation(node, tables, around)
        case ir.Recursive() | ir.RecursiveRef():
            return _recursive(node, tables)
        case _:
            return list(_row_by_row(node, entries_of(node.input, tables, around), around))


def _row_by_row(
    node: ir.Named | ir.Filter | ir.FilterRows | ir.Project | ir.MapRows,
    entries: list[Entry],
    around: Env,
) -> Iterator[Entry]:
    for key, env in entries:
        match node:
            case ir.Named(alias=alias):
                yield key, {alias: visible(node.input, env)}
            case ir.Filter(condition=condition):
                if is_true(condition, {**around, **env}):
                    yield key, env
            case ir.FilterRows(function=function):
                if function(visible(node.input, env)):
                    yield key, env
            case ir.Project(row=row, into=into):
                built = value_of(row, env)
                yield key, {"": built if into is None else into(**built)}
            case ir.MapRows(function=function):
                yield key, {"": function(visible(node.input, env))}
            case _:
                assert_never(node)


def _unnested(node: ir.Unnest, tables: Tables, around: Env) -> Iterator[Entry]:
    for key, env in entries_of(node.input, tables, around):
        row = visible(node.input, env)
        whole = row.get(node.column)
        if not isinstance(whole, list | tuple):
            continue
        for place in range(len(whole)):
            added = {} if node.position is None else {node.position: place}
            yield (key, place), {"": {**row, node.column: whole[place], **added}}


def _nested(node: ir.Nest, tables: Tables, around: Env) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in node.parts:
        rows = [visible(part.query, env) for _, env in _in_order(part.query, tables, around)]
        values[part.alias] = rows if not part.one else rows[0] if rows else None
    return values


def _in_order(node: ir.Node, tables: Tables, around: Env) -> list[Entry]:
    entries = entries_of(node, tables, around)
    return entries if is_ordered(node) else ordered(entries, ())


def _join(node: ir.Join, tables: Tables, around: Env) -> Iterator[Entry]:
    left, right = entries_of(node.left, tables, around), entries_of(node.right, tables, around)
    _spend(len(left) * len(right))
    matched: set[int] = set()
    for left_entry in left:
        partners = [n for n, entry in enumerate(right) if _match(node, left_entry[1], entry[1])]
        matched.update(partners)
        if node.how in ("semi", "anti"):
            if bool(partners) == (node.how == "semi"):
                yield left_entry
            continue
        for n in partners:
            yield _pair(node, left_entry, right[n])
        if not partners and node.how in ("left", "full"):
            yield _pair(node, left_entry, None)
    if node.how in ("right", "full"):
        for n, entry in enumerate(right):
            if n not in matched:
                yield _pair(node, None, entry)


def _match(node: ir.Join, left: Env, right: Env) -> bool:
    for mine, theirs in node.on:
        a, b = value_of(mine, left), value_of(theirs, right)
        if a is None or b is None or not same(a, b):
            return False
    return node.residual is None or is_true(node.residual, {**left, **right})


def _pair(node: ir.Join, left: Entry | None, right: Entry | None) -> Entry:
    key: tuple[Any, ...] = ()
    env: dict[str, Any] = {}
    for side, entry in ((node.left, left), (node.right, right)):
        names = ir.scope(side)
        if entry is None:
            key += (ABSENT,) * len(names)
            env |= dict.fromkeys(names)
        else:
            key += entry[0] if len(names) > 1 else (entry[0],)
            env |= entry[1]
    return key, env


def _group(node: ir.Group, entries: list[Entry]) -> list[Entry]:
    groups: list[tuple[list[Any], list[Entry]]] = []
    for entry in entries:
        cells = [normal(value_of(key, entry[1])) for key in node.keys]
        for known, members in groups:
            if same(known, cells):
                members.append(entry)
                break
        else:
            groups.append((cells, [entry]))
    if not node.keys and not groups:
        groups.append(([], []))
    return [
        (
            cells[0] if len(cells) == 1 else tuple(cells),
            {"": (*cells, *[aggregate(spec, members) for spec in node.aggregates])},
        )
        for cells, members in groups
    ]


def _set_operation(node: ir.SetOp, tables: Tables, around: Env) -> list[Entry]:
    operands = [
        [visible(operand, env) for _, env in entries_of(operand, tables, around)]
        for operand in node.inputs
    ]
    values = [[(_value(row, node.columns), row) for row in rows] for rows in operands]
    _spend(sum(map(len, values)) ** 2)
    result: list[Entry] = []
    for value, row in [pair for pairs in values for pair in pairs]:
        held = [any(same(value, other) for other, _ in pairs) for pairs in values]
        wanted = {
            "distinct": held[0],
            "union": any(held),
            "intersect": all(held),
            "except": held[0] and not any(held[1:]),
        }[node.kind]
        if wanted and not any(same(value, key) for key, _ in result):
            is_plain = node.columns is not None and isinstance(row, dict)
            shown = dict(zip(node.columns or (), value, strict=True)) if is_plain else row
            result.append((value, {"": shown}))
    return result


def _value(row: Any, columns: tuple[str, ...] | None) -> Any:
    if columns is None:
        return normal(row)
    return tuple(normal(field_of(row, name)) for name in columns)


def _recursive(node: ir.Recursive | ir.RecursiveRef, tables: Tables) -> list[Entry]:
    """Apply the step to all rows there are, again and again, until it adds none."""
    assert isinstance(node, ir.Recursive), "rows so far outside of their recursion"
    so_far, step = _step_over(node)
    result: list[tuple[Any, Any]] = []
    for rounds in range(node.max_rounds + 2):
        derived = _pairs(step, {**tables, so_far: result})
        before = len(result)
        for _, row in [*_pairs(node.seed, tables), *derived]:
            value = _value(row, node.columns)
            if not any(same(value, key) for key, _ in result):
                result.append((value, dict(zip(node.columns, value, strict=True))))
        if len(result) == before:
            break
        if rounds > node.max_rounds:
            raise EndlessError
    return [(value, {"": row}) for value, row in result]


def _step_over(node: ir.Recursive) -> tuple[ir.SourceRef, ir.Node]:
    """Return a source that stands for the rows so far, and the step that reads it."""
    so_far = ir.Scan(ir.SourceRef(_SoFar()), "")

    def reading(part: ir.Node) -> ir.Node:
        return so_far if part == node.so_far else ir.with_inputs(part, reading)

    return so_far.source, reading(node.step)


def has_cycle(node: ir.Node, tables: Tables) -> bool:
    """Tell whether in some recursion of a query a row is derived from itself, by steps from one row."""
    if isinstance(node, ir.Recursive) and _has_cycle(node, tables):
        return True
    return any(has_cycle(child, tables) for child in ir.inputs(node))


def _has_cycle(node: ir.Recursive, tables: Tables) -> bool:
    so_far, step = _step_over(node)
    entries = [(key, env[""]) for key, env in _recursive(node, tables)]
    derived = [
        [_value(row, node.columns) for _, row in _pairs(step, {**tables, so_far: [entry]})]
        for entry in entries
    ]
    values = [key for key, _ in entries]
    next_to = [
        {n for n, value in enumerate(values) if any(same(value, other) for other in found)}
        for found in derived
    ]
    for _ in values:  # what can be reached by ever more steps
        next_to = [found.union(*[next_to[n] for n in found]) for found in next_to]
    return any(n in found for n, found in enumerate(next_to))


def _rekey(node: ir.Rekey, entries: list[Entry]) -> list[Entry]:
    result: list[Entry] = []
    for _, env in entries:
        key = normal(_new_key(node.key, visible(node.input, env), single=node.single))
        if any(same(key, other) for other, _ in result):
            raise TwoOwnersError(f"two rows have the key {key!r}")
        result.append((key, env))
    return result


def _new_key(key: tuple[str, ...] | Callable[[Any], object], row: Any, *, single: bool) -> Any:
    if callable(key):
        return key(row)
    parts = tuple(field_of(row, name) for name in key)
    return parts[0] if single else parts
