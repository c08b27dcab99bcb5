"""The safe evaluator: expressions as closures that never raise for a value of the wrong kind.

Generated code reads fields directly and is right for every row on which it does not raise; on a row with a missing field
it does, and that one row is evaluated here instead. Slow (about five times) and obvious.

Law     for every row, the safe evaluator and generated code that did not raise give the same value
Edges   a missing field, a field of an absent row and UNSET are null; `and`, `or`, `case` and `coalesce` stop early
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow.errors import QueryError
from dataflow.query.operations.registry import OPERATIONS
from dataflow.query.scalar import Apply, Call, Cell, Column, Const, Item, Record, RowOf, Scalar
from dataflow.values.logic import and_, or_, truth
from dataflow.values.null import is_null
from dataflow.values.row import RowAdapter, ValueRows, adapter_for_row

if TYPE_CHECKING:
    from dataflow.query.compiler.layout import Layout

Evaluator: TypeAlias = Callable[[Any], Any]

_ADAPTERS: dict[type, RowAdapter] = {}


def adapter_of(row: Any) -> RowAdapter:
    """Return the adapter of a row's class, found once per class."""
    adapter = _ADAPTERS.get(row.__class__)
    if adapter is None:
        adapter = _ADAPTERS[row.__class__] = adapter_for_row(row)
    return adapter


def field(row: Any, name: str) -> Any:
    """Read a field of a row of any kind; null where row or field is missing."""
    return None if row is None else adapter_of(row).get(row, name)


def item(value: Any, key: str | int) -> Any:
    """Step into a nested value; null where there is nothing to step into."""
    if value is None:
        return None
    if isinstance(key, int):
        if isinstance(value, list | tuple):
            return value[key] if -len(value) <= key < len(value) else None
        return value.get(key) if isinstance(value, dict) else None
    if isinstance(value, dict):
        found = value.get(key)
        return None if is_null(found) else found
    if isinstance(value, str | bytes | int | float | list | tuple):
        return None
    return field(value, key)


def spread(row: Any) -> dict[str, Any]:
    """Return the fields of a row as a dict; an absent row has none.

    Raises:
        QueryError: if it is no row but a value, whose column has no name.
    """
    if row is None:
        return {}
    if isinstance(row, dict):
        return row
    adapter = adapter_of(row)
    if isinstance(adapter, ValueRows):
        error = QueryError(f"select spreads the fields of a row, and {row!r} has none")
        error.add_note("name the column: select(name=expression)")
        raise error
    return adapter.as_dict(row)


def evaluator(
    node: Scalar, layout: Layout, applied: Callable[[Apply], Evaluator] | None = None
) -> Evaluator:
    """Return the function that computes an expression for one row.

    Args:
        applied: answers how calls of user functions find their (already computed) result; None forbids such calls.
    """

    def build(part: Scalar) -> Evaluator:
        return evaluator(part, layout, applied)

    match node:
        case Const(value=value):
            return lambda row: value
        case Column(alias=alias, name=name):
            get = build(RowOf(alias))
            return lambda row: field(get(row), name)
        case RowOf(alias=alias):
            index = layout.slot(alias).index
            return (lambda row: row) if index is None else (lambda row: row[index])
        case Cell(index=position):
            return lambda row: row[position]
        case Item(base=base, key=key):
            inner = build(base)
            return lambda row: item(inner(row), key)
        case Record(items=items):
            return _record([(name, build(value)) for name, value in items])
        case Apply() if applied is not None:
            return applied(node)
        case Call(name=name, args=args):
            return _call(name, [build(arg) for arg in args])
        case _:
            raise QueryError(f"{type(node).__name__.lower()} cannot stand in this part of a query")


def _record(parts: list[tuple[str | None, Evaluator]]) -> Evaluator:
    def record(row: Any) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for name, value in parts:
            if name is None:
                built.update(spread(value(row)))
            else:
                built[name] = value(row)
        return built

    return record


def _call(name: str, args: list[Evaluator]) -> Evaluator:
    match name:
        case "and":
            return lambda row: _all(row, args)
        case "or":
            return lambda row: _any(row, args)
        case "coalesce":
            return lambda row: next((v for arg in args if (v := arg(row)) is not None), None)
        case "case":
            return lambda row: _case(row, args)
        case _:
            function = OPERATIONS[name].function
            assert function is not None, f"{name} is lazy and has a case of its own"
            return lambda row: function(*[arg(row) for arg in args])


def _all(row: Any, args: list[Evaluator]) -> Any:
    result: Any = True
    for arg in args:
        result = and_(result, arg(row))
        if result is False:
            return False
    return result


def _any(row: Any, args: list[Evaluator]) -> Any:
    result: Any = False
    for arg in args:
        result = or_(result, arg(row))
        if result is True:
            return True
    return result


def _case(row: Any, args: list[Evaluator]) -> Any:
    for condition, value in zip(args[:-1:2], args[1:-1:2], strict=True):
        if truth(condition(row)):
            return value(row)
    return args[-1](row)
