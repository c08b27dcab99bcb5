"""Validators of row types: what users write into a collection, as rows of its declared type.

pydantic models, dataclasses, TypedDicts      pydantic; mappings by field name or alias, rows as they are
msgspec structs                               msgspec's own conversion
dicts, named tuples, attrs and other classes  none: rows are taken as they are
"""

from __future__ import annotations

from dataclasses import is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter
from typing_extensions import is_typeddict

from dataflow.errors import CollectionError
from dataflow.io.input_names import msgspec_names, pydantic_names

if TYPE_CHECKING:
    from collections.abc import Callable


def make_validator(row_type: Any) -> Callable[[Any], Any] | None:
    """Return what turns a mapping of fields, or a row, into a valid row; None for types that say nothing about their fields.

    Raises:
        CollectionError: if the types of the fields cannot be found out.
    """
    if hasattr(row_type, "__struct_fields__"):
        return _msgspec_validator(row_type)
    if _is_pydantic(row_type):
        validate = _adapter(row_type).validator.validate_python
        return lambda value: validate(value, by_alias=True, by_name=True)
    return None


def names_taken(row_type: Any) -> frozenset[str] | None:
    """Return the names under which fields of a row type are read from a mapping; None if any name is."""
    if hasattr(row_type, "__struct_fields__"):
        return msgspec_names(row_type)
    return pydantic_names(_adapter(row_type).core_schema) if _is_pydantic(row_type) else None


def _is_pydantic(row_type: Any) -> bool:
    return _is_model(row_type) or is_dataclass(row_type) or is_typeddict(row_type)


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


def _msgspec_validator(row_type: Any) -> Callable[[Any], Any]:
    import msgspec

    names = dict(zip(row_type.__struct_fields__, row_type.__struct_encode_fields__, strict=True))

    def convert(value: Any) -> Any:
        if isinstance(value, row_type):
            return value
        fields = {names.get(name, name): field for name, field in value.items()}
        return msgspec.convert(fields, row_type, strict=False)

    return convert
