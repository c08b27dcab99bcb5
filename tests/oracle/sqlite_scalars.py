"""Scalar expressions and aggregates as SQL text; see `tests.oracle.sqlite` for what is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.query import scalar

if TYPE_CHECKING:
    from collections.abc import Callable


class NotExpressibleError(Exception):
    """SQLite does not mean the same by a query, or cannot hold its rows."""


@dataclass
class Scope:
    """Where the fields of each alias are: (alias, field or cell) -> column.

    `present` maps an alias to the column that is null where its row is absent; `kinds` tells of a
    column what `Piece` tells of an expression.
    """

    columns: dict[tuple[str, str | int], str] = field(default_factory=dict)
    present: dict[str, str | None] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def __or__(self, other: Scope) -> Scope:
        """Return both scopes as one."""
        return Scope(
            self.columns | other.columns, self.present | other.present, self.kinds | other.kinds
        )

    def kind(self, column: str) -> str:
        """Return the kind of a column; null where there is none."""
        return self.kinds.get(column, "null")


@dataclass(frozen=True)
class Piece:
    """SQL text of one expression, and what its values are.

    To SQLite everything is a "value" but for the 0 and 1 that stand for False and True, which are
    "bool", and NULL, which is "null". A database with typed columns has more kinds.
    """

    text: str
    kind: str = "value"

    @property
    def is_bool(self) -> bool:
        """Whether 0 and 1 are bools."""
        return self.kind == "bool"


@dataclass
class Parameters:
    """The constants of a statement, by name."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def aggregate(self, spec: scalar.Aggregate, scope: Scope) -> Piece:
        where = ""
        if spec.where is not None:
            where = f" FILTER (WHERE {truth_of(spec.where, scope, self)})"
        if spec.kind in ("any", "all"):
            text = truth_of(spec.args[0], scope, self)
            return Piece(f"{'max' if spec.kind == 'any' else 'min'}({text}){where}", "bool")
        if spec.kind not in ("count", "count_distinct", "sum", "avg", "min", "max"):
            raise NotExpressibleError(f"no SQL for the aggregate {spec.kind}")
        if not spec.args:
            return Piece(f"count(*){where}")
        argument = sql_of(spec.args[0], scope, self)
        if argument.is_bool:
            raise NotExpressibleError("an aggregate of bools")
        text = argument.text
        if spec.kind in ("sum", "avg"):
            text = f"CASE WHEN typeof({text}) IN {NUMBERS} THEN {text} END"
        function = "count(DISTINCT " if spec.kind == "count_distinct" else f"{spec.kind}("
        return Piece(f"{function}{text}){where}")

    def window(self, spec: scalar.Window, scope: Scope) -> Piece:
        """Return the call of a window function, without its OVER."""
        if spec.kind in ("row_number", "rank", "dense_rank"):
            return Piece(f"{spec.kind}()")
        if spec.kind not in ("lag", "lead"):
            return self.aggregate(scalar.Aggregate(spec.kind, spec.args, spec.where), scope)
        value, default = (sql_of(arg, scope, self) for arg in spec.args)
        kind = value.kind if default.kind == "null" else default.kind
        if value.kind not in (kind, "null"):
            raise NotExpressibleError("a bool and what is none in one column")
        return Piece(f"{spec.kind}({value.text}, {spec.offset}, {default.text})", kind)


NUMBERS = "('integer', 'real')"


def truth_of(node: scalar.Scalar, scope: Scope, parameters: Parameters) -> str:
    """Return SQL for a condition; only what yields a bool is one."""
    piece = sql_of(node, scope, parameters)
    if not piece.is_bool:
        raise NotExpressibleError("a condition that is no bool")
    return piece.text


def sql_of(node: scalar.Scalar, scope: Scope, parameters: Parameters) -> Piece:
    """Return SQL for an expression."""
    match node:
        case scalar.Const(value=value):
            return _constant(value, parameters)
        case scalar.Column(alias=alias, name=name):
            return _column((alias, name), scope)
        case scalar.Cell(index=index):
            return _column(("", index), scope)
        case scalar.Call(name="is_null" | "is_not_null" as name, args=(scalar.RowOf(alias=alias),)):
            column = scope.present.get(alias) or "1"
            return Piece(f"({column} IS {'NOT ' * (name == 'is_not_null')}NULL)", "bool")
        case scalar.Call(name="in", args=(value, scalar.Const(value=tuple(options)))):
            return sql_of(
                scalar.Call("in_any", (value, *map(scalar.Const, options))), scope, parameters
            )
        case scalar.Call(name=name, args=args) if name in CALLS:
            return CALLS[name]([sql_of(arg, scope, parameters) for arg in args])
        case _:
            raise NotExpressibleError(f"no SQL for {node!r}")


def _constant(value: Any, parameters: Parameters) -> Piece:
    if value is None:
        return Piece("NULL", "null")
    if isinstance(value, bool):
        return Piece(str(int(value)), "bool")
    if isinstance(value, int | str) or (isinstance(value, float) and not math.isnan(value)):
        return Piece(parameters.add(value))  # SQLite would bind NaN as null
    raise NotExpressibleError("a constant that SQL does not know")


def _column(which: tuple[str, str | int], scope: Scope) -> Piece:
    column = scope.columns.get(which, "NULL")
    return Piece(column, scope.kind(column))


def _plain(pieces: list[Piece]) -> list[str]:
    if any(piece.is_bool for piece in pieces):
        raise NotExpressibleError("a bool where SQL has a number")
    return [piece.text for piece in pieces]


def _bools(pieces: list[Piece]) -> list[str]:
    if not all(piece.kind in ("bool", "null") for piece in pieces):
        raise NotExpressibleError("logic over what is no bool")
    return [piece.text for piece in pieces]


def _equality(operator: str) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        if len({piece.kind for piece in pieces} - {"null"}) > 1:
            raise NotExpressibleError("a bool compared with a number")
        a, b = (piece.text for piece in pieces)
        return Piece(f"({a} {operator} {b})", "bool")

    return write


def _comparison(operator: str) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        a, b = _plain(pieces)
        alike = f"(typeof({a}) IN {NUMBERS}) = (typeof({b}) IN {NUMBERS})"
        return Piece(f"(CASE WHEN {alike} THEN {a} {operator} {b} END)", "bool")

    return write


def _logic(operator: str) -> Callable[[list[Piece]], Piece]:
    return lambda pieces: Piece(f"({operator.join(_bools(pieces))})", "bool")


def _arithmetic(form: str) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        texts = _plain(pieces)
        guard = " AND ".join(f"typeof({text}) IN {NUMBERS}" for text in texts)
        return Piece(f"(CASE WHEN {guard} THEN {form.format(*texts)} END)")

    return write


def _membership(pieces: list[Piece]) -> Piece:
    value, *options = _plain(pieces)
    return Piece(f"({value} IN ({', '.join(options)}))", "bool")


def _coalesce(pieces: list[Piece]) -> Piece:
    return Piece(f"coalesce({', '.join(_plain([*pieces, Piece('NULL', 'null')]))})")


def _case(pieces: list[Piece]) -> Piece:
    *branches, otherwise = pieces
    conditions, values = _bools(branches[::2]), _plain([*branches[1::2], otherwise])
    pairs = zip(conditions, values[:-1], strict=True)
    text = " ".join(f"WHEN {condition} THEN {value}" for condition, value in pairs)
    return Piece(f"(CASE {text} ELSE {values[-1]} END)")


def _extreme(function: str) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        texts = _plain(pieces)
        known = [f"coalesce({', '.join((text, *texts, 'NULL'))})" for text in texts]
        return Piece(texts[0] if len(texts) == 1 else f"{function}({', '.join(known)})")

    return write


def _textual(form: str, *, is_bool: bool = False) -> Callable[[list[Piece]], Piece]:
    def write(pieces: list[Piece]) -> Piece:
        texts = _plain(pieces)
        guard = " AND ".join(f"typeof({text}) = 'text'" for text in texts)
        kind = "bool" if is_bool else "value"
        return Piece(f"(CASE WHEN {guard} THEN {form.format(*texts)} END)", kind)

    return write


def _type_test(kinds: str) -> Callable[[list[Piece]], Piece]:
    return lambda pieces: Piece(f"(typeof({_plain(pieces)[0]}) IN {kinds})", "bool")


def _null_test(test: str) -> Callable[[list[Piece]], Piece]:
    return lambda pieces: Piece(f"({pieces[0].text} {test})", "bool")


CALLS: dict[str, Callable[[list[Piece]], Piece]] = {
    "eq": _equality("="),
    "ne": _equality("<>"),
    "lt": _comparison("<"),
    "le": _comparison("<="),
    "gt": _comparison(">"),
    "ge": _comparison(">="),
    "and": _logic(" AND "),
    "or": _logic(" OR "),
    "not": lambda pieces: Piece(f"(NOT {_bools(pieces)[0]})", "bool"),
    "is_null": _null_test("IS NULL"),
    "is_not_null": _null_test("IS NOT NULL"),
    "in_any": _membership,
    "coalesce": _coalesce,
    "case": _case,
    "add": _arithmetic("{0} + {1}"),
    "sub": _arithmetic("{0} - {1}"),
    "mul": _arithmetic("{0} * {1}"),
    "div": _arithmetic("CAST({0} AS REAL) / {1}"),
    "neg": _arithmetic("-{0}"),
    "abs": _arithmetic("abs({0})"),
    "sign": _arithmetic("sign({0})"),
    "floor": _arithmetic("floor({0})"),
    "ceil": _arithmetic("ceil({0})"),
    "sqrt": _arithmetic("sqrt({0})"),
    "nullif": lambda pieces: Piece("nullif({}, {})".format(*_plain(pieces))),
    "least": _extreme("min"),
    "greatest": _extreme("max"),
    "length": _textual("length({0})"),
    "replace": _textual("replace({0}, {1}, {2})"),
    "position": _textual("nullif(instr({0}, {1}), 0) - 1"),
    "contains": _textual("instr({0}, {1}) > 0", is_bool=True),
    "starts_with": _textual("substr({0}, 1, length({1})) = {1}", is_bool=True),
    "is_number": _type_test(NUMBERS),
    "is_text": _type_test("('text')"),
}
"""Library functions that SQL has as well, by their name in the IR."""
