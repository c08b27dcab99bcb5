"""Hashable stand-ins for values that Python cannot, or must not, use as dict keys.

The normal form (`dataflow.values.normal`) is built of them:

    TRUE, FALSE     for True and False, which as dict keys are the same as 1 and 0
    FrozenList      for a list: a list that hashes and does not change
    FrozenDict      for a mapping: a dict that hashes and does not change; a null field is no field
    FrozenObject    for an instance of a class that declares fields: its class and their values
    Opaque          for anything else: the object itself, compared by its own guarded ==

FrozenList and FrozenDict are what users see of a list or dict in a key. They derive from list and
dict, so that JSON encoders, isinstance tests and == treat them as what they stand for. The others
never leave the engine.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn, final

from dataflow.values.individual import Individual
from dataflow.values.null import is_null


@final
class Truth:
    """The class of `TRUE` and `FALSE`, the normal forms of the two bools.

    They equal their bool, so that a list of them equals a list of bools, but do not share its hash:
    only normal forms are ever looked up among normal forms.
    """

    __slots__ = ("value",)

    def __init__(self, *, value: bool) -> None:
        self.value: bool = value

    def __eq__(self, other: object) -> bool:
        return self is other or other is self.value

    def __hash__(self) -> int:
        return 0x7_1127 + self.value

    def __repr__(self) -> str:
        return repr(self.value).upper()

    def __reduce__(self) -> str:
        return repr(self)


TRUE: Final = Truth(value=True)
FALSE: Final = Truth(value=False)


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} is immutable: it is part of a key; copy it first")


@final
class FrozenList(list[Any]):
    """A list that hashes and refuses to change; equals the list it stands for."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # list sets it to None
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        return FrozenList, (list(self),)

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


@final
class FrozenDict(dict[Any, Any]):
    """A dict that hashes and refuses to change; equals the dict it stands for.

    A field that is null counts as missing, on both sides, in == and in the hash.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict):
            return NotImplemented
        return dict.__eq__(self, other) or _non_null(self) == _non_null(other)

    def __ne__(self, other: object) -> bool:  # dict has its own
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]  # dict sets it to None
        return hash(frozenset(_non_null(self).items()))

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[Any, Any]]]:
        return FrozenDict, (dict(self),)

    clear = pop = popitem = setdefault = update = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse


def _non_null(fields: dict[Any, Any]) -> dict[Any, Any]:
    return {name: value for name, value in fields.items() if not is_null(value)}


@final
class FrozenObject:
    """An instance of a class that declares fields, as a key: its class and their normal forms."""

    __slots__ = ("key", "value")

    def __init__(self, value: object, fields: tuple[object, ...]) -> None:
        self.value: object = value
        self.key: tuple[object, ...] = (value.__class__, *fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrozenObject) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"FrozenObject({self.value!r})"


@final
class Opaque:
    """An object of a class the engine knows nothing about, as a key.

    It hashes by its class if it cannot hash itself: such keys work, but slowly.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value: object = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and same_opaque(self.value, other.value)

    def __hash__(self) -> int:
        if isinstance(self.value, Individual):
            return id(self.value)
        try:
            return hash(self.value)
        except Exception:  # noqa: BLE001 - a foreign __hash__ may raise anything
            return hash(self.value.__class__)

    def __repr__(self) -> str:
        return f"Opaque({self.value!r})"


def same_opaque(a: object, b: object) -> bool:
    """Ask two objects of one class for their own ==; one that raises means different."""
    if a is b:
        return True
    if a.__class__ is not b.__class__ or isinstance(a, Individual):
        return False
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001 - a foreign __eq__ may raise anything
        return False
