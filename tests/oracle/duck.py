"""Another foreign opinion: the meaning of a query according to DuckDB.

The statements are those for SQLite (`tests.oracle.sqlite`), but columns have types here, so that an
expression over a number and a text, which has its answer here and in SQLite, is refused with
`NotExpressibleError`. What SQL says differently is written differently:

    division by zero      an infinity; the divisor is made null
    roots of negatives    an error; the argument is made null
    mixed columns         `coalesce`, `case` and set operations turn numbers into texts; refused
    recursion             the step is cast to the types of the seed, which rounds; both are DOUBLE
    texts of numbers      1.0 where the contract says 1; refused

Where DuckDB and SQLite differ, SQLite decides. In return DuckDB knows ordered aggregates and
medians, which SQLite does not. Variances are left out: DuckDB rounds on the way.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

from dataflow.query import ir, scalar
from tests.oracle import sqlite
from tests.oracle.sqlite_scalars import NotExpressibleError, Piece, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.oracle.reference import Tables

TYPES = {"number": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN", "null": "INTEGER"}


def evaluate(node: ir.Node, tables: Tables) -> list[tuple[Any, Any]]:
    """Return the (key, row) pairs of a query, in order where it has one.

    Raises:
        NotExpressibleError: DuckDB does not mean the same by this query, or cannot hold these rows.
    """
    try:
        return sqlite.answer(node, Writer(_connection(), tables))
    except (duckdb.NotImplementedException, duckdb.OutOfRangeException) as error:
        raise NotExpressibleError(str(error)) from error


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1, "order_by_non_integer_literal": True})


class Writer(sqlite.Writer):
    """Writes statements for DuckDB; constants and rows of sources are literals."""

    is_typed = True

    def create(
        self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> dict[str, str]:
        kinds = {name: _kind([row[n] for row in rows]) for n, name in enumerate(columns)}
        types = [TYPES[kinds[name]] for name in columns]
        values = [
            ", ".join(
                f"CAST({_literal(value)} AS {type_})"
                for value, type_ in zip(row, types, strict=True)
            )
            for row in rows
        ]
        body = " UNION ALL ".join(f"SELECT {value}" for value in values)
        nothing = ", ".join(f"CAST(NULL AS {type_})" for type_ in types)
        listing = f"{table}({', '.join(columns)})"
        self.steps.append((listing, body or f"SELECT {nothing} WHERE FALSE"))
        return kinds

    def typed(self, piece: Piece) -> str:
        type_ = TYPES.get(piece.kind)
        return piece.text if type_ is None else f"CAST({piece.text} AS {type_})"

    def piece(self, node: scalar.Scalar, scope: Scope) -> Piece:
        match node:
            case scalar.Const(value=value):
                return self._constant(value)
            case scalar.Column(alias=alias, name=name):
                return _column((alias, name), scope)
            case scalar.Cell(index=index):
                return _column(("", index), scope)
            case scalar.Call(name="is_null" | "is_not_null" as name, args=(scalar.RowOf(alias),)):
                column = scope.present.get(alias) or "1"
                return Piece(f"({column} IS {'NOT ' * (name == 'is_not_null')}NULL)", "bool")
            case scalar.Call(name="in", args=(value, scalar.Const(value=tuple(options)))):
                args = (value, *map(scalar.Const, options))
                return self.piece(scalar.Call("in_any", args), scope)
            case scalar.Call(name=name, args=args) if name in CALLS:
                return CALLS[name]([self.piece(arg, scope) for arg in args])
            case _:
                raise NotExpressibleError(f"no SQL for {node!r}")

    def _constant(self, value: Any) -> Piece:
        if value is None:
            return Piece("NULL", "null")
        if isinstance(value, bool):
            return Piece("TRUE" if value else "FALSE", "bool")
        if isinstance(value, int | float) and math.isfinite(value):
            return Piece(f"CAST({_literal(value)} AS DOUBLE)", "number")
        if isinstance(value, str):
            return Piece(f"CAST({_literal(value)} AS VARCHAR)", "text")
        raise NotExpressibleError("a constant that SQL does not know")

    def cell(self, spec: scalar.Aggregate, source: sqlite.Relation) -> Piece:
        condition = "" if spec.where is None else self.truth(spec.where, source.scope)
        if not spec.args:
            return Piece(f"count(*){_where(condition)}", "number")
        value = self.piece(spec.args[0], source.scope)
        text, kind = value.text, value.kind
        if spec.kind in ("collect", "first", "last", "string_agg"):
            return self._ordered(spec, source, value, condition)
        form, kinds = AGGREGATES.get(spec.kind, ("", ()))
        if not form or kind not in (*kinds, "null"):
            raise NotExpressibleError(f"no SQL for {spec.kind} of {kind}")
        result = "number" if spec.kind in ("count", "count_distinct", "sum", "avg") else kind
        return Piece(f"{form.format(text)}{_where(condition)}", result)

    def _ordered(
        self, spec: scalar.Aggregate, source: sqlite.Relation, value: Piece, condition: str
    ) -> Piece:
        if value.kind == "bool" or (spec.kind == "string_agg" and value.kind == "number"):
            raise NotExpressibleError("an ordered aggregate of what is shown differently")
        order = ", ".join(self.order_terms(spec.order_by, source))
        known = f"{value.text} IS NOT NULL" + (f" AND ({condition})" if condition else "")
        if spec.kind == "string_agg":
            separator = _literal(spec.options[0])
            text = f"string_agg(CAST({value.text} AS VARCHAR), {separator} ORDER BY {order})"
            return Piece(f"{text}{_where(known)}", "text")
        rows = f"list({value.text} ORDER BY {order}){_where(known)}"
        if spec.kind == "collect":
            return Piece(rows, "list")
        return Piece(f"({rows})[{1 if spec.kind == 'first' else -1}]", value.kind)

    def call(self, spec: scalar.Window, source: sqlite.Relation) -> Piece:
        if spec.kind in ("row_number", "rank", "dense_rank"):
            return Piece(f"{spec.kind}()", "number")
        if spec.kind not in ("lag", "lead"):
            return self.cell(scalar.Aggregate(spec.kind, spec.args, spec.where), source)
        value, default = (self.piece(arg, source.scope) for arg in spec.args)
        kind = _common([value, default])
        typed = self.typed(Piece(value.text, kind))
        return Piece(f"{spec.kind}({typed}, {spec.offset}, {default.text})", kind)


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else repr(float(value))


def _where(condition: str) -> str:
    return f" FILTER (WHERE {condition})" if condition else ""


def _kind(values: Sequence[Any]) -> str:
    kinds = {
        "text" if isinstance(value, str) else "number" for value in values if value is not None
    }
    if len(kinds) > 1:
        raise NotExpressibleError("numbers and texts in one column")
    return kinds.pop() if kinds else "null"


def _column(which: tuple[str, str | int], scope: Scope) -> Piece:
    column = scope.columns.get(which, "NULL")
    kind = scope.kind(column)
    if kind == "list":
        raise NotExpressibleError("a list inside an expression")
    return Piece("NULL" if kind == "null" else column, kind)


def _common(pieces: Sequence[Piece]) -> str:
    kinds = {piece.kind for piece in pieces} - {"null"}
    if len(kinds) > 1:
        raise NotExpressibleError("numbers, texts and bools in one expression")
    return kinds.pop() if kinds else "null"


def _of(form: str, *kinds: str, result: str = "") -> Callable[[list[Piece]], Piece]:
    """Return what writes a function of arguments that all are of one of these kinds."""

    def write(pieces: list[Piece]) -> Piece:
        kind = _common(pieces)
        if kind not in (*kinds, "null"):
            raise NotExpressibleError(f"a function of {kind}")
        texts = [piece.text for piece in pieces]
        if kind == "null" and not result:
            return Piece("NULL", "null")
        if kind == "null":
            texts = [f"CAST({text} AS {TYPES[kinds[0]]})" for text in texts]
        return Piece(f"({form.format(*texts, all=', '.join(texts))})", result or kind)

    return write


def _logic(operator: str) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        if _common(pieces) not in ("bool", "null"):
            raise NotExpressibleError("logic over what is no bool")
        return Piece(f"({operator.join(piece.text for piece in pieces)})", "bool")

    return write


def _case(pieces: list[Piece]) -> Piece:
    *branches, otherwise = pieces
    _logic(" AND ")(branches[::2])
    kind = _common([*branches[1::2], otherwise])
    pairs = zip(branches[::2], branches[1::2], strict=True)
    text = " ".join(f"WHEN {condition.text} THEN {value.text}" for condition, value in pairs)
    return Piece(f"(CASE {text} ELSE {otherwise.text} END)", kind)


def _membership(pieces: list[Piece]) -> Piece:
    _common(pieces)
    value, *options = (piece.text for piece in pieces)
    return Piece(f"({value} IN ({', '.join(options)}))" if options else "FALSE", "bool")


def _null_test(test: str) -> Callable[[list[Piece]], Piece]:
    return lambda pieces: Piece(f"({pieces[0].text} {test})", "bool")


def _type_test(kind: str) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        (value,) = pieces
        return Piece(f"({value.text} IS NOT NULL)" if value.kind == kind else "FALSE", "bool")

    return write


_ANY = ("number", "text", "bool")
CALLS: dict[str, Callable[[list[Piece]], Piece]] = {
    "eq": _of("{0} = {1}", *_ANY, result="bool"),
    "ne": _of("{0} <> {1}", *_ANY, result="bool"),
    "lt": _of("{0} < {1}", "number", "text", result="bool"),
    "le": _of("{0} <= {1}", "number", "text", result="bool"),
    "gt": _of("{0} > {1}", "number", "text", result="bool"),
    "ge": _of("{0} >= {1}", "number", "text", result="bool"),
    "and": _logic(" AND "),
    "or": _logic(" OR "),
    "not": _of("NOT {0}", "bool", result="bool"),
    "is_null": _null_test("IS NULL"),
    "is_not_null": _null_test("IS NOT NULL"),
    "in_any": _membership,
    "coalesce": _of("coalesce({all}, NULL)", *_ANY),
    "case": _case,
    "add": _of("{0} + {1}", "number"),
    "sub": _of("{0} - {1}", "number"),
    "mul": _of("{0} * {1}", "number"),
    "div": _of("{0} / nullif({1}, 0)", "number"),
    "neg": _of("-{0}", "number"),
    "abs": _of("abs({0})", "number"),
    "sign": _of("sign({0})", "number"),
    "floor": _of("floor({0})", "number"),
    "ceil": _of("ceil({0})", "number"),
    "sqrt": _of("sqrt(CASE WHEN {0} >= 0 THEN {0} END)", "number"),
    "nullif": _of("nullif({0}, {1})", *_ANY),
    "least": _of("least({all})", "number", "text"),
    "greatest": _of("greatest({all})", "number", "text"),
    "upper": _of("upper({0})", "text"),
    "lower": _of("lower({0})", "text"),
    "trim": _of("trim({0})", "text"),
    "ltrim": _of("ltrim({0})", "text"),
    "rtrim": _of("rtrim({0})", "text"),
    "concat": _of("concat({all})", "text", result="text"),
    "length": _of("length({0})", "text", result="number"),
    "replace": _of("replace({0}, {1}, {2})", "text"),
    "position": _of("nullif(instr({0}, {1}), 0) - 1", "text", result="number"),
    "contains": _of("contains({0}, {1})", "text", result="bool"),
    "starts_with": _of("starts_with({0}, {1})", "text", result="bool"),
    "ends_with": _of("ends_with({0}, {1})", "text", result="bool"),
    "like": _of("{0} LIKE {1}", "text", result="bool"),
    "is_number": _type_test("number"),
    "is_text": _type_test("text"),
    "is_bool": _type_test("bool"),
}
"""Library functions that SQL has as well, by their name in the IR."""

AGGREGATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "count": ("count({})", _ANY),
    "count_distinct": ("count(DISTINCT {})", _ANY),
    "sum": ("sum({})", ("number",)),
    "avg": ("avg({})", ("number",)),
    "median": ("median({})", ("number",)),
    "min": ("min({})", ("number", "text")),
    "max": ("max({})", ("number", "text")),
    "any": ("bool_or({})", ("bool",)),
    "all": ("bool_and({})", ("bool",)),
}
"""Kind of aggregate -> its SQL, and the kinds of values it takes."""
