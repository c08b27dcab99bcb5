"""What is no function of values: constants, functions of one's own, and names that are no columns.

`selected` and `facts` name what is no column of a source: the columns of the select clause, and
what a collection knows about a row beside the row itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from dataflow.query import ir
from dataflow.query.alias import Alias, leaf_of
from dataflow.query.expr import Expr, merged, node_of
from dataflow.query.functions.argument import argument
from dataflow.query.scalar import Apply, Const, Fact, Selected
from dataflow.query.traps import (
    QueryPart,
    check_computed,
    check_function,
    kind_of_part,
    refusal,
)

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
        raise refusal(
            f"lit takes a constant, not {kind_of_part(value)}", "use it as it is, without lit"
        )
    check_computed(value, "lit")
    return Expr(Const(value))


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

    The function must be pure, and is known by identity: a lambda written in a loop is a new
    function each time. It is called at most once for a version of a row, and gets None for null.

    Args:
        function: Any callable but a coroutine function.
        args: Expressions, or aliases for whole rows; up to three are checked against the parameters
            of the function by type checkers, for which a constant is `lit(value)`.
    """
    check_function(function, "fn", "write fn(function, expression, ...)")
    exprs = [argument(arg, "fn") for arg in args]
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
            raise refusal(
                f"brackets of selected take the name of a column, not {name!r}",
                "an element of a selected column is selected.name[0]",
            )
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
        """Who changed the row last: "local" if it was done here, optimistically, or "remote"."""
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
