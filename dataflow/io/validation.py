"""Validators of row types: what users write into a collection, as rows of its declared type.

pydantic models, dataclasses, TypedDicts      pydantic; mappings by field name or alias, rows as they are
msgspec structs                               msgspec's own conversion
dicts, named tuples, attrs and other classes  none: rows are taken as they are
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter
from typing_extensions import is_typeddict

from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Callable


def make_validator(row_type: Any) -> Callable[[Any], Any] | None:
    """Return what turns a mapping of fields, or a row, into a valid row; None for types that say nothing about their fields.

    Raises:
        CollectionError: if the types of the fields cannot be found out.
    """
    if hasattr(row_type, "__struct_fields__"):
        return _msgspec_validator(row_type)
    is_model = isinstance(row_type, type) and issubclass(row_type, BaseModel)
    if is_model or is_dataclass(row_type) or is_typeddict(row_type):
        return _pydantic_validator(row_type, is_model=is_model)
    return None


def _pydantic_validator(row_type: Any, *, is_model: bool) -> Callable[[Any], Any]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(row_type) if is_model else _lenient(row_type)
        validate = adapter.validator.validate_python
    except (PydanticUserError, NameError) as error:
        refused = CollectionError(
            f"rows of type {row_type.__name__!r} cannot be validated: {error}"
        )
        refused.add_note("give the collection validate=, if only `lambda row: row`")
        raise refused from error
    return lambda value: validate(value, by_alias=True, by_name=True)


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
