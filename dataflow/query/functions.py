"""The function library of queries: everything that is no operator and no method of an expression.

A name that would hide a builtin ends in an underscore (`round_`). Arguments are expressions or
constants; `is_null`, `coalesce` and `fn` also take an alias, which stands for its whole row.
`selected` and `facts` name what is no column of a source: the columns of the select clause, and what
a collection knows about a row beside the row itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from dataflow.errors import QueryError
from dataflow.query import ir
from dataflow.query.alias import Alias, leaf_of, row_of
from dataflow.query.expr import Expr, as_condition, call, merged, node_of, operand
from dataflow.query.scalar import Apply, Const, Fact, Selected
from dataflow.query.traps import QueryPart, check_computed, check_function, refusal
from dataflow.values.null import is_null as null_value

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


def lit(value: T) -> Expr[T]:
    """Return a constant as an expression; the only way to write None, or a bare bool.

    >>> lit("none")
    <Expr 'none'>
    """
    if isinstance(value, QueryPart):
        raise refusal("lit takes a constant; this already is a part of a query")
    check_computed(value, "lit")
    return Expr(Const(value))


def and_(*conditions: Expr[Any]) -> Expr[bool]:
    """Test whether all conditions are true; the same as `a & b`."""
    return _connective("and", conditions)


def or_(*conditions: Expr[Any]) -> Expr[bool]:
    """Test whether any condition is true; the same as `a | b`."""
    return _connective("or", conditions)


def not_(condition: Expr[Any]) -> Expr[bool]:
    """Negate a condition; unknown stays unknown. The same as `~a`."""
    return ~as_condition(condition, "not_")


def is_null(value: Expr[Any] | Alias[Any]) -> Expr[bool]:
    """Test whether a value is null, or an alias the unmatched side of an outer join."""
    return call("is_null", _argument(value, "is_null"))


def coalesce(*values: object) -> Expr[Any]:
    """Return the first value that is not null."""
    if not values:
        raise QueryError("coalesce needs at least one value")
    return call("coalesce", *[_argument(value, "coalesce") for value in values])


def case(*branches: tuple[Expr[Any], object], else_: object = None) -> Expr[Any]:
    """Return the value of the first branch whose condition is true.

    >>> case((lit(True), "yes"), else_="no")
    <Expr case((True, 'yes'), else_='no')>

    Args:
        branches: Pairs of a condition and a value.
        else_: The value if no condition is true; null by default.
    """
    if not branches:
        raise refusal("case needs at least one (condition, value)")
    args: list[Expr[Any]] = []
    pairs: tuple[object, ...] = branches
    for branch in pairs:
        if not isinstance(branch, tuple) or len(branch) != 2:
            raise refusal(f"case takes pairs (condition, value), not {branch!r}")
        args += [as_condition(branch[0], "case"), _argument(branch[1], "case")]
    return call("case", *args, _argument(else_, "case"))


def upper(text: object) -> Expr[str]:
    """Return a text in capitals."""
    return call("upper", operand(text, "upper"))


def lower(text: object) -> Expr[str]:
    """Return a text in small letters."""
    return call("lower", operand(text, "lower"))


def trim(text: object) -> Expr[str]:
    """Return a text without white space around it."""
    return call("trim", operand(text, "trim"))


def length(value: object) -> Expr[int]:
    """Return the number of characters of a text, or of elements of a container."""
    return call("length", operand(value, "length"))


def concat(*parts: object) -> Expr[str]:
    """Join texts; null counts as the empty text, numbers and times as their text."""
    if not parts:
        raise QueryError("concat needs at least one text")
    return call("concat", *[operand(part, "concat") for part in parts])


def substring(text: object, start: object, size: object = None) -> Expr[str]:
    """Return a part of a text.

    Args:
        text: The whole.
        start: Position of the first character, from 0; negative ones count from the end.
        size: Number of characters; to the end by default.
    """
    args = (text, start) if size is None else (text, start, size)
    return call("substring", *[operand(arg, "substring") for arg in args])


def round_(number: object, digits: object = 0) -> Expr[Any]:
    """Round a number to decimal digits; halves go to the even neighbour, as in Python."""
    return call("round", operand(number, "round_"), operand(digits, "round_"))


def abs_(number: object) -> Expr[Any]:
    """Return a number or duration without its sign."""
    return call("abs", operand(number, "abs_"))


@overload
def fn(function: Callable[[A], T], a: Expr[A] | Alias[A], /) -> Expr[T]: ...
@overload
def fn(
    function: Callable[[A, B], T], a: Expr[A] | Alias[A], b: Expr[B] | Alias[B], /
) -> Expr[T]: ...
@overload
def fn(
    function: Callable[[A, B, C], T],
    a: Expr[A] | Alias[A],
    b: Expr[B] | Alias[B],
    c: Expr[C] | Alias[C],
    /,
) -> Expr[T]: ...
@overload
def fn(
    function: Callable[..., T], a: object, b: object, c: object, d: object, /, *more: object
) -> Expr[T]: ...
def fn(function: Callable[..., Any], /, *args: object) -> Expr[Any]:
    """Call a function of one's own for each row.

    The function must be pure, and is known by identity: a lambda written in a loop is a new function
    each time. It is called at most once for a version of a row, and gets None for null.

    Args:
        function: Any callable but a coroutine function.
        args: Expressions, or aliases for whole rows; up to three are checked against the parameters
            of the function by type checkers, for which a constant is `lit(value)`.
    """
    check_function(function, "fn", "write fn(function, expression, ...)")
    exprs = [_argument(arg, "fn") for arg in args]
    return Expr(Apply(function, tuple(map(node_of, exprs))), merged(*exprs))


class SelectedColumns(QueryPart):
    """The columns of the select clause: `selected.total`, `selected["any name"]`."""

    __slots__ = ()

    _part = "selected"
    _instead = "name a selected column: selected.total"

    def __getattr__(self, name: str) -> Expr[Any]:
        if name.startswith("_"):
            raise AttributeError(f"'selected' has no attribute {name!r}")
        return self[name]

    def __getitem__(self, name: str) -> Expr[Any]:
        if not isinstance(name, str):
            raise refusal(f"brackets of selected take the name of a column, not {name!r}")
        return Expr(Selected(name))

    def __repr__(self) -> str:
        return "selected"


selected: Final = SelectedColumns()
"""The columns of the select clause, for `having` and `order_by`."""


class Facts(QueryPart):
    """What a collection knows about a row beside the row itself; see `facts`."""

    __slots__ = ("_leaf",)

    _part = "the facts of an alias"
    _instead = "name one of them: facts(alias).pending"

    def __init__(self, leaf: ir.Scan) -> None:
        self._leaf = leaf

    @property
    def pending(self) -> Expr[bool]:
        """Whether an optimistic change of the row is not confirmed yet."""
        return self._fact("pending")

    @property
    def origin(self) -> Expr[str]:
        """Where the visible row comes from: "synced" or "optimistic"."""
        return self._fact("origin")

    @property
    def key(self) -> Expr[Any]:
        """The key of the row in its collection."""
        return self._fact("key")

    def _fact(self, name: str) -> Expr[Any]:
        leaf = self._leaf
        return Expr(Fact(leaf.alias, name), {leaf.alias: leaf})


def facts(alias: Alias[Any]) -> Facts:
    """Return what the collection under an alias knows about its rows: pending, origin, key."""
    if not isinstance(alias, Alias):
        raise refusal(f"facts takes an alias, not {alias!r}", "write facts(source.alias('x'))")
    leaf = leaf_of(alias)
    if isinstance(leaf, ir.Named):
        raise refusal(
            f"alias {leaf.alias!r} stands for a subquery, whose rows have no facts",
            "select the facts inside the subquery",
        )
    return Facts(leaf)


def _argument(value: object, place: str) -> Expr[Any]:
    """Return an argument as an expression: an alias is its row, None is null."""
    if isinstance(value, Alias):
        return row_of(value)
    if null_value(value):
        return Expr(Const(None))
    return operand(value, place)


def _connective(name: str, conditions: tuple[Expr[Any], ...]) -> Expr[bool]:
    if not conditions:
        raise refusal(f"{name}_ needs at least one condition", "always true is lit(True)")
    parts = [as_condition(condition, f"{name}_") for condition in conditions]
    return parts[0] if len(parts) == 1 else call(name, *parts)
