"""Row adapters: how the rows of one kind are read, compared and replaced.

A collection fixes one adapter, by its row type or by its first row, and asks it ever after:

    MappingRows   dicts, TypedDicts and other mappings: fields are looked up by [name]
    ObjectRows    dataclasses, pydantic models, msgspec structs, named tuples, attrs classes and
                  plain objects: fields are attributes
    ValueRows     whatever else a query may map rows to (texts, numbers, lists): no fields at all

A missing field and `msgspec.UNSET` read as None. Rows are equal if their fields are, by
`equality.equal`; the rows' own == is never asked. The comparison runs once per updated row,
which is why it is generated (`dataflow.values.comparison`).

Rows are never mutated: `replace` builds a new one of the same class. `fingerprint` snapshots a row,
so that the debug mode can tell when somebody mutated it all the same.
"""

from __future__ import annotations

import copy
import dataclasses
import typing
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, get_origin

from dataflow.errors import CollectionError, UnknownFieldError
from dataflow.values import kinds
from dataflow.values.comparison import comparison
from dataflow.values.equality import equal, equal_mappings
from dataflow.values.fields import (
    compared_fields,
    declared_fields,
    is_pydantic_model,
    keeps_extra_fields,
)
from dataflow.values.kinds import KINDS
from dataflow.values.normal import normal
from dataflow.values.null import NULL_CLASSES, is_null

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

RowKind: TypeAlias = Literal["mapping", "object"]
"""How the fields of a row are reached: by [name] or by .name."""


class RowAdapter(ABC):
    """What the engine does with rows of one kind.

    Attributes:
        kind: "mapping" if fields are looked up by [name], "object" if they are attributes.
        row_type: The class of the rows, as far as it is known.
        fields: The declared fields in order, or None if the rows declare none.
        unset_fields: Those fields that may hold `msgspec.UNSET`, by their declaration.
        equal: Tells whether two rows are equal, field by field, stopping at the first difference.
            An attribute, not a method, as it runs for every updated row and a call less counts.
    """

    kind: ClassVar[RowKind]
    row_type: type[Any]
    fields: tuple[str, ...] | None = None
    unset_fields: frozenset[str] = frozenset()
    equal: Callable[[Any, Any], bool]

    @abstractmethod
    def accepts(self, row: object) -> bool:
        """Tell whether `row` is of the kind this adapter reads."""

    @abstractmethod
    def get(self, row: Any, name: str) -> Any:
        """Return a field of a row; None if it is missing or UNSET."""

    @abstractmethod
    def replace(self, row: Any, changes: Mapping[str, object]) -> Any:
        """Return a row of the same class with some fields changed; nothing is validated.

        Raises:
            UnknownFieldError: The rows declare their fields, and not all the changed ones.
        """

    @abstractmethod
    def as_dict(self, row: Any) -> dict[str, Any]:
        """Return the fields of a row as a new dict; values are shared, not copied."""

    def fingerprint(self, row: Any) -> Hashable:
        """Return a deep snapshot of a row that differs from later ones if the row was mutated.

        Sees whatever `equal` sees, hence not inside of opaque objects.
        """
        return normal(self.as_dict(row))

    def _check_names(self, changes: Mapping[str, object]) -> None:
        if self.fields is None or keeps_extra_fields(self.row_type):
            return
        for name in changes:
            if name not in self.fields:
                raise UnknownFieldError(name, f"row type {self.row_type.__name__!r}", self.fields)


class MappingRows(RowAdapter):
    """Rows that are dicts or other mappings; a TypedDict declares their fields."""

    kind = "mapping"

    def __init__(self, row_type: type[Any]) -> None:
        self.row_type = row_type
        self.fields = declared_fields(row_type)
        self.equal = equal_mappings

    def accepts(self, row: object) -> bool:
        """Tell whether `row` is a mapping."""
        return row.__class__ is dict or KINDS[row.__class__] == kinds.MAPPING

    def get(self, row: Any, name: str) -> Any:
        """Return row[name]; None if it is missing or UNSET."""
        value = row.get(name)
        return None if is_null(value) else value

    def replace(self, row: Any, changes: Mapping[str, object]) -> Any:
        """Return the merged mapping; its class must be constructible from a dict."""
        self._check_names(changes)
        merged = {**row, **changes}
        return merged if row.__class__ is dict else row.__class__(merged)

    def as_dict(self, row: Any) -> dict[str, Any]:
        """Return a copy of the row as a dict."""
        return dict(row)


class ObjectRows(RowAdapter):
    """Rows whose fields are attributes."""

    kind = "object"

    def __init__(self, row_type: type[Any]) -> None:
        self.row_type = row_type
        self.fields = declared_fields(row_type)
        self.unset_fields = _unset_fields(row_type)
        self._replace = _replacement(row_type)
        compared = compared_fields(row_type)
        self.equal = _equal_attributes if compared is None else comparison(row_type, compared)

    def accepts(self, row: object) -> bool:
        """Tell whether `row` is an instance of the row type."""
        return isinstance(row, self.row_type)

    def get(self, row: Any, name: str) -> Any:
        """Return row.name; None if it is missing or UNSET."""
        value = getattr(row, name, None)
        return None if is_null(value) else value

    def replace(self, row: Any, changes: Mapping[str, object]) -> Any:
        """Return a copy with some attributes changed, by the means of the row's library."""
        self._check_names(changes)
        return self._replace(row, changes)

    def as_dict(self, row: Any) -> dict[str, Any]:
        """Return the declared fields, or all stored attributes if none are declared."""
        if self.fields is None:
            return _attributes(row)
        extra = getattr(row, "__pydantic_extra__", None) or {}
        return {**{name: self.get(row, name) for name in self.fields}, **extra}


class ValueRows(RowAdapter):
    """Rows without fields: the texts, numbers, lists, ... that a query may map rows to."""

    kind = "object"
    fields = ()

    def __init__(self, row_type: type[Any]) -> None:
        self.row_type = row_type
        self.equal = equal

    def accepts(self, row: object) -> bool:
        """Tell whether `row` is a plain value."""
        return KINDS[row.__class__] not in (kinds.MAPPING, kinds.OBJECT)

    def get(self, row: Any, name: str) -> Any:
        """Return None: there are no fields."""
        return None

    def replace(self, row: Any, changes: Mapping[str, object]) -> Any:
        """Return the row: there is no field to change."""
        self._check_names(changes)
        return row

    def as_dict(self, row: Any) -> dict[str, Any]:
        """Return an empty dict: there are no fields."""
        return {}

    def fingerprint(self, row: Any) -> Hashable:
        """Return the normal form of the value, in a tuple because NaN alone does not equal itself."""
        return (normal(row),)


def adapter_for_type(row_type: Any) -> RowAdapter:
    """Return the adapter for rows of a class, `dict[str, Any]` and the like included.

    Raises:
        CollectionError: `row_type` is not a class.
    """
    cls = get_origin(row_type) or row_type
    if not isinstance(cls, type):
        raise CollectionError(f"row type {row_type!r} is not a class")
    return _adapter(cls)


def adapter_for_row(row: Any) -> RowAdapter:
    """Return the adapter for rows like `row`; rows that are dicts declare no fields."""
    return _adapter(type(row))


def _adapter(cls: type[Any]) -> RowAdapter:
    adapter = _ADAPTERS.get(cls)
    if adapter is None:
        _ADAPTERS[cls] = adapter = _new_adapter(cls)
    return adapter


_ADAPTERS: Final[dict[type[Any], RowAdapter]] = {}


def _new_adapter(cls: type[Any]) -> RowAdapter:
    kind = KINDS[cls]
    if kind == kinds.MAPPING:
        return MappingRows(cls)
    if kind in (kinds.OBJECT, kinds.OPAQUE) or hasattr(cls, "_fields"):  # a named tuple
        return ObjectRows(cls)
    return ValueRows(cls)


def _replacement(cls: type[Any]) -> Callable[[Any, Mapping[str, object]], Any]:
    if is_pydantic_model(cls):
        return lambda row, changes: row.model_copy(update=changes)
    if dataclasses.is_dataclass(cls):
        return lambda row, changes: dataclasses.replace(row, **changes)
    if hasattr(cls, "__replace__"):  # msgspec structs, attrs classes
        return lambda row, changes: row.__replace__(**changes)
    if hasattr(cls, "_replace"):  # named tuples
        return lambda row, changes: row._replace(**changes)
    return _copied


def _copied(row: Any, changes: Mapping[str, object]) -> Any:
    new = copy.copy(row)
    for name, value in changes.items():
        setattr(new, name, value)
    return new


def _attributes(row: Any) -> dict[str, Any]:
    """Return the attributes a plain object stores, in slots or in its __dict__."""
    slots = {
        name: getattr(row, name)
        for cls in reversed(row.__class__.__mro__)
        for name in _slot_names(cls)
        if hasattr(row, name)
    }
    return {**slots, **getattr(row, "__dict__", {})}


def _equal_attributes(old: Any, new: Any) -> bool:
    return old is new or equal_mappings(_attributes(old), _attributes(new))


_NOT_DATA: Final = frozenset(("__dict__", "__weakref__"))


def _slot_names(cls: type[Any]) -> tuple[str, ...]:
    names = cls.__dict__.get("__slots__", ())
    return tuple(n for n in ((names,) if isinstance(names, str) else names) if n not in _NOT_DATA)


def _unset_fields(cls: type[Any]) -> frozenset[str]:
    """Return the fields of a msgspec struct that may be UNSET: all, if its types are unknown."""
    if not hasattr(cls, "__struct_fields__"):
        return frozenset()
    try:
        hints = typing.get_type_hints(cls)
    except (NameError, TypeError, AttributeError):  # a name known to type checkers alone
        return frozenset(cls.__struct_fields__)
    return frozenset(name for name in cls.__struct_fields__ if _may_be_unset(hints.get(name)))


def _may_be_unset(hint: Any) -> bool:
    if isinstance(hint, type) and hint is not type(None) and NULL_CLASSES[hint]:
        return True
    return any(_may_be_unset(argument) for argument in typing.get_args(hint))
