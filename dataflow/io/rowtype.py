"""Rows of a declared type, as dicts and as text.

Sources that read files and tables come with dicts, and so do rows that were written to a file. A collection that declares `row=`
wants instances: pydantic builds those of models, dataclasses and named tuples, msgspec those of its structs. Fields go by their Python
names, never by aliases. Rows of no declared type are dicts, and stay what they are; so do those of a TypedDict, unchecked.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pydantic import PydanticSchemaGenerationError, TypeAdapter

from dataflow.errors import CollectionError
from dataflow.io.encoding import decode, encode
from dataflow.io.undeclared import undeclared_instance
from dataflow.values.fields import is_typed_dict
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WRITTEN: Final = (bytes, datetime, date, time, timedelta, Decimal, UUID)  # what `encode` knows


class RowType:
    """Builds rows of one type, and writes and reads them.

    Args:
        row_type: what a collection declares, or None for dicts.
        owner: the collection, for errors.

    Raises:
        CollectionError: if rows of the type cannot be built from dicts.
    """

    __slots__ = ("_owner", "build", "fields_of")

    build: Callable[[Mapping[str, Any]], Any]
    """fields -> row; raises ValueError if they do not fit."""
    fields_of: Callable[[Any], dict[str, Any]]
    """row -> fields."""

    def __init__(self, row_type: Any, *, owner: object) -> None:
        self._owner = owner
        if row_type is None or row_type is dict or is_typed_dict(row_type):
            self.build = dict
            self.fields_of = _dict_fields
        elif hasattr(row_type, "__struct_fields__"):
            self._use_msgspec(row_type)
        else:
            self._use_pydantic(row_type)

    def _use_msgspec(self, row_type: Any) -> None:
        import msgspec

        names = dict(
            zip(row_type.__struct_fields__, row_type.__struct_encode_fields__, strict=True)
        )
        self.build = lambda fields: msgspec.convert(
            {names.get(name, name): value for name, value in fields.items()}, row_type, strict=False
        )
        self.fields_of = lambda row: {
            name: msgspec.to_builtins(value, builtin_types=_WRITTEN)
            for name in row_type.__struct_fields__
            if (value := getattr(row, name)) is not msgspec.UNSET
        }

    def _use_pydantic(self, row_type: Any) -> None:
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(row_type)
        except PydanticSchemaGenerationError as error:
            raise CollectionError(
                f"{self._owner}: rows of type {row_type!r} cannot be built from fields"
            ) from error
        self.build = lambda fields: adapter.validate_python(fields, by_alias=False, by_name=True)

        is_tuple = issubclass(row_type, tuple)
        declared: Mapping[str, Any] = getattr(row_type, "model_fields", {})
        excluded = [name for name, field in declared.items() if field.exclude]

        def fields_of(row: Any) -> dict[str, Any]:
            dumped: Any = adapter.dump_python(row, round_trip=True, by_alias=False)
            if is_tuple:
                return dict(zip(row._fields, dumped, strict=True))
            return {**dumped, **{name: getattr(row, name) for name in excluded}}

        self.fields_of = fields_of

    def dump(self, row: Any) -> str:
        """Return a row as text.

        Raises:
            CollectionError: if a value in it cannot be written, or would come back as something else, because its place is
                declared as Any.
        """
        try:
            text = encode(self.fields_of(row))
        except TypeError as error:
            raise CollectionError(f"{self._owner}: cannot write row {row!r}: {error}") from error
        lost = undeclared_instance(row)
        if lost is not None and not adapter_for_row(row).equal(row, self.load(text)):
            refused = CollectionError(
                f"{self._owner}: cannot write row {row!r}: {lost!r} is in a place declared as Any"
            )
            refused.add_note("it would come back as a dict: declare its type, or write a dict")
            raise refused
        return text

    def load(self, text: str) -> Any:
        """Return the row of a text.

        Raises:
            ValueError: if the text is none, or no row of this type any more.
        """
        fields = decode(text)
        if not isinstance(fields, dict):
            raise ValueError(f"not a row: {text[:80]!r}")  # noqa: TRY004 - the text is bad, not the argument
        return self.build(fields)


def _dict_fields(row: Any) -> dict[str, Any]:
    try:
        return dict(row)
    except (TypeError, ValueError) as error:
        raise TypeError("declare the type of the rows with row= to write them") from error
