"""A foreign opinion: the meaning of a query according to SQLite.

Every node of the tree becomes one common table expression; columns have running names, so that
nothing is ever ambiguous. It takes the subset on which SQL and the contract agree, and refuses the
rest with `NotExpressibleError` and the reason:

    rows       dicts of null, int, str and floats that are small multiples of 1/8, so that sums are
               exact in any order; keys int or str
    queries    filter, project, joins of every kind, group, order / limit / offset, subqueries, set
               operations on named columns, and recursion whose step is one select over an inner
               join; no user functions, nested values, ordered aggregates, re-keying
    guards     SQL orders a number before a text where the contract says null, and adds texts up as
               zeros: comparisons, arithmetic and sums are emitted with a test of the types
    bools      results of conditions come back as 0 and 1 and are mapped to False and True
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard

from dataflow.query import ir, scalar
from dataflow.query.rows import columns_of
from dataflow.values.null import ABSENT
from tests.oracle.sqlite_scalars import NotExpressibleError, Parameters, Piece, Scope, sql_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.oracle.reference import Tables

__all__ = ["NotExpressibleError", "Writer", "answer", "evaluate"]


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
    connection = sqlite3.connect(":memory:")
    try:
        return answer(node, Writer(connection, tables))
    finally:
        connection.close()


def answer(node: ir.Node, writer: Writer) -> list[tuple[Any, Any]]:
    """Write a query and return the (key, row) pairs that the database answers."""
    if _is_row_of_rows(node):
        node = node.input
    result = writer.relation(node)
    order = f" ORDER BY {result.position}" if result.position else ""
    steps = ",\n".join(f"{name} AS ({body})" for name, body in writer.steps)
    cursor = writer.connection.execute(
        f"WITH RECURSIVE {steps}\nSELECT * FROM {result.name}{order}", writer.parameters.values
    )
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    return [_read(node, result, dict(zip(names, row, strict=True))) for row in rows]


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
            is_bool = scope.kind(column) == "bool" and value is not None
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


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _holds(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) < 2**30 and value * 8 == int(value * 8)
    if isinstance(value, str):
        return "\0" not in value
    is_small = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**40
    return value is None or is_small


@dataclass
class Writer:
    """Writes a query as common table expressions, and its sources as tables."""

    is_typed: ClassVar[bool] = False

    connection: Any
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

    def piece(self, node: scalar.Scalar, scope: Scope) -> Piece:
        return sql_of(node, scope, self.parameters)

    def cell(self, spec: scalar.Aggregate, source: Relation) -> Piece:
        return self.parameters.aggregate(spec, source.scope)

    def call(self, spec: scalar.Window, source: Relation) -> Piece:
        """Return the call of a window function, without its OVER."""
        return self.parameters.window(spec, source.scope)

    def typed(self, piece: Piece) -> str:
        """Return an expression with the type that all values of its kind have."""
        return piece.text

    def sql(self, node: scalar.Scalar, scope: Scope) -> str:
        return self.piece(node, scope).text

    def truth(self, node: scalar.Scalar, scope: Scope) -> str:
        piece = self.piece(node, scope)
        if not piece.is_bool:
            raise NotExpressibleError("a condition that is no bool")
        return piece.text

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
            case ir.SetOp():
                return self.combined(node)
            case ir.UnionAll():
                return self.together(node)
            case _:
                raise NotExpressibleError(f"no SQL for {type(node).__name__}")

    def scan(self, node: ir.Scan) -> Relation:
        rows = self.tables[node.source]
        names: dict[str, None] = {}
        for key, row in rows:
            if not isinstance(row, dict) or key is None:
                raise NotExpressibleError("rows other than dicts")
            if not all(map(_holds, (*_parts(key), *row.values()))):
                raise NotExpressibleError("values that SQL holds differently")
            names.update(dict.fromkeys(row))
        keys = [_parts(key) for key, _ in rows]
        widths = {len(parts) for parts in keys}
        if len(widths) > 1:
            raise NotExpressibleError("keys of different length")
        key_columns = [self.fresh("k") for _ in range(widths.pop() if widths else 1)]
        columns: dict[tuple[str, str | int], str] = {
            (node.alias, name): self.fresh("c") for name in names
        }
        table = self.fresh("source")
        values = [
            (*parts, *[row.get(name) for name in names])
            for parts, (_, row) in zip(keys, rows, strict=True)
        ]
        kinds = self.create(table, (*key_columns, *columns.values()), values)
        is_tuple = bool(rows) and isinstance(rows[0][0], tuple)
        key = tuple(Part(column, None) for column in key_columns) if is_tuple else key_columns[0]
        return Relation(self.step(f"SELECT * FROM {table}"), key, Scope(columns, {}, kinds))

    def create(
        self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> dict[str, str]:
        """Make a table; return what its columns hold."""
        self.connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return dict.fromkeys(columns, "value")

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
        return Relation(source.name, source.key, Scope(columns, {}, source.scope.kinds))

    def project(self, node: ir.Project) -> Relation:
        source = self.relation(node.input)
        if node.into is not None or not isinstance(node.row, scalar.Record):
            raise NotExpressibleError("a row that is not a plain record")
        scope = Scope(kinds=dict(source.scope.kinds))
        selected: list[str] = []
        for name, part in node.row.items:
            if name is None:
                self.spread(part, source.scope, scope)
                continue
            piece = self.piece(part, source.scope)
            column = self.fresh("c")
            selected.append(f"{piece.text} AS {column}")
            scope.columns["", name] = column
            scope.kinds[column] = piece.kind
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
        scope = left.scope | right.scope
        condition = self.condition(node, scope)
        body = f"SELECT * FROM {left.name} {node.how.upper()} JOIN {right.name} ON {condition}"
        if node.how == "cross":
            body = f"SELECT * FROM {left.name} CROSS JOIN {right.name}"
        key = self.parts(node.left, left) + self.parts(node.right, right)
        return Relation(self.step(body), key, scope)

    def semijoin(self, node: ir.Join) -> Relation:
        left, right = self.relation(node.left), self.relation(node.right)
        scope = left.scope | right.scope
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
        return " AND ".join(f"({part})" for part in parts) or "1 = 1"

    def with_presence(self, node: ir.Node, source: Relation) -> Relation:
        present = dict(source.scope.present)
        added: dict[str, str | None] = {
            a: self.fresh("p") for a in ir.scope(node) if present.get(a) is None
        }
        listing = ", ".join(("*", *[f"1 AS {column}" for column in added.values()]))
        name = self.step(f"SELECT {listing} FROM {source.name}")
        scope = Scope(source.scope.columns, present | added, source.scope.kinds)
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
        pieces = [self.piece(key, source.scope) for key in node.keys]
        pieces += [self.cell(spec, source) for spec in node.aggregates]
        selected: list[str] = []
        for index, piece in enumerate(pieces):
            column = self.fresh("c")
            selected.append(f"{piece.text} AS {column}")
            scope.columns["", index] = column
            scope.kinds[column] = piece.kind
            if index < len(node.keys):
                if piece.is_bool:
                    raise NotExpressibleError("a bool as a key")
                keys.append(column)
        if not selected:
            raise NotExpressibleError("a group without cells")
        by = f" GROUP BY {', '.join(keys)}" if keys else ""
        name = self.step(f"SELECT {', '.join(selected)} FROM {source.name}{by}")
        tree = keys[0] if len(keys) == 1 else tuple(Part(key, None) for key in keys)
        return Relation(name, tree, scope)

    def operands(
        self, inputs: Sequence[ir.Node], names: Sequence[str]
    ) -> tuple[list[Relation], Scope, list[str]]:
        """Write inputs of equal columns: the relations, the scope of all, and what to select of each."""
        relations = [self.relation(child) for child in inputs]
        scope = Scope()
        for name in names:
            column = self.fresh("c")
            found = [one.scope.columns.get(("", name), "NULL") for one in relations]
            kinds = {one.scope.kind(c) for one, c in zip(relations, found, strict=True)} - {"null"}
            if len(kinds) > 1:
                raise NotExpressibleError("columns of several kinds in one")
            scope.columns["", name] = column
            scope.kinds[column] = kinds.pop() if kinds else "null"
        listings = []
        for one in relations:
            columns = [one.scope.columns.get(("", name), "NULL") for name in names]
            pairs = zip(columns, scope.columns.values(), strict=True)
            parts = [f"{self.typed(Piece(a, scope.kind(b)))} AS {b}" for a, b in pairs]
            listings.append(", ".join(parts))
        return relations, scope, listings

    def combined(self, node: ir.SetOp) -> Relation:
        """Write a set operation; its rows are known by all of their columns."""
        if not node.columns or any(ir.scope(child) for child in node.inputs):
            raise NotExpressibleError("a set of rows without named columns")
        relations, scope, listings = self.operands(node.inputs, node.columns)
        if "bool" in {scope.kind(column) for column in scope.columns.values()}:
            raise NotExpressibleError("a bool as a key")
        word = {"distinct": "", "union": " UNION ", "intersect": " INTERSECT "}.get(
            node.kind, " EXCEPT "
        )
        parts = [
            f"SELECT DISTINCT {listing} FROM {one.name}"
            for one, listing in zip(relations, listings, strict=True)
        ]
        key = tuple(Part(column, None) for column in scope.columns.values())
        return Relation(self.step(word.join(parts)), key, scope)

    def together(self, node: ir.UnionAll) -> Relation:
        """Write all rows of inputs, with the number of the input before their keys."""
        inputs = [columns_of(child) for child in node.inputs]
        if any(ir.scope(child) for child in node.inputs) or len(set(inputs)) > 1 or not inputs[0]:
            raise NotExpressibleError("inputs without the same columns in the same order")
        relations, scope, listings = self.operands(node.inputs, inputs[0])
        keys = [list(_key_columns(one.key)) for one in relations]
        if not all(isinstance(one.key, str) for one in relations):
            raise NotExpressibleError("inputs with keys of several parts")
        branch, key = self.fresh("branch"), self.fresh("k")
        found = {one.scope.kind(column) for one, (column,) in zip(relations, keys, strict=True)} - {
            "null"
        }
        if len(found) > 1:
            raise NotExpressibleError("keys of several kinds")
        scope.kinds |= {branch: "number", key: found.pop() if found else "null"}
        rows = zip(relations, keys, listings, strict=True)
        parts = [
            f"SELECT {n} AS {branch}, {self.typed(Piece(column, scope.kind(key)))} AS {key}, {listing}"
            f" FROM {one.name}"
            for n, (one, (column,), listing) in enumerate(rows)
        ]
        tree = (Part(branch, None), Part(key, None))
        return Relation(self.step(" UNION ALL ".join(parts)), tree, scope)

    def recursive(self, node: ir.Recursive) -> Relation:
        """Write a recursion; its step has to be one SELECT that names the table once."""
        seed, step = self.relation(node.seed), node.step
        if not isinstance(step, ir.Project) or not isinstance(step.row, scalar.Record):
            raise NotExpressibleError("a step that is not a plain select")
        names = {name: self.fresh("c") for name in node.columns}
        table = self.fresh("recursive")
        kinds_of = {
            c: seed.scope.kind(seed.scope.columns.get(("", name), "")) for name, c in names.items()
        }
        if not self.is_typed:
            kinds_of = {c: "value" if kind == "null" else kind for c, kind in kinds_of.items()}
        so_far = Scope({("", name): c for name, c in names.items()}, {}, kinds_of)
        tables, conditions, scope = self.step_of(step.input, node.so_far, table, so_far)
        pieces = {name: self.piece(part, scope) for name, part in step.row.items}
        if not {("", name) for name in names} <= set(seed.scope.columns) or set(names) != set(
            pieces
        ):
            raise NotExpressibleError("a recursion without plain columns")
        columns = [seed.scope.columns["", name] for name in names]
        kinds = list(kinds_of.values())
        first = [Piece(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        again = [pieces[name] for name in names]
        differ = any(b.kind not in (a.kind, "null") for a, b in zip(first, again, strict=True))
        if differ or {"bool", "null"} & set(kinds):
            raise NotExpressibleError("a recursion over bools, or over columns of several kinds")
        again = [Piece(b.text, a.kind) for a, b in zip(first, again, strict=True)]
        body = (
            f"SELECT {', '.join(map(self.typed, first))} FROM {seed.name} UNION"
            f" SELECT {', '.join(map(self.typed, again))} FROM {', '.join(tables)}"
            f" WHERE {' AND '.join(conditions) or '1 = 1'}"
        )
        self.steps.append((f"{table}({', '.join(names.values())})", body))
        key = tuple(Part(column, None) for column in names.values())
        return Relation(table, key, so_far)

    def step_of(
        self, node: ir.Node, so_far: ir.RecursiveRef, table: str, rows: Scope
    ) -> tuple[list[str], list[str], Scope]:
        """Return the tables, conditions and scope of what a step selects from."""
        if not ir.refers(node, so_far):
            source = self.relation(node)
            return [source.name], [], source.scope
        match node:
            case ir.Named(input=ir.RecursiveRef(), alias=alias):
                columns = {(alias, name): c for (_, name), c in rows.columns.items()}
                return [table], [], Scope(columns, {}, rows.kinds)
            case ir.Filter(input=child, condition=condition):
                tables, conditions, scope = self.step_of(child, so_far, table, rows)
                return tables, [*conditions, f"({self.truth(condition, scope)})"], scope
            case ir.Join(how="inner" | "cross"):
                left = self.step_of(node.left, so_far, table, rows)
                right = self.step_of(node.right, so_far, table, rows)
                if table in left[0] and table in right[0]:
                    raise NotExpressibleError("a recursion that is not linear")
                scope = left[2] | right[2]
                if any(left[2].present.values()) or any(right[2].present.values()):
                    raise NotExpressibleError("absent rows in a step")
                match = f"({self.condition(node, scope)})"
                return left[0] + right[0], [*left[1], *right[1], match], scope
            case _:
                raise NotExpressibleError("a step that is more than an inner join")

    def windowed(self, node: ir.Windowed) -> Relation:
        source = self.relation(node.input)
        scope = Scope(dict(source.scope.columns), source.scope.present, dict(source.scope.kinds))
        start = ir.width(node.input)
        selected: list[str] = []
        for index, window in enumerate(node.windows, start=start):
            piece = self.call(window, source)
            column = self.fresh("c")
            selected.append(f"{piece.text} OVER ({self.window_of(window, source)}) AS {column}")
            scope.columns["", index] = column
            scope.kinds[column] = piece.kind
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
        return terms + [f"{column} NULLS FIRST" for column in _key_columns(source.key)]
