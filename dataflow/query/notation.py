"""Scalar expressions as text, close to what a user writes: for errors, `repr` and plans.

>>> from dataflow.query.scalar import Call, Column, Const
>>> text_of(Call("eq", (Column("message", "role"), Const("user"))))
"message.role == 'user'"

The text is for people. It is not parsed back, and nothing compares it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dataflow.query.scalar import (
    Aggregate,
    Apply,
    Call,
    Cell,
    Column,
    Const,
    Fact,
    Item,
    Nested,
    Ordering,
    Param,
    Record,
    RowOf,
    Scalar,
    Selected,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_INFIX: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&", "or": "|",
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%",
}  # fmt: skip
_PREFIX: Final = {"not": "~", "neg": "-"}
_METHODS: Final = frozenset(
    ("like", "ilike", "contains", "starts_with", "ends_with", "is_null", "is_not_null")
)
_SHADOWING: Final = frozenset(("sum", "min", "max", "any", "all", "abs", "round"))
COLLATIONS: Final = frozenset(("nocase", "unaccented", "natural"))
_LONGEST_CONSTANT: Final = 60


def text_of(node: Scalar) -> str:  # noqa: C901 - one case per kind of node
    """Return the text of an expression, on one line.

    Complexity: O(size).
    """
    match node:
        case Column(alias=alias, name=name) if alias:
            return f"{alias}{field_access(name)}"
        case Column(name=name):
            return name
        case RowOf(alias=alias):
            return alias or "row"
        case Cell(index=index):
            return f"cell {index}"
        case Selected(name=name):
            return f"selected{field_access(name)}"
        case Fact(alias=alias, name=name):
            return f"facts({alias}).{name}"
        case Item(base=base, key=key):
            return f"{_operand(base)}[{key!r}]"
        case Const(value=value):
            return _constant(value)
        case Call(name=name, args=args):
            return _call(name, args)
        case Apply(function=function, args=args):
            label = getattr(function, "__qualname__", None) or repr(function)
            return f"fn({_listed([label, *map(text_of, args)])})"
        case Record(items=items):
            return f"{{{_listed(_entry(name, value) for name, value in items)}}}"
        case Window():
            return _window(node)
        case Aggregate():
            return _aggregate(node)
        case Nested(one=one, live=live):
            return f"nested({'one row' if one else 'rows'}{', live=True' if live else ''})"
        case Param(index=index):
            return f"${index}"


def ordering_text(part: Ordering) -> str:
    """Return the text of one part of an order."""
    by, options = part.by, ['nulls="last"'] if part.nulls_last else []
    if isinstance(by, Call) and by.name in COLLATIONS:
        options.append(f'collation="{by.name}"')
        (by,) = by.args
    if not part.descending and not options:
        return text_of(by)
    direction = "desc" if part.descending else "asc"
    return f"{_operand(by)}.{direction}({_listed(options)})"


def field_access(name: str) -> str:
    """Return how a field is named after its alias: `.role`, or `["no identifier"]`."""
    return f".{name}" if name.isidentifier() and not name.startswith("_") else f"[{name!r}]"


def _call(name: str, args: tuple[Scalar, ...]) -> str:
    if name in _INFIX:
        return f" {_INFIX[name]} ".join(map(_operand, args))
    if name in _PREFIX:
        return f"{_PREFIX[name]}{_operand(args[0])}"
    if name in ("in", "in_any"):
        return f"{_operand(args[0])}.in_({_listed(map(text_of, args[1:]))})"
    if name in _METHODS:
        return f"{_operand(args[0])}.{name}({_listed(map(text_of, args[1:]))})"
    if name == "case":
        pairs = zip(args[:-1:2], args[1:-1:2], strict=True)
        branches = [f"({text_of(condition)}, {text_of(value)})" for condition, value in pairs]
        return f"case({_listed([*branches, f'else_={text_of(args[-1])}'])})"
    return f"{_function(name)}({_listed(map(text_of, args))})"


def _aggregate(node: Aggregate) -> str:
    parts = [text_of(arg) for arg in node.args]
    if node.kind == "string_agg":
        parts += map(repr, node.options)
    if node.order_by:
        order = _listed(map(ordering_text, node.order_by))
        parts.append(f"order_by={order}" if len(node.order_by) == 1 else f"order_by=[{order}]")
    text = f"{_function(node.kind)}({_listed(parts)})"
    return text if node.where is None else f"{text}.where({text_of(node.where)})"


def _window(node: Window) -> str:
    args = list(node.args)
    if node.kind in ("lag", "lead"):
        args = [args[0], Const(node.offset), *(args[1:] if args[1] != Const(None) else ())]
    text = f"{_function(node.kind)}({_listed(map(text_of, args))})"
    if node.where is not None:
        text = f"{text}.where({text_of(node.where)})"
    named = (
        ("partition_by", [text_of(part) for part in node.partition_by]),
        ("order_by", [ordering_text(part) for part in node.order_by]),
    )
    parts = [
        f"{name}={texts[0]}" if len(texts) == 1 else f"{name}=[{_listed(texts)}]"
        for name, texts in named
        if texts
    ]
    return f"{text}.over({_listed(parts)})"


def _operand(node: Scalar) -> str:
    text = text_of(node)
    compound = isinstance(node, Call) and (node.name in _INFIX or node.name in _PREFIX)
    return f"({text})" if compound else text


def _function(name: str) -> str:
    return f"{name}_" if name in _SHADOWING else name


def _entry(name: str | None, value: Scalar) -> str:
    return f"**{text_of(value)}" if name is None else f"{name}: {text_of(value)}"


def _constant(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_CONSTANT else f"{text[: _LONGEST_CONSTANT - 1]}…"


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
