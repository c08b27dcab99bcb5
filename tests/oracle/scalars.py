"""The value of a scalar expression for one row, by walking the expression.

An environment maps each alias to its row (`None` where an outer join found no match); `""` is the
row of a query that was selected or grouped, in the latter case a tuple of cells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from dataflow.query import scalar
from tests.oracle.library import LIBRARY, is_number, is_whole, shown, texts
from tests.oracle.semantics import comparable, compare, field_of, fields_of, kind, same

Env = Mapping[str, Any]


def value_of(node: scalar.Scalar, env: Env) -> Any:
    """Evaluate an expression that contains no aggregate."""
    match node:
        case scalar.Const(value=value):
            return value
        case scalar.Column(alias=alias, name=name):
            return field_of(env[alias], name)
        case scalar.RowOf(alias=alias):
            return env[alias]
        case scalar.Cell(index=index):
            return env[""][index]
        case scalar.Item(base=base, key=key):
            return _step(value_of(base, env), key)
        case scalar.Record(items=items):
            return _record(items, env)
        case scalar.Apply(function=function, args=args):
            return function(*[value_of(arg, env) for arg in args])
        case scalar.Call(name="case", args=args):
            return _case(args, env)
        case scalar.Call(name=name, args=args):
            return CALLS[name](*[value_of(arg, env) for arg in args])
        case _:
            raise NotImplementedError(f"the oracle does not know {node!r}")


def is_true(condition: scalar.Scalar, env: Env) -> bool:
    """Tell whether a condition is TRUE, neither FALSE nor null."""
    return value_of(condition, env) is True


def _step(base: Any, key: str | int) -> Any:
    if isinstance(base, list | tuple):
        if not isinstance(key, int):
            return None
        return base[key] if -len(base) <= key < len(base) else None
    if isinstance(base, dict):
        return base.get(key)
    return field_of(base, key) if isinstance(key, str) and kind(base) == "object" else None


def _record(items: tuple[tuple[str | None, scalar.Scalar], ...], env: Env) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, part in items:
        value = value_of(part, env)
        if name is not None:
            row[name] = value
        elif value is not None:
            row.update(fields_of(value))
    return row


def _case(args: tuple[scalar.Scalar, ...], env: Env) -> Any:
    *branches, otherwise = args
    for condition, value in zip(branches[::2], branches[1::2], strict=True):
        if is_true(condition, env):
            return value_of(value, env)
    return value_of(otherwise, env)


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _and(*parts: Any) -> bool | None:
    truths = [_truth(part) for part in parts]
    if False in truths:
        return False
    return None if None in truths else True


def _not(value: Any) -> bool | None:
    return None if _truth(value) is None else not value


def _or(*parts: Any) -> bool | None:
    return _not(_and(*[_not(part) for part in parts]))


def _eq(a: Any, b: Any) -> bool | None:
    return None if a is None or b is None else same(a, b)


def _ordered(test: Callable[[int], bool]) -> Callable[[Any, Any], bool | None]:
    return lambda a, b: test(compare(a, b)) if comparable(a, b) else None


def _arithmetic(operator: str, operate: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*operands: Any) -> Any:
        kinds = tuple("number" if is_number(operand) else kind(operand) for operand in operands)
        if set(kinds) != {"number"}:
            if (operator, *kinds) not in OF_TIMES:
                return None
            operands = tuple(map(_whole, operands))
        try:
            return operate(*operands)
        except (ArithmeticError, ValueError):
            return None

    return apply


def _whole(operand: Any) -> Any:
    """Let durations be scaled by 2 instead of 2.0: floats are rounded."""
    return int(operand) if is_whole(operand) else operand


MOMENTS = ("date", "naive datetime", "aware datetime")
OF_TIMES = {
    *(("-", moment, moment) for moment in (*MOMENTS, "duration")),
    *(("-", moment, "duration") for moment in MOMENTS),
    *(("+", moment, "duration") for moment in (*MOMENTS, "duration")),
    *(("+", "duration", moment) for moment in MOMENTS),
    *((operator, "duration", "number") for operator in ("*", "/")),
    *((operator, "duration", "duration") for operator in ("/", "//", "%")),
    *(("*", "number", "duration"), ("neg", "duration"), ("abs", "duration")),
}
"""Operators and the kinds of operands, besides numbers, for which they have an answer."""


def _minus(a: Any, b: Any) -> Any:
    return a + -b if kind(b) == "duration" else a - b


def _in_any(value: Any, *options: Any) -> bool | None:
    return _or(*[_eq(value, option) for option in options])


def _like(value: str, pattern: str, flags: int = 0) -> bool:
    parts = [{"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern]
    return re.fullmatch("".join(parts), value, re.DOTALL | flags) is not None


def _length(value: Any) -> int | None:
    if isinstance(value, dict):
        return sum(field is not None for field in value.values())
    return len(value) if isinstance(value, str | list | tuple | bytes | set) else None


def _contains(whole: Any, part: Any) -> bool | None:
    if isinstance(whole, list | tuple):
        return None if part is None else any(same(item, part) for item in whole if item is not None)
    if isinstance(whole, dict):
        fields = [name for name, field in whole.items() if field is not None]
        return _contains(fields, part)
    return part in whole if isinstance(whole, str) and isinstance(part, str) else None


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _concat(*values: Any) -> str | None:
    shown_values = [shown(value) for value in values]
    return None if None in shown_values else "".join(map(str, shown_values))


def _substring(value: Any, start: Any, size: Any = None) -> str | None:
    if not (isinstance(value, str) and is_whole(start) and (size is None or is_whole(size))):
        return None
    begin = int(max(0, start + len(value)) if start < 0 else start)
    return value[begin:] if size is None else value[begin : begin + max(0, int(size))]


def _round(value: Any, digits: int = 0) -> Any:
    return value if isinstance(value, float) and not math.isfinite(value) else round(value, digits)


CALLS: dict[str, Callable[..., Any]] = {
    "eq": _eq,
    "ne": lambda a, b: _not(_eq(a, b)),
    "lt": _ordered(lambda sign: sign < 0),
    "le": _ordered(lambda sign: sign <= 0),
    "gt": _ordered(lambda sign: sign > 0),
    "ge": _ordered(lambda sign: sign >= 0),
    "and": _and,
    "or": _or,
    "not": _not,
    "add": _arithmetic("+", lambda a, b: a + b),
    "sub": _arithmetic("-", _minus),
    "mul": _arithmetic("*", lambda a, b: a * b),
    "div": _arithmetic("/", lambda a, b: a / b),
    "floordiv": _arithmetic("//", lambda a, b: a // b),
    "mod": _arithmetic("%", lambda a, b: a % b),
    "neg": _arithmetic("neg", lambda a: -a),
    "abs": _arithmetic("abs", abs),
    "round": _arithmetic("round", _round),
    "in": lambda value, options: _in_any(value, *options),
    "in_any": _in_any,
    "is_null": lambda value: value is None,
    "is_not_null": lambda value: value is not None,
    "coalesce": _coalesce,
    "like": texts(_like),
    "ilike": texts(lambda value, pattern: _like(value, pattern, re.IGNORECASE)),
    "contains": _contains,
    "starts_with": texts(str.startswith),
    "ends_with": texts(str.endswith),
    "upper": texts(str.upper),
    "lower": texts(str.lower),
    "trim": texts(str.strip),
    "length": _length,
    "concat": _concat,
    "substring": _substring,
    **LIBRARY,
}
"""Library functions by their name in the IR."""
