"""Emit: scalar expressions as Python source.

Three polarities. `value(e)` is the value of an expression; `true(e)` is truthy exactly where e is TRUE and `false(e)` exactly
where it is FALSE, which is how three-valued logic costs two-valued code: NOT swaps the two, AND and OR distribute.

Sound by construction: a raw Python operator stands only where it gives the contract's answer for every value that does not raise.
`None != 'open'` is True in Python, `True < 2` is True, `nan > 5` is False and `'ab' * 2` is 'abab'; so comparisons with a
constant test the class of the other operand first and leave every other class to the library function (measured: 3-10 ns for the
test, 60-100 ns for the call). What can raise is the access to a missing field; see `evaluate`.

`x` becomes `p0`, `p1` … where x was a constant; see `lift`.
"""

from __future__ import annotations

import builtins
import keyword
from typing import TYPE_CHECKING, Any

from dataflow.errors import QueryError
from dataflow.query.operations.registry import OPERATIONS
from dataflow.query.scalar import Call, Cell, Column, Const, Item, Param, Record, RowOf, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataflow.query.compiler.layout import Layout, Slot

_SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_INVERSE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
_FLIPPED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}


def function_name(operation: str) -> str:
    """Return the name that an operation has in generated code (`in_`, `round_`, but `lower`)."""
    reserved = keyword.iskeyword(operation) or hasattr(builtins, operation)
    return f"{operation}_" if reserved else operation


OPERATION_NAMES: dict[str, Any] = {
    function_name(name): operation.function
    for name, operation in OPERATIONS.items()
    if operation.function is not None
}


class Emitter:
    """Source text of expressions over one row.

    Args:
        layout: where the rows of the aliases are.
        row: the local name of the row in the generated function.
        applied: shape of a call of a user function -> the local that holds its result.
    """

    def __init__(
        self, layout: Layout, row: str, applied: Mapping[Scalar, str] | None = None
    ) -> None:
        self._layout = layout
        self._row = row
        self._applied = applied or {}
        self._temporaries = 0

    # -- values ----------------------------------------------------------------------------------------------------

    def value(self, node: Scalar) -> str:
        """Return source for the value of an expression, None for null."""
        match node:
            case Param(index=index):
                return f"p{index}"
            case Const(value=None | bool() as value):  # the compiler's; those of a query are lifted
                return repr(value)
            case Column(alias=alias, name=name):
                return self._field(self._layout.slot(alias), name)
            case RowOf(alias=alias):
                return self._layout.slot(alias).row(self._row)
            case Cell(index=index):
                return f"{self._row}[{index}]"
            case Item(base=base, key=key):
                return f"item({self.value(base)}, {key!r})"
            case Record(items=items):
                return "{" + ", ".join(self._entry(name, value) for name, value in items) + "}"
            case Call(name="apply"):
                return self._applied[node]
            case Call(name=name, args=args):
                return self._call(name, args)
            case _:
                kind = type(node).__name__.lower()
                raise QueryError(f"{kind} cannot stand in this part of a query")

    def _field(self, slot: Slot, name: str) -> str:
        row = slot.row(self._row)
        if slot.kind == "any":
            return f"field({row}, {name!r})"
        if slot.kind == "mapping":
            read = f"{row}[{name!r}]"
        else:
            plain = name.isidentifier() and not keyword.iskeyword(name)
            read = f"{row}.{name}" if plain else f"getattr({row}, {name!r})"
        if name in slot.unset:
            read = f"null_if_unset({read})"
        return f"(None if {row} is None else {read})" if slot.nullable else read

    def _entry(self, name: str | None, value: Scalar) -> str:
        if name is None:
            return f"**spread({self.value(value)})"
        return f"{name!r}: {self.value(value)}"

    def _call(self, name: str, args: tuple[Scalar, ...]) -> str:
        match name:
            case "and" | "or":
                text = self.value(args[0])
                for arg in args[1:]:
                    text = f"{name}_({text}, {self.value(arg)})"
                return text
            case "coalesce":
                return self._coalesce(args)
            case "case":
                return self._case(args)
            case "add" | "sub" | "mul":
                return self._arithmetic(name, *args)
            case _:
                return f"{function_name(name)}({', '.join(map(self.value, args))})"

    def _coalesce(self, args: tuple[Scalar, ...]) -> str:
        text = self.value(args[-1])
        for arg in reversed(args[:-1]):
            bind, local = self._bind(arg)
            text = f"({local} if {bind} is not None else {text})"
        return text

    def _case(self, args: tuple[Scalar, ...]) -> str:
        text = self.value(args[-1])
        for condition, value in reversed(list(zip(args[:-1:2], args[1:-1:2], strict=True))):
            text = f"({self.value(value)} if {self.true(condition)} else {text})"
        return text

    def _arithmetic(self, name: str, left: Scalar, right: Scalar) -> str:
        bind_left, a = self._bind(left)
        bind_right, b = self._bind(right)
        guard = f"{bind_left}.__class__ is {bind_right}.__class__ is int"
        return f"({a} {_ARITHMETIC[name]} {b} if {guard} else {name}({a}, {b}))"

    def _bind(self, node: Scalar) -> tuple[str, str]:
        """Return source that evaluates a node once, and the name under which it can be read again."""
        text = self.value(node)
        if text.isidentifier():
            return text, text
        self._temporaries += 1
        local = f"v{self._temporaries}"
        return f"({local} := {text})", local

    # -- conditions ------------------------------------------------------------------------------------------------

    def true(self, node: Scalar) -> str:
        """Return source that is truthy exactly where the condition is TRUE."""
        return self._condition(node, wanted=True)

    def false(self, node: Scalar) -> str:
        """Return source that is truthy exactly where the condition is FALSE."""
        return self._condition(node, wanted=False)

    def _condition(self, node: Scalar, *, wanted: bool) -> str:
        if isinstance(node, Call):
            match node.name:
                case "and" | "or":
                    word = "and" if (node.name == "and") == wanted else "or"
                    parts = [self._condition(arg, wanted=wanted) for arg in node.args]
                    return "(" + f" {word} ".join(parts) + ")"
                case "not":
                    return self._condition(node.args[0], wanted=not wanted)
                case "eq" | "ne" | "lt" | "le" | "gt" | "ge":
                    return self._comparison(node.name, *node.args, wanted=wanted)
                case "is_null" | "is_not_null":
                    negated = (node.name == "is_null") != wanted
                    return f"({self.value(node.args[0])} is {'not ' if negated else ''}None)"
                case _:
                    pass
        return f"({self.value(node)} is {wanted})"

    def _comparison(self, name: str, left: Scalar, right: Scalar, *, wanted: bool) -> str:
        if isinstance(left, Param) and not isinstance(right, Param):
            left, right, name = right, left, _FLIPPED[name]
        guard = self._guard(name, right)
        if guard is None:
            return f"({name}({self.value(left)}, {self.value(right)}) is {wanted})"
        bind, local = self._bind(left)
        constant = self.value(right)
        symbol = _SYMBOLS[name if wanted else _INVERSE[name]]
        test = guard.format(bind=bind, local=local)
        slow = f"{local} is not None and {name}({local}, {constant}) is {wanted}"
        return f"({local} {symbol} {constant} if {test} else {slow})"

    @staticmethod
    def _guard(name: str, constant: Scalar) -> str | None:
        """Return the test under which Python's own operator agrees with the contract, for one class of constant."""
        kind = constant.kind if isinstance(constant, Param) else "other"
        match kind:
            case "str":
                return "{bind}.__class__ is str"
            case "bool" if name in {"eq", "ne"}:
                return "{bind}.__class__ is bool"
            case "int" | "float" if name in {"eq", "ne"}:
                return "{bind}.__class__ is int or {local}.__class__ is float"
            case "int" | "float":
                return (
                    "{bind}.__class__ is int or {local}.__class__ is float and {local} == {local}"
                )
            case _:
                return None
