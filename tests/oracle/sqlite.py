"""A foreign opinion: the meaning of a query according to SQLite.

Every node of the tree becomes one common table expression; columns have running names, so that
nothing is ever ambiguous. It takes the subset on which SQL and the contract agree, and refuses the
rest with `NotExpressibleError` and the reason:

    rows       dicts of null, int, str and floats that are small multiples of 1/8, so that sums are
               exact in any order; keys int or str
    queries    filter, project, joins of every kind, group, order / limit / offset, subqueries, and
               recursion whose step is one select over an inner join; no
               user functions, nested values, ordered aggregates, re-keying
    guards     SQL orders a number before a text where the contract says null, and adds texts up as
               zeros: comparisons, arithmetic and sums are emitted with a test of the types
    bools      results of conditions come back as 0 and 1 and are mapped to False and True
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from dataflow.query import ir, scalar
from dataflow.values.null import ABSENT
from tests.oracle.sqlite_scalars import NotExpressibleError, Parameters, Scope, sql_of, truth_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.oracle.reference import Tables

__all__ = ["NotExpressibleError", "evaluate"]


@dataclass(frozen=True)
class Part:
    """One part of a composed key; `present` names the column that is null where a side is absent."""

    key: KeyTree
    present: str | None


KeyTree = str | tuple[Part, ...]


@dataclass
class Relation:
    """A common table expression: where to find what in its columns."""

    name: str
    key: KeyTree
    scope: Scope
    position: str | None = None


def evaluate(node: ir.Node, tables: Tables) -> list[tuple[Any, Any]]:
    """Return the (key, row) pairs of a query, in order where it has one.

    Raises:
        NotExpressibleError: SQL does not mean the same by this query, or cannot hold these rows.
    """
    if _is_row_of_rows(node):
        node = node.input
    connection = sqlite3.connect(":memory:")
    try:
        writer = _Writer(connection, tables)
        result = writer.relation(node)
        order = f" ORDER BY {result.position}" if result.position else ""
        steps = ",\n".join(f"{name} AS ({body})" for name, body in writer.steps)
        cursor = connection.execute(
            f"WITH RECURSIVE {steps}\nSELECT * FROM {result.name}{order}", writer.parameters.values
        )
        names = [column[0] for column in cursor.description]
        return [_read(node, result, dict(zip(names, row, strict=True))) for row in cursor]
    finally:
        connection.close()


def _is_row_of_rows(node: ir.Node) -> TypeGuard[ir.Project]:
    """Tell whether a query only puts the row of each alias under its name."""
    if not isinstance(node, ir.Project) or node.into is not None:
        return False
    rows = tuple((name, scalar.RowOf(name)) for name in ir.scope(node.input))
    return len(rows) > 1 and node.row == scalar.Record(rows)


def _read(node: ir.Node, result: Relation, row: dict[str, Any]) -> tuple[Any, Any]:
    names = ir.scope(node)
    if len(names) == 1:
        return _read_key(result.key, row), _read_row(result.scope, names[0], row)
    if names:
        rows = {name: _read_row(result.scope, name, row) for name in names}
        return _read_key(result.key, row), rows
    return _read_key(result.key, row), _read_row(result.scope, "", row)


def _read_row(scope: Scope, alias: str, row: dict[str, Any]) -> dict[str, Any] | None:
    present = scope.present.get(alias)
    if present is not None and row[present] is None:
        return None
    found: dict[str, Any] = {}
    for (owner, name), column in scope.columns.items():
        if owner == alias:
            value = row[column]
            is_bool = column in scope.bools and value is not None
            found[str(name)] = bool(value) if is_bool else value
    return found


def _read_key(key: KeyTree, row: dict[str, Any]) -> Any:
    if isinstance(key, str):
        return row[key]
    return tuple(
        ABSENT if part.present and row[part.present] is None else _read_key(part.key, row)
        for part in key
    )


def _key_columns(key: KeyTree) -> Iterator[str]:
    """Yield what to sort by to sort by the key: an absent side comes before every null."""
    if isinstance(key, str):
        yield key
        return
    for part in key:
        if part.present:
            yield f"({part.present} IS NOT NULL)"
        yield from _key_columns(part.key)


def _holds(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) < 2**30 and value * 8 == int(value * 8)
    if isinstance(value, str):
        return "\0" not in value
    is_small = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**40
    return value is None or is_small


@dataclass
class _Writer:
    connection: sqlite3.Connection
    tables: Tables
    steps: list[tuple[str, str]] = field(default_factory=list)
    parameters: Parameters = field(default_factory=Parameters)
    count: int = 0

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def step(self, body: str) -> str:
        name = self.fresh("step")
        self.steps.append((name, body))
        return name

    def sql(self, node: scalar.Scalar, scope: Scope) -> str:
        return sql_of(node, scope, self.parameters).text

    def truth(self, node: scalar.Scalar, scope: Scope) -> str:
        return truth_of(node, scope, self.parameters)

    def relation(self, node: ir.Node) -> Relation:  # noqa: C901 - one case per kind of node
        match node:
            case ir.Scan():
                return self.scan(node)
            case ir.Named():
                return self.named(node)
            case ir.Filter(input=child, condition=condition):
                source = self.relation(child)
                where = self.truth(condition, source.scope)
                name = self.step(f"SELECT * FROM {source.name} WHERE {where}")
                return Relation(name, source.key, source.scope, source.position)
            case ir.Project():
                return self.project(node)
            case ir.Join(how="semi" | "anti"):
                return self.semijoin(node)
            case ir.Join():
                return self.join(node)
            case ir.Group():
                return self.group(node)
            case ir.Windowed():
                return self.windowed(node)
            case ir.Order():
                return self.order(node)
            case ir.Recursive():
                return self.recursive(node)
            case _:
                raise NotExpressibleError(f"no SQL for {type(node).__name__}")

    def scan(self, node: ir.Scan) -> Relation:
        rows = self.tables[node.source]
        names: dict[str, None] = {}
        for key, row in rows:
            if not isinstance(row, dict) or key is None:
                raise NotExpressibleError("rows other than dicts")
            if not all(map(_holds, (key, *row.values()))):
                raise NotExpressibleError("values that SQL holds differently")
            names.update(dict.fromkeys(row))
        key_column = self.fresh("k")
        columns: dict[tuple[str, str | int], str] = {
            (node.alias, name): self.fresh("c") for name in names
        }
        table = self.fresh("source")
        listing = ", ".join((key_column, *columns.values()))
        self.connection.execute(f"CREATE TABLE {table} ({listing})")
        marks = ", ".join("?" * (1 + len(columns)))
        self.connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})",
            [(key, *[row.get(name) for name in names]) for key, row in rows],
        )
        return Relation(self.step(f"SELECT * FROM {table}"), key_column, Scope(columns))

    def named(self, node: ir.Named) -> Relation:
        source = self.relation(node.input)
        aliases = ir.scope(node.input)
        if len(aliases) > 1 or isinstance(node.input, ir.Group):
            raise NotExpressibleError("a row of rows under one alias")
        old = aliases[0] if aliases else ""
        columns = {
            (node.alias, name): column
            for (owner, name), column in source.scope.columns.items()
            if owner == old
        }
        return Relation(source.name, source.key, Scope(columns, {}, source.scope.bools))

    def project(self, node: ir.Project) -> Relation:
        source = self.relation(node.input)
        if node.into is not None or not isinstance(node.row, scalar.Record):
            raise NotExpressibleError("a row that is not a plain record")
        scope = Scope(bools=set(source.scope.bools))
        selected: list[str] = []
        for name, part in node.row.items:
            if name is None:
                self.spread(part, source.scope, scope)
                continue
            piece = sql_of(part, source.scope, self.parameters)
            column = self.fresh("c")
            selected.append(f"{piece.text} AS {column}")
            scope.columns["", name] = column
            if piece.is_bool:
                scope.bools.add(column)
        listing = ", ".join(("*", *selected))
        name = self.step(f"SELECT {listing} FROM {source.name}")
        return Relation(name, source.key, scope, source.position)

    def spread(self, part: scalar.Scalar, source: Scope, target: Scope) -> None:
        if not isinstance(part, scalar.RowOf):
            raise NotExpressibleError("a nested value")
        for (owner, name), column in source.columns.items():
            if owner == part.alias:
                if ("", name) in target.columns:
                    raise NotExpressibleError("spread rows that share a field")
                target.columns["", name] = column

    def join(self, node: ir.Join) -> Relation:
        left, right = self.relation(node.left), self.relation(node.right)
        if node.how in ("right", "full"):
            left = self.with_presence(node.left, left)
        if node.how in ("left", "full"):
            right = self.with_presence(node.right, right)
        scope = Scope(
            left.scope.columns | right.scope.columns,
            left.scope.present | right.scope.present,
            left.scope.bools | right.scope.bools,
        )
        condition = self.condition(node, scope)
        body = f"SELECT * FROM {left.name} {node.how.upper()} JOIN {right.name} ON {condition}"
        if node.how == "cross":
            body = f"SELECT * FROM {left.name} CROSS JOIN {right.name}"
        key = self.parts(node.left, left) + self.parts(node.right, right)
        return Relation(self.step(body), key, scope)

    def semijoin(self, node: ir.Join) -> Relation:
        left, right = self.relation(node.left), self.relation(node.right)
        scope = Scope(
            left.scope.columns | right.scope.columns,
            left.scope.present | right.scope.present,
            left.scope.bools | right.scope.bools,
        )
        test = "EXISTS" if node.how == "semi" else "NOT EXISTS"
        condition = self.condition(node, scope)
        body = (
            f"SELECT * FROM {left.name} WHERE {test} (SELECT 1 FROM {right.name} WHERE {condition})"
        )
        return Relation(self.step(body), left.key, left.scope)

    def condition(self, node: ir.Join, scope: Scope) -> str:
        parts = [self.truth(scalar.Call("eq", pair), scope) for pair in node.on]
        if node.residual is not None:
            parts.append(self.truth(node.residual, scope))
        return " AND ".join(f"({part})" for part in parts) or "1"

    def with_presence(self, node: ir.Node, source: Relation) -> Relation:
        present = dict(source.scope.present)
        added: dict[str, str | None] = {
            a: self.fresh("p") for a in ir.scope(node) if present.get(a) is None
        }
        listing = ", ".join(("*", *[f"1 AS {column}" for column in added.values()]))
        name = self.step(f"SELECT {listing} FROM {source.name}")
        scope = Scope(source.scope.columns, present | added, source.scope.bools)
        return Relation(name, source.key, scope)

    def parts(self, node: ir.Node, source: Relation) -> tuple[Part, ...]:
        names = ir.scope(node)
        if len(names) == 1:
            return (Part(source.key, source.scope.present.get(names[0])),)
        if isinstance(source.key, str):
            raise NotExpressibleError("a join of several aliases without a composed key")
        return tuple(
            Part(part.key, part.present or source.scope.present.get(name))
            for name, part in zip(names, source.key, strict=True)
        )

    def group(self, node: ir.Group) -> Relation:
        source = self.relation(node.input)
        scope = Scope()
        keys: list[str] = []
        pieces = [sql_of(key, source.scope, self.parameters) for key in node.keys]
        pieces += [self.parameters.aggregate(spec, source.scope) for spec in node.aggregates]
        selected: list[str] = []
        for index, piece in enumerate(pieces):
            column = self.fresh("c")
            selected.append(f"{piece.text} AS {column}")
            scope.columns["", index] = column
            if piece.is_bool:
                raise NotExpressibleError("a bool as a cell")
            if index < len(node.keys):
                keys.append(column)
        if not selected:
            raise NotExpressibleError("a group without cells")
        by = f" GROUP BY {', '.join(keys)}" if keys else ""
        name = self.step(f"SELECT {', '.join(selected)} FROM {source.name}{by}")
        tree = keys[0] if len(keys) == 1 else tuple(Part(key, None) for key in keys)
        return Relation(name, tree, scope)

    def recursive(self, node: ir.Recursive) -> Relation:
        """Write a recursion; its step has to be one SELECT that names the table once."""
        seed, step = self.relation(node.seed), node.step
        if not isinstance(step, ir.Project) or not isinstance(step.row, scalar.Record):
            raise NotExpressibleError("a step that is not a plain select")
        names = {name: self.fresh("c") for name in node.columns}
        table = self.fresh("recursive")
        tables, conditions, scope = self.step_of(step.input, node.so_far, table, names)
        pieces = {name: sql_of(part, scope, self.parameters) for name, part in step.row.items}
        first = [seed.scope.columns.get(("", name)) for name in names]
        again = [pieces.get(name) for name in names]
        if (
            None in first
            or None in again
            or seed.scope.bools
            or any(p and p.is_bool for p in again)
        ):
            raise NotExpressibleError("a recursion over bools, or without plain columns")
        body = (
            f"SELECT {', '.join(filter(None, first))} FROM {seed.name} UNION"
            f" SELECT {', '.join(piece.text for piece in again if piece)} FROM {', '.join(tables)}"
            f" WHERE {' AND '.join(conditions) or '1'}"
        )
        self.steps.append((f"{table}({', '.join(names.values())})", body))
        key = tuple(Part(column, None) for column in names.values())
        return Relation(table, key, Scope({("", name): c for name, c in names.items()}))

    def step_of(
        self, node: ir.Node, so_far: ir.RecursiveRef, table: str, names: dict[str, str]
    ) -> tuple[list[str], list[str], Scope]:
        """Return the tables, conditions and scope of what a step selects from."""
        if not ir.refers(node, so_far):
            source = self.relation(node)
            return [source.name], [], source.scope
        match node:
            case ir.Named(input=ir.RecursiveRef(), alias=alias):
                return [table], [], Scope({(alias, name): c for name, c in names.items()})
            case ir.Filter(input=child, condition=condition):
                tables, conditions, scope = self.step_of(child, so_far, table, names)
                return tables, [*conditions, f"({self.truth(condition, scope)})"], scope
            case ir.Join(how="inner" | "cross"):
                left = self.step_of(node.left, so_far, table, names)
                right = self.step_of(node.right, so_far, table, names)
                if table in left[0] and table in right[0]:
                    raise NotExpressibleError("a recursion that is not linear")
                scope = Scope(left[2].columns | right[2].columns)
                if any(left[2].present.values()) or any(right[2].present.values()):
                    raise NotExpressibleError("absent rows in a step")
                match = f"({self.condition(node, scope)})"
                return left[0] + right[0], [*left[1], *right[1], match], scope
            case _:
                raise NotExpressibleError("a step that is more than an inner join")

    def windowed(self, node: ir.Windowed) -> Relation:
        source = self.relation(node.input)
        scope = Scope(dict(source.scope.columns), source.scope.present, set(source.scope.bools))
        start = ir.width(node.input)
        selected: list[str] = []
        for index, window in enumerate(node.windows, start=start):
            piece = self.parameters.window(window, source.scope)
            column = self.fresh("c")
            selected.append(f"{piece.text} OVER ({self.window_of(window, source)}) AS {column}")
            scope.columns["", index] = column
            if piece.is_bool:
                scope.bools.add(column)
        name = self.step(f"SELECT {', '.join(('*', *selected))} FROM {source.name}")
        return Relation(name, source.key, scope, source.position)

    def window_of(self, window: scalar.Window, source: Relation) -> str:
        """Return what stands in the parentheses of OVER: peers exist for the ranks alone."""
        keys = ", ".join(self.sql(part, source.scope) for part in window.partition_by)
        text = f"PARTITION BY {keys}" if keys else ""
        if not window.order_by:
            return text
        terms = self.order_terms(window.order_by, source)
        if window.kind in ("rank", "dense_rank"):
            terms = terms[: len(window.order_by)]
        text += f" ORDER BY {', '.join(terms)}"
        if window.kind in ("count", "sum", "avg", "min", "max"):
            text += " ROWS UNBOUNDED PRECEDING"
        return text

    def order(self, node: ir.Order) -> Relation:
        source = self.relation(node.input)
        by = self.order_terms(node.by, source)
        position = self.fresh("position")
        over = f"ORDER BY {', '.join(by)}" if by else ""
        name = self.step(f"SELECT *, row_number() OVER ({over}) AS {position} FROM {source.name}")
        last = "" if node.limit is None else f" AND {position} <= {node.offset + node.limit}"
        name = self.step(f"SELECT * FROM {name} WHERE {position} > {node.offset}{last}")
        return Relation(name, source.key, source.scope, position)

    def order_terms(self, by: Sequence[scalar.Ordering], source: Relation) -> list[str]:
        terms = [
            f"{self.sql(part.by, source.scope)} {'DESC' if part.descending else 'ASC'}"
            f" NULLS {'LAST' if part.nulls_last else 'FIRST'}"
            for part in by
        ]
        return terms + list(_key_columns(source.key))
