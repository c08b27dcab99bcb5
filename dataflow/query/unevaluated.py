"""What an expression is not: a value, before there is a row.

Python does much with an object on its own - tests its truth, iterates, counts, hashes, formats and
converts it - and would answer something about the wrapper. Each of those is refused here, with what
to write instead. `__getitem__` alone would make iteration and `in` run for ever.
"""

from __future__ import annotations

from typing import ClassVar, NoReturn

from dataflow.errors import QueryError, UnknownFieldError
from dataflow.query.operations.registry import OPERATIONS
from dataflow.query.synonyms import METHODS
from dataflow.query.traps import QueryPart, no_truth, refusal


class Unevaluated(QueryPart):
    """Something that has a value for each row only."""

    __slots__ = ()
    __array_ufunc__: ClassVar[None] = None  # NumPy scalars leave the operator to us

    def _text(self) -> str:
        """Return the expression as text."""
        raise NotImplementedError

    def __bool__(self) -> NoReturn:
        no_truth(self._text())

    def __iter__(self) -> NoReturn:
        raise self._unknown(
            "it cannot be iterated",
            "name the columns one by one; sum, min, max, any and all of Python are sum_(x) ...",
        )

    def __contains__(self, item: object) -> NoReturn:
        raise self._unknown(
            "'in' cannot ask it", "write x.contains(part), or x.in_([1, 2]) for x in (1, 2)"
        )

    def __len__(self) -> NoReturn:
        raise self._unknown("it has no length yet", "write length(x)")

    def __format__(self, spec: str, /) -> NoReturn:
        raise self._unknown(
            "it has no text yet", "write concat('a', x); to show the expression itself: f'{x!r}'"
        )

    def __int__(self) -> NoReturn:
        raise self._unknown("it is no int yet", "write cast(x, int)")

    def __float__(self) -> NoReturn:
        raise self._unknown("it is no float yet", "write cast(x, float)")

    def __abs__(self) -> NoReturn:
        raise self._unknown("abs cannot ask it", "write abs_(x)")

    def __round__(self, digits: int = 0) -> NoReturn:
        raise self._unknown("round cannot ask it", "write round_(x, digits)")

    def __pow__(self, exponent: object) -> NoReturn:
        raise self._unknown("it has no power yet", "write power(x, 2)")

    def _unknown(self, what: str, hint: str) -> QueryError:
        return refusal(f"expression {self._text()!r} is computed for each row: {what}", hint)

    def _no_method(self, name: str, methods: tuple[str, ...]) -> UnknownFieldError:
        """Return the error about a name after the dot that is no method."""
        hint = None
        if name in METHODS:
            hint = f"write {METHODS[name]}"
        elif name in OPERATIONS:
            hint = f"{name} is a function: from dataflow import {name}; {name}(x)"
        error = UnknownFieldError(name, f"expression {self._text()!r}", methods, hint)
        error.add_note(f"after a dot stand methods; a field of a nested value is x[{name!r}]")
        return error
