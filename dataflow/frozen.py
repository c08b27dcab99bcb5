"""Frozen classes: values made of named fields, equal when class and fields are.

What `dataclass(frozen=True, slots=True)` makes, for the many small classes that trees of queries consist of, at a tenth of its cost to
define, a third of its cost to make an object, and with a hash that is computed once. That these objects do not change is left to the
type checker: looking after it at run time would double the cost of making one. What users are handed are dataclasses.

    @frozen
    class Column:
        alias: str
        name: str

Edges   a method that a class defines itself stays. Fields are made of annotations, so a frozen class has no others. An object of which
        a field cannot be hashed cannot be hashed
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

T = TypeVar("T")

_getters: dict[type[Any], Callable[[Any], Any]] = {}


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """Turn annotations into fields, constructor arguments, equality, hash and text; a value in the class is a default."""
    names: tuple[str, ...] = tuple(vars(cls).get("__annotations__", ()))
    body = {name: value for name, value in vars(cls).items() if name not in {*names, *_INSTANCE}}
    body["__slots__"] = (*names, "_hash")
    body["__match_args__"] = names
    made: type[T] = type(cls)(cls.__name__, cls.__bases__, body)  # type: ignore[misc]  # any class of classes takes these three
    get = _getters[made] = attrgetter(*names) if names else _nothing
    defaults = tuple(vars(cls)[name] for name in names if name in vars(cls))
    _add(made, body, _constructor(names, defaults), *_methods(made, get))
    return made


def replace(value: T, /, **changes: Any) -> T:
    """Return an object of a frozen class with some fields changed."""
    cls: Any = value.__class__
    fields = {name: getattr(value, name) for name in cls.__match_args__}
    changed: T = cls(**(fields | changes))
    return changed


def values_of(value: object) -> tuple[Any, ...]:
    """Return the fields of an object of a frozen class, in order; nothing for any other object."""
    if value.__class__ not in _getters:
        return ()
    cls: Any = value.__class__
    return tuple([getattr(value, name) for name in cls.__match_args__])


_INSTANCE = frozenset(("__dict__", "__weakref__"))


def _nothing(_: object) -> tuple[()]:
    return ()


def _constructor(names: tuple[str, ...], defaults: tuple[Any, ...]) -> Callable[..., None]:
    """Return an `__init__` that takes the fields by position or name."""
    lines = [f"def __init__({', '.join(('self', *names))}):", " self._hash = None"]
    lines += [f" self.{name} = {name}" for name in names]
    made: dict[str, Any] = {}
    exec("\n".join(lines), made)
    constructor: FunctionType = made["__init__"]
    constructor.__defaults__ = defaults
    return constructor


def _methods(cls: type[Any], values: Callable[[Any], Any]) -> tuple[Callable[..., Any], ...]:
    """Return equality, hash, text and copying of a class of which `values` gets the fields."""
    name = cls.__qualname__

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807 - becomes that method
        if self is other:
            return True
        if other.__class__ is not cls:
            return NotImplemented
        mine, others = values(self), values(other)
        return mine is others or mine == others

    def __hash__(self: Any) -> int:  # noqa: N807 - as above
        found: int | None = self._hash
        if found is None:
            found = self._hash = hash((name, values(self)))
        return found

    def __repr__(self: Any) -> str:  # noqa: N807 - as above
        fields = zip(cls.__match_args__, values_of(self), strict=True)
        return f"{name}({', '.join(f'{field}={value!r}' for field, value in fields)})"

    def __reduce__(self: Any) -> tuple[Any, ...]:  # noqa: N807 - as above
        return cls, values_of(self)  # without the hash, which another process would not share

    return __eq__, __hash__, __repr__, __reduce__


def _add(cls: type[Any], body: dict[str, Any], *methods: Callable[..., Any]) -> None:
    """Add methods to a class that does not have them of its own."""
    for method in methods:
        if method.__name__ not in body:
            setattr(cls, method.__name__, method)
