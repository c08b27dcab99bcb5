"""Which fields a class declares, for every kind of row class, without importing its library.

dataclasses, attrs, msgspec and pydantic leave a well-known attribute on their classes; looking for
that attribute keeps all four optional. So do the TypedDicts of `typing` and those of
`typing_extensions`, of which `typing.is_typeddict` knows its own alone. A class that declares nothing has no fields: it is opaque as
a value, and a row of it answers whatever attribute it is asked for.
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXTRA: Final = "__pydantic_extra__"
_NOTHING: Final[Mapping[str, frozenset[Any]]] = MappingProxyType({})
_COMPARED: Final[dict[type[Any], tuple[str, ...] | None]] = {}
_TYPES: Final[WeakKeyDictionary[type[Any], Mapping[str, frozenset[Any]]]] = WeakKeyDictionary()


def declared_fields(cls: type[Any]) -> tuple[str, ...] | None:
    """Return the fields `cls` declares, in order, or None if it declares none.

    Knows dataclasses, pydantic models, msgspec structs, attrs classes, named tuples and TypedDicts.

    >>> declared_fields(int) is None
    True
    """
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    if hasattr(cls, "__struct_fields__"):
        return tuple(cls.__struct_fields__)
    if is_pydantic_model(cls):
        return tuple(cls.__pydantic_fields__)
    if hasattr(cls, "__attrs_attrs__"):
        return tuple(attribute.name for attribute in cls.__attrs_attrs__)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return tuple(cls._fields)
    if is_typed_dict(cls):
        return tuple(cls.__annotations__)
    return None


def compared_fields(cls: type[Any]) -> tuple[str, ...] | None:
    """Return the attributes that make two instances of `cls` equal, or None if it declares none.

    These are the declared fields and, for a pydantic model that keeps extra ones, all of those.
    The answer is kept per class: values nested in rows ask for it every time they are compared.
    """
    if cls not in _COMPARED:
        fields = declared_fields(cls)
        if fields is not None and keeps_extra_fields(cls):
            fields = (*fields, _EXTRA)
        _COMPARED[cls] = fields
    return _COMPARED[cls]


def keeps_extra_fields(cls: type[Any]) -> bool:
    """Tell whether `cls` is a pydantic model whose instances may hold undeclared fields."""
    return is_pydantic_model(cls) and cls.model_config.get("extra") == "allow"


def declared_types(row_type: Any) -> Mapping[str, frozenset[Any]]:
    """Return the types that each declared field may have, as far as annotations can be read.

    >>> from typing import NamedTuple
    >>> declared_types(NamedTuple("Row", [("price", float | None)]))["price"] == {float, type(None)}
    True
    """
    cls = get_origin(row_type) or row_type
    if not isinstance(cls, type):
        return _NOTHING
    if cls not in _TYPES:
        if declared_fields(cls) is None:
            return _NOTHING
        try:
            hints = get_type_hints(cls)
        except Exception:  # noqa: BLE001 - reading annotations evaluates foreign code, which may raise anything
            return _NOTHING  # not kept: a name may be defined later
        types = {name: frozenset(_alternatives(hint)) for name, hint in hints.items()}
        _TYPES[cls] = MappingProxyType(types)
    return _TYPES[cls]


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, UnionType):
        return tuple(part for each in get_args(hint) for part in _alternatives(each))
    return _alternatives(get_args(hint)[0]) if get_origin(hint) is Annotated else (hint,)


def is_typed_dict(cls: object) -> bool:
    """Tell whether `cls` is a TypedDict, whichever library made it."""
    return isinstance(cls, type) and issubclass(cls, dict) and hasattr(cls, "__required_keys__")


def is_pydantic_model(cls: type[Any]) -> bool:
    """Tell whether `cls` is a pydantic model; pydantic's dataclasses are dataclasses instead."""
    return hasattr(cls, "__pydantic_fields__") and hasattr(cls, "model_copy")
