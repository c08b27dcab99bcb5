"""Validators of row types: what users write into a collection, as rows of its declared type.

pydantic models, dataclasses, TypedDicts      pydantic; mappings by field name or alias
msgspec structs                               msgspec's own conversion
dicts, named tuples, attrs and other classes  none: rows are taken as they are

Instances of models and of pydantic's own dataclasses were validated when they were made; whether pydantic looks at them again is for
their `revalidate_instances` to say. Nobody has looked at those of plain dataclasses and of structs: they are validated as the mapping
of their fields. One that needs no coercion stays the row, as the very object.

Edges  instances inside of rows are taken as they are. So is a dataclass with an `InitVar`, of which nobody knows what it was given.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter
from pydantic.dataclasses import is_pydantic_dataclass

from dataflow.errors import CollectionError
from dataflow.io.input_names import msgspec_names, pydantic_names
from dataflow.values.fields import is_typed_dict
from dataflow.values.identity import alike
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def make_validator(row_type: Any) -> Callable[[Any], Any] | None:
    """Return what turns a mapping of fields, or a row, into a valid row; None for types that say nothing about their fields.

    Raises:
        CollectionError: if the types of the fields cannot be found out.
    """
    if hasattr(row_type, "__struct_fields__"):
        return _with_instances(row_type, _msgspec_validator)
    if not _is_pydantic(row_type):
        return None
    return (
        _with_instances(row_type, _pydantic_validator)
        if _is_unchecked(row_type)
        else _pydantic_validator(row_type)
    )


def names_taken(row_type: Any) -> frozenset[str] | None:
    """Return the names under which fields of a row type are read from a mapping; None if any name is."""
    if hasattr(row_type, "__struct_fields__"):
        return msgspec_names(row_type)
    return pydantic_names(_adapter(row_type).core_schema) if _is_pydantic(row_type) else None


def _is_pydantic(row_type: Any) -> bool:
    return _is_model(row_type) or is_dataclass(row_type) or is_typed_dict(row_type)


def _is_unchecked(cls: type[Any]) -> bool:
    """Tell whether a class makes instances of whatever it is given, and they tell all of it."""
    if not is_dataclass(cls) or is_pydantic_dataclass(cls):
        return False
    return signature(cls).parameters.keys() <= {field.name for field in fields(cls)}


def _is_model(row_type: Any) -> bool:
    return isinstance(row_type, type) and issubclass(row_type, BaseModel)


@cache
def _adapter(row_type: Any) -> TypeAdapter[Any]:
    """Return the adapter of a type, complete: a model may refer to what is defined after it."""
    try:
        made: TypeAdapter[Any] = (
            TypeAdapter(row_type) if _is_model(row_type) else _lenient(row_type)
        )
        made.rebuild()
    except (PydanticUserError, NameError) as error:
        refused = CollectionError(
            f"rows of type {row_type.__name__!r} cannot be validated: {error}"
        )
        refused.add_note("give the collection validate=, if only `lambda row: row`")
        raise refused from error
    return made


def _lenient(row_type: Any) -> TypeAdapter[Any]:
    """Return an adapter that takes fields of classes pydantic knows nothing about, if values are of them.

    A dataclass or TypedDict without settings of its own has those of what it stands in, here an optional row.
    """
    return TypeAdapter(row_type | None, config=ConfigDict(arbitrary_types_allowed=True))


@cache
def _pydantic_validator(row_type: Any) -> Callable[[Any], Any]:
    validate = _adapter(row_type).validator.validate_python
    return lambda value: validate(value, by_alias=True, by_name=True)


@cache
def _msgspec_validator(row_type: Any) -> Callable[[Any], Any]:
    import msgspec

    names = dict(zip(row_type.__struct_fields__, row_type.__struct_encode_fields__, strict=True))

    def convert(given: Mapping[str, Any]) -> Any:
        encoded = {names.get(name, name): value for name, value in given.items()}
        return msgspec.convert(encoded, row_type, strict=False)

    return convert


def _with_instances(
    row_type: Any, validator_of: Callable[[Any], Callable[[Any], Any]]
) -> Callable[[Any], Any]:
    """Return a validator that looks into instances too; those of a subclass are valid if its own validator says so."""
    validate = validator_of(row_type)

    def check(value: Any) -> Any:
        if not isinstance(value, row_type):
            return validate(value)
        given = _given(value)
        valid = validator_of(type(value))(given)
        is_valid = all(alike(getattr(valid, name), given[name]) for name in given)
        return value if is_valid else valid

    return check


def _given(row: Any) -> dict[str, Any]:
    """Return the fields of an instance that its class takes, without those that are msgspec's UNSET."""
    cls: Any = type(row)
    values = {name: getattr(row, name) for name in _given_names(cls)}
    return {name: value for name, value in values.items() if value is None or not is_null(value)}


@cache
def _given_names(cls: Any) -> tuple[str, ...]:
    names: tuple[str, ...] | None = getattr(cls, "__struct_fields__", None)
    return tuple(field.name for field in fields(cls) if field.init) if names is None else names
