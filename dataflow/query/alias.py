"""Aliases: a source or a subquery under a name, through which queries speak of its columns.

An alias has no public names but fields, so that `chunk.key`, `chunk.count` and `chunk.items` are
columns; `chunk["any name"]` reaches the rest. What the library itself wants of an alias, it asks
the functions of this module. With a declared row type a field that does not exist is refused at the
dot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

from dataflow.errors import QueryError, UnknownFieldError
from dataflow.query.expr import Expr
from dataflow.query.rows import columns_of
from dataflow.query.scalar import RowOf, column_of
from dataflow.query.traps import QueryPart, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.query import ir

R_co = TypeVar("R_co", covariant=True)


class Alias(QueryPart, Generic[R_co]):
    """The row of a source or subquery under a name; a field of it is a column.

    Made by `source.alias(name)` and `query.alias(name)`.

    Raises:
        UnknownFieldError: The declared row type has no such field; also an AttributeError.
    """

    __slots__ = ("_fields", "_leaf", "_origins")
    __hash__: ClassVar[None]  # type: ignore[assignment]  # an alias is not compared

    _part = "an alias"
    _instead = "an alias is a whole row: name a field of it, or ask is_null(alias)"

    def __init__(self, leaf: ir.Scan | ir.Named) -> None:
        self._leaf = leaf
        self._fields = columns_of(leaf)
        self._origins = {leaf.alias: leaf}

    def __getattr__(self, name: str) -> Expr[Any]:
        if name.startswith("_"):  # also asked while a copy has no leaf yet
            raise AttributeError(f"an alias has no attribute {name!r}")
        return self[name]

    def __getitem__(self, name: str) -> Expr[Any]:
        leaf, fields = self._leaf, self._fields
        if name.__class__ is not str:
            if not isinstance(name, str):
                raise refusal(
                    f"brackets of alias {leaf.alias!r} take a field name, not {name!r}",
                    "an element of a field is alias.field[0]",
                )
            name = str.__str__(name)  # of a member of an enum: generated code takes its text
        if fields is not None and name not in fields:
            raise UnknownFieldError(name, f"alias {leaf.alias!r}", fields)
        return Expr(column_of(leaf.alias, name), self._origins)

    def __dir__(self) -> Iterable[str]:
        return self._fields or ()

    def __repr__(self) -> str:
        return f"<Alias {self._leaf.alias}>"

    def __eq__(self, other: object) -> NoReturn:
        raise self._is_a_row("compared")

    def __ne__(self, other: object) -> NoReturn:
        raise self._is_a_row("compared")

    def __lt__(self, other: object) -> NoReturn:
        raise self._is_a_row("compared")

    def __le__(self, other: object) -> NoReturn:
        raise self._is_a_row("compared")

    def __gt__(self, other: object) -> NoReturn:
        raise self._is_a_row("compared")

    def __ge__(self, other: object) -> NoReturn:
        raise self._is_a_row("compared")

    def __bool__(self) -> NoReturn:
        raise self._is_a_row("tested for truth")

    def __iter__(self) -> NoReturn:
        raise self._is_a_row("iterated")

    def __contains__(self, item: object) -> NoReturn:
        raise self._is_a_row("asked with 'in'")

    def __len__(self) -> NoReturn:
        raise self._is_a_row("counted")

    def _is_a_row(self, what: str) -> QueryError:
        return refusal(
            f"alias {self._leaf.alias!r} cannot be {what}: it stands for the row of a query",
            "name a field of it; is_null(alias) asks for an unmatched side of an outer join",
        )


def leaf_of(alias: Alias[Any]) -> ir.Scan | ir.Named:
    """Return the leaf of a query tree that an alias stands for."""
    return alias._leaf  # noqa: SLF001 - an alias has no public names but fields


def row_of(alias: Alias[R_co]) -> Expr[R_co]:
    """Return the whole row of an alias as an expression."""
    leaf = leaf_of(alias)
    return Expr(RowOf(leaf.alias), {leaf.alias: leaf})
