"""Expressions as users hold them: Python operators and methods around a `scalar` node.

`message.role == "user"` is no bool but an `Expr` around `Call("eq", ...)`. The wrapper exists so
that the node beneath can keep an honest `==` and a hash: nodes are compared and shared, expressions
are written. After a dot stand methods; brackets step into a nested value
(`message.meta["author"]`).

Beside its node an expression remembers where its aliases come from (`Origins`), so that two aliases
of one name are told apart: mixing them in one expression is refused here, using one in a query that
knows the name for something else is refused there.

Everything Python would do with an object on its own is refused; see `unevaluated`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NoReturn,
    TypeAlias,
    TypeVar,
)

from dataflow.errors import near
from dataflow.query.notation import COLLATIONS, ordering_text, text_of
from dataflow.query.precision import check_comparable
from dataflow.query.scalar import (
    Call,
    Const,
    Item,
    Ordering,
    Scalar,
)
from dataflow.query.traps import (
    QueryPart,
    check_constant,
    no_comparison,
    no_condition,
    refusal,
    several,
)
from dataflow.query.unevaluated import Unevaluated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataflow.query import ir
from dataflow.query.declared import check_kinds, is_undeclared

T_co = TypeVar("T_co", covariant=True)

Collation: TypeAlias = Literal["nocase", "unaccented", "natural"]
"""How an order compares texts, other than by code point; see `operations.collations`."""

Origins: TypeAlias = "Mapping[str, ir.Scan | ir.Named]"
"""Alias name -> the leaf of a query tree that the alias stands for."""

NO_ORIGINS: Final[Origins] = MappingProxyType({})


class Expr(Unevaluated, Generic[T_co]):
    """A value computed for each row: a column, a constant, or something made of those.

    Comparisons and arithmetic give expressions again; `&`, `|` and `~` are AND, OR and NOT of
    three-valued logic. Null in, null out, for every operator but `is_null`.

    Args:
        node: What to compute.
        origins: What the aliases in `node` stand for.
    """

    __slots__ = ("_node", "_origins")
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equality gives an expression

    _part = "an expression"

    def __init__(self, node: Scalar, origins: Origins = NO_ORIGINS) -> None:
        self._node = node
        self._origins = origins

    # -- comparisons and logic

    def __eq__(self, other: object) -> Expr[bool]:  # type: ignore[override]  # no bool, by design
        if other is None:
            raise no_comparison(text_of(self._node), "==", "is_null")
        return self._compare("eq", other)

    def __ne__(self, other: object) -> Expr[bool]:  # type: ignore[override]  # no bool, by design
        if other is None:
            raise no_comparison(text_of(self._node), "!=", "is_not_null")
        return self._compare("ne", other)

    def __lt__(self, other: object) -> Expr[bool]:
        return self._compare("lt", other)

    def __le__(self, other: object) -> Expr[bool]:
        return self._compare("le", other)

    def __gt__(self, other: object) -> Expr[bool]:
        return self._compare("gt", other)

    def __ge__(self, other: object) -> Expr[bool]:
        return self._compare("ge", other)

    def __and__(self, other: Expr[Any]) -> Expr[bool]:
        return call("and", self, _connected(other, "&"))

    def __rand__(self, other: Expr[Any]) -> Expr[bool]:
        return call("and", _connected(other, "&"), self)

    def __or__(self, other: Expr[Any]) -> Expr[bool]:
        return call("or", self, _connected(other, "|"))

    def __ror__(self, other: Expr[Any]) -> Expr[bool]:
        return call("or", _connected(other, "|"), self)

    def __invert__(self) -> Expr[bool]:
        return call("not", self)

    def in_(self, values: Iterable[object]) -> Expr[bool]:
        """Test whether the value equals one of several, constants or expressions.

        >>> from dataflow.query.scalar import Column
        >>> Expr[str](Column("message", "role")).in_(["user", "agent"])
        <Expr message.role.in_(('user', 'agent'))>
        """
        options = several(values)
        if any(isinstance(option, Expr) for option in options):
            return call("in_any", self, *[operand(option, "in_") for option in options])
        for option in options:
            check_constant(option, "in_")
            check_comparable(self._node, Const(option), self._origins, "in_")
            check_kinds(self._node, Const(option), self._origins, "in_")
        return call("in", self, Expr(Const(options)))

    def not_in(self, values: Iterable[object]) -> Expr[bool]:
        """Test whether the value equals none of several; unknown for a null."""
        return ~self.in_(values)

    def between(self, low: object, high: object) -> Expr[bool]:
        """Test whether the value lies between two bounds, both included."""
        least, most = operand(low, "between"), operand(high, "between")
        return (self >= least) & (self <= most)

    def is_null(self) -> Expr[bool]:
        """Test whether the value is null or missing; never unknown."""
        return call("is_null", self)

    def is_not_null(self) -> Expr[bool]:
        """Test whether the value is neither null nor missing; never unknown."""
        return call("is_not_null", self)

    # -- texts and containers

    def like(self, pattern: object) -> Expr[bool]:
        """Match a text against a pattern: `%` is any text, `_` any one character."""
        return self._compare("like", pattern)

    def ilike(self, pattern: object) -> Expr[bool]:
        """Match a text against a pattern as `like` does, whatever the case of letters."""
        return self._compare("ilike", pattern)

    def contains(self, part: object) -> Expr[bool]:
        """Test whether a text has a part, or a list an element."""
        return self._compare("contains", part)

    def starts_with(self, prefix: object) -> Expr[bool]:
        """Test whether a text begins with another one."""
        return self._compare("starts_with", prefix)

    def ends_with(self, suffix: object) -> Expr[bool]:
        """Test whether a text ends with another one."""
        return self._compare("ends_with", suffix)

    def __getitem__(self, key: str | int) -> Expr[Any]:
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise refusal(
                f"brackets of an expression take a field name or a position, not {key!r}",
                "a part of a text is substring(x, start, size)",
            )
        return Expr(Item(self._node, key), self._origins)

    # -- arithmetic

    def __add__(self, other: object) -> Expr[Any]:
        return call("add", self, operand(other, "+"))

    def __radd__(self, other: object) -> Expr[Any]:
        return call("add", operand(other, "+"), self)

    def __sub__(self, other: object) -> Expr[Any]:
        return call("sub", self, operand(other, "-"))

    def __rsub__(self, other: object) -> Expr[Any]:
        return call("sub", operand(other, "-"), self)

    def __mul__(self, other: object) -> Expr[Any]:
        return call("mul", self, operand(other, "*"))

    def __rmul__(self, other: object) -> Expr[Any]:
        return call("mul", operand(other, "*"), self)

    def __truediv__(self, other: object) -> Expr[Any]:
        return call("div", self, operand(other, "/"))

    def __rtruediv__(self, other: object) -> Expr[Any]:
        return call("div", operand(other, "/"), self)

    def __floordiv__(self, other: object) -> Expr[Any]:
        return call("floordiv", self, operand(other, "//"))

    def __rfloordiv__(self, other: object) -> Expr[Any]:
        return call("floordiv", operand(other, "//"), self)

    def __mod__(self, other: object) -> Expr[Any]:
        return call("mod", self, operand(other, "%"))

    def __rmod__(self, other: object) -> Expr[Any]:
        return call("mod", operand(other, "%"), self)

    def __neg__(self) -> Expr[Any]:
        return call("neg", self)

    # -- order

    def asc(
        self, *, nulls: Literal["first", "last"] = "first", collation: Collation | None = None
    ) -> Order:
        """Order by this value, smallest first.

        Args:
            nulls: Where they stand in the result.
            collation: How texts compare: by code point without one. `nocase` ignores the case of
                letters, `unaccented` also the marks on them; `natural` ignores case and counts
                digits as numbers.
        """
        return _order(self, nulls, collation, descending=False)

    def desc(
        self, *, nulls: Literal["first", "last"] = "first", collation: Collation | None = None
    ) -> Order:
        """Order by this value, largest first.

        Else as `asc`, nulls first too unless told otherwise.
        """
        return _order(self, nulls, collation, descending=True)

    # -- what an expression is not: see Unevaluated

    if not TYPE_CHECKING:  # a checker reports unknown methods by itself

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            raise self._no_method(name, _METHODS)

    def __repr__(self) -> str:
        return f"<Expr {text_of(self._node)}>"

    def _compare(self, name: str, other: object) -> Expr[bool]:
        right = operand(other, name)
        compared = call(name, self, right)
        if name in _SYMBOLS and not is_undeclared(self._node, origins_of(compared)):
            check_comparable(self._node, node_of(right), origins_of(compared), _SYMBOLS[name])
            check_kinds(self._node, node_of(right), origins_of(compared), _SYMBOLS[name])
        return compared

    def _text(self) -> str:
        return text_of(self._node)


class Order(QueryPart):
    """One part of an order: an expression, a direction, and where nulls stand in the result."""

    __slots__ = ("_ordering", "_origins")

    _part = "an order"
    _instead = "asc and desc belong in order_by"

    def __init__(self, ordering: Ordering, origins: Origins) -> None:
        self._ordering = ordering
        self._origins = origins

    def __repr__(self) -> str:
        return f"<Order {ordering_text(self._ordering)}>"


def node_of(expr: Expr[Any]) -> Scalar:
    """Return the node of an expression."""
    return expr._node  # noqa: SLF001 - an expression has no public names but methods


def ordering_of(order: Order) -> Ordering:
    """Return what an order says."""
    return order._ordering  # noqa: SLF001 - as above


def origins_of(part: Expr[Any] | Order) -> Origins:
    """Return what the aliases in an expression or order stand for."""
    return part._origins  # noqa: SLF001 - as above


def merged(*parts: Expr[Any] | Order) -> Origins:
    """Return the origins of several expressions together.

    Raises:
        QueryError: One alias name stands for two different things.
    """
    found = parts[0]._origins if parts else NO_ORIGINS  # noqa: SLF001 - an expression has no public names but methods
    for part in parts[1:]:
        origins = part._origins  # noqa: SLF001 - as above
        if origins and origins is not found:
            found = _both(found, origins) if found else origins
    return found or {}  # a dict, which can be copied


def _both(one: Origins, other: Origins) -> Origins:
    for alias, leaf in other.items():
        known = one.get(alias, leaf)
        if known is not leaf and known != leaf:
            raise refusal(
                f"alias {alias!r} stands for two different sources in one expression",
                "give one of the two another name: source.alias('other')",
            )
    return {**one, **other}


def call(name: str, *args: Expr[Any]) -> Expr[Any]:
    """Return the expression that applies an operation to arguments."""
    nodes = tuple([arg._node for arg in args])  # noqa: SLF001 - as above
    return Expr(Call(name, nodes), merged(*args))


def operand(value: object, place: str) -> Expr[Any]:
    """Return an operand as an expression; what is none is a constant.

    Args:
        place: The operator or function it is an operand of, for errors.
    """
    if isinstance(value, Expr):
        return value
    place = _SYMBOLS.get(place, place)
    check_constant(value, place)
    return Expr(Const(value))


def as_condition(value: object, clause: str) -> Expr[bool]:
    """Return `value` if it is an expression, which a condition must be."""
    if isinstance(value, Expr):
        return value
    raise no_condition(value, clause)


def as_order(value: object, clause: str) -> Order:
    """Return an expression or an order as an order, ascending unless it says otherwise."""
    if isinstance(value, Order):
        return value
    if isinstance(value, Expr):
        return value.asc()
    hint = "write alias.field, alias.field.desc(), or selected.field for a selected column"
    raise refusal(f"{clause} takes expressions, not {value!r}", hint)


_SYMBOLS: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_METHODS: Final = tuple(name for name in vars(Expr) if not name.startswith("_"))


def _order(expr: Expr[Any], nulls: str, collation: str | None, *, descending: bool) -> Order:
    if nulls not in ("first", "last"):
        raise refusal(
            f"nulls is 'first' or 'last', not {nulls!r}", "it is where nulls stand in the result"
        )
    if collation is not None:
        if collation not in COLLATIONS:
            raise refusal(
                f"unknown collation {collation!r}{near(str(collation), COLLATIONS)}",
                f"one of {', '.join(sorted(COLLATIONS))}; for another order select what to sort by, "
                "select(id=a.id, place=fn(f, a.x)).order_by(selected.place)",
            )
        expr = call(collation, expr)
    ordering = Ordering(node_of(expr), descending, nulls == "last")
    return Order(ordering, origins_of(expr))


def _connected(value: object, symbol: str) -> Expr[bool]:
    if isinstance(value, Expr):
        return value
    error = no_condition(value, symbol)
    error.add_note(f"{symbol} binds tighter than ==; write (a == 1) {symbol} (b == 2)")
    raise error
