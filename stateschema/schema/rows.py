"""Row types: one face for the typed rows a schema may hold.

Rows are pydantic models, dataclasses, TypedDicts or plain dicts (all read by pydantic), or msgspec
Structs (read by msgspec's own conversion). msgspec is optional and looked at only when it has been
imported already: nobody can hold a Struct class otherwise.

Names      Python attribute names in Python, aliases on the wire. Reading takes both (a Struct: the
           encoded name only), writing gives aliases.
Given      What is read is never changed: who reads a value again, or reports it, has what was sent. A
           type with validators that see it first, and may change it, gets a copy.
Cost       One validator call per row read, or for many rows; one serializer call per row written. A
           Struct is read in a third of the time of a model, and its rows take less to hold. Models that
           are read at once share what is equal in all of them (see `names_given`).
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import is_dataclass
from functools import cached_property
from operator import attrgetter, itemgetter
from types import GenericAlias
from typing import (
    Annotated,
    Any,
    Generic,
    TypeAlias,
    TypeGuard,
    TypeVar,
    get_origin,
    get_type_hints,
)

from pydantic import AliasChoices, AliasPath, BaseModel, PydanticUserError, TypeAdapter
from pydantic import ValidationError as PydanticValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, SchemaValidator
from pydantic_core.core_schema import list_schema
from typing_extensions import is_typeddict, override

from stateschema.errors import EventError, SchemaError
from stateschema.events import describe
from stateschema.schema.names_given import sharing

R = TypeVar("R")
Definitions: TypeAlias = dict[str, Any]
"""Name -> JSON Schema, of what other schemas refer to."""

_REF = "#/$defs/"
_SEEING = frozenset({"function-before", "function-wrap", "function-plain"})


class RowType(ABC, Generic[R]):
    """How rows of one type are read, written and looked into.

    Attributes:
        fields: Python name of each declared field -> its annotation; empty for plain dicts.
        wire_names: Python name of each field -> the name written on the wire.
        accepted_names: Python name of each field -> all top-level names it is read from.
    """

    fields: Mapping[str, Any]
    wire_names: Mapping[str, str]
    accepted_names: Mapping[str, frozenset[str]]

    def __init__(self, row: type[R]) -> None:
        self.row = row

    @abstractmethod
    def read(self, value: Mapping[str, Any]) -> R:
        """Return the validated row of a wire value.

        Raises:
            EventError: The value does not fit; names the field as a path below `value`.
        """

    @abstractmethod
    def read_all(self, values: list[dict[str, Any]]) -> list[R]:
        """Return the validated rows of many wire values, as `read` does for one.

        Raises:
            Exception: Some value does not fit; `read` tells which, and why.
        """

    @abstractmethod
    def write(self, row: R, *, only_set: bool) -> dict[str, Any]:
        """Return the wire value of a row, by alias.

        Args:
            row: A row of this type.
            only_set: Leave out fields that were never set, where the row type knows.

        Raises:
            SchemaError: The row holds something its type does not allow.
        """

    @abstractmethod
    def json_schema(self, definitions: Definitions) -> dict[str, Any]:
        """Return the JSON Schema of wire values, and add what it refers to to `definitions`.

        Raises:
            SchemaError: There is none, or another row type has a name of this one.
        """

    def getter(self, field: str) -> Callable[[R], Any]:
        """Return the function that takes a field out of a row."""
        return attrgetter(field)

    def is_row(self, value: object) -> TypeGuard[R]:
        """Tell whether a value is a row already, not a mapping that has yet to be read."""
        return isinstance(value, self.row)

    def name_to_inject(self, field: str) -> str:
        """Return the name under which a missing field is added to a wire value."""
        return field


class PydanticRows(RowType[R]):
    """Pydantic models, dataclasses, TypedDicts and plain dicts."""

    def __init__(self, row: type[R]) -> None:
        super().__init__(row)
        try:
            adapter = TypeAdapter[R](row)
            self._validate = adapter.validator.validate_python
            self._schema = adapter.core_schema
            self._copies = _is_seen_by_validators(self._schema)
            self._share_names = sharing(row, self._schema)
            self._dump = adapter.serializer.to_python
            self._describe = adapter.json_schema
            infos = _field_infos(row)
        except (PydanticUserError, NameError) as error:
            raise SchemaError(f"row type {row.__name__!r} cannot be used: {error}") from error
        self.fields = {name: _annotation(info) for name, info in infos.items()}
        self.wire_names = {
            name: info.serialization_alias or info.alias or name for name, info in infos.items()
        }
        self.accepted_names = {name: _accepted(name, info) for name, info in infos.items()}
        self._holds_items = is_typeddict(row) or _is_dict(row)

    @override
    def read(self, value: Mapping[str, Any]) -> R:
        given = deepcopy(value) if self._copies else value
        try:
            row: R = self._validate(given, by_alias=True, by_name=True)
        except PydanticValidationError as error:
            field, reason = describe(error)
            raise EventError(reason, field=f"value.{field}" if field else "value") from error
        return row

    @override
    def read_all(self, values: list[dict[str, Any]]) -> list[R]:
        given = [deepcopy(value) for value in values] if self._copies else values
        rows: list[R] = self._validate_all(given, by_alias=True, by_name=True)
        if self._share_names is not None:
            self._share_names(rows)
        return rows

    @cached_property
    def _validate_all(self) -> Callable[..., Any]:
        return SchemaValidator(list_schema(self._schema, fail_fast=True)).validate_python

    @override
    def write(self, row: R, *, only_set: bool) -> dict[str, Any]:
        try:
            wire: dict[str, Any] = self._dump(
                row, mode="json", by_alias=True, exclude_unset=only_set, warnings="error"
            )
        except PydanticSerializationError as error:
            raise SchemaError(f"row of type {self.row.__name__!r}: {error}") from error
        return wire

    @override
    def json_schema(self, definitions: Definitions) -> dict[str, Any]:
        try:
            found = self._describe(ref_template=_REF + "{model}")
        except PydanticUserError as error:
            raise SchemaError(f"row type {self.row.__name__!r}: {error}") from error
        _define(found.pop("$defs", {}), definitions)
        if "$ref" in found:  # it refers to itself
            name = found["$ref"].removeprefix(_REF)
        elif _is_dict(self.row):
            return found
        else:
            name = self.row.__name__
            _define({name: found}, definitions)
        self._use_wire_names(definitions[name])
        return {"$ref": f"{_REF}{name}"}

    def _use_wire_names(self, described: dict[str, Any]) -> None:
        """Call properties as they are written, where they are read by other names too."""
        written = {
            accepted: self.wire_names[name]
            for name, names in self.accepted_names.items()
            for accepted in names
        }
        properties = described.get("properties", {})
        described["properties"] = {written.get(name, name): p for name, p in properties.items()}
        if "required" in described:
            described["required"] = [written.get(name, name) for name in described["required"]]

    @override
    def getter(self, field: str) -> Callable[[R], Any]:
        if self._holds_items:
            get: Callable[[Any], Any] = itemgetter(field)
            return get
        return attrgetter(field)

    @override
    def is_row(self, value: object) -> TypeGuard[R]:
        return not self._holds_items and isinstance(value, self.row)


class StructRows(RowType[R]):
    """msgspec Structs."""

    def __init__(self, row: type[R]) -> None:
        super().__init__(row)
        self._msgspec = sys.modules["msgspec"]
        self._list = GenericAlias(list, (row,))
        infos = self._msgspec.structs.fields(row)
        self.fields = {info.name: info.type for info in infos}
        self.wire_names = {info.name: info.encode_name for info in infos}
        self.accepted_names = {info.name: frozenset([info.encode_name]) for info in infos}

    @override
    def read(self, value: Mapping[str, Any]) -> R:
        try:
            row: R = self._msgspec.convert(value, self.row)
        except self._msgspec.ValidationError as error:
            # The path comes last, as in: Expected `int`, got `str` - at `$.seq`
            reason, _, path = str(error).partition(" - at `$")
            raise EventError(
                f"{reason[:1].lower()}{reason[1:]}", field=f"value{path.removesuffix('`')}"
            ) from error
        return row

    @override
    def read_all(self, values: list[dict[str, Any]]) -> list[R]:
        rows: list[R] = self._msgspec.convert(values, self._list)
        return rows

    @override
    def write(self, row: R, *, only_set: bool) -> dict[str, Any]:
        try:
            wire: dict[str, Any] = self._msgspec.to_builtins(row, str_keys=True)
        except (TypeError, ValueError) as error:
            raise SchemaError(f"row of type {self.row.__name__!r}: {error}") from error
        return wire

    @override
    def json_schema(self, definitions: Definitions) -> dict[str, Any]:
        try:
            (found,), defined = self._msgspec.json.schema_components(
                [self.row], ref_template=_REF + "{name}"
            )
        except TypeError as error:
            raise SchemaError(f"row type {self.row.__name__!r}: {error}") from error
        _define(defined, definitions)
        described: dict[str, Any] = found
        return described

    @override
    def name_to_inject(self, field: str) -> str:
        return self.wire_names[field]


def row_type(row: type[R]) -> RowType[R]:
    """Return the row type of a class.

    Raises:
        SchemaError: The class is none of the kinds a row can be.
    """
    msgspec = sys.modules.get("msgspec")
    if _is_dict(row):
        return PydanticRows(row)
    if not isinstance(row, type):
        raise SchemaError(f"row type {row!r} is not a class")
    if msgspec is not None and issubclass(row, msgspec.Struct):
        return StructRows(row)
    if is_dataclass(row) or is_typeddict(row) or issubclass(row, BaseModel):
        return PydanticRows(row)
    error = SchemaError(f"row type {row.__name__!r} is no kind of row")
    error.add_note("use a pydantic model, a dataclass, a TypedDict, a msgspec Struct or a dict")
    raise error


def _define(found: Definitions, definitions: Definitions) -> None:
    for name, described in found.items():
        if definitions.setdefault(name, described) != described:
            error = SchemaError(f"two row types of the schema are named {name!r}")
            error.add_note("they cannot be told apart in an export: rename one")
            raise error


def _is_seen_by_validators(schema: object) -> bool:
    """Tell whether functions see what is validated before pydantic has made a new object of it."""
    if isinstance(schema, list | tuple):
        return any(map(_is_seen_by_validators, schema))
    if not isinstance(schema, Mapping):
        return False
    if schema.get("type") in _SEEING:
        return True
    return any(_is_seen_by_validators(part) for name, part in schema.items() if name != "metadata")


def _is_dict(row: object) -> bool:
    return row is dict or get_origin(row) is dict


def _field_infos(row: type[Any]) -> Mapping[str, FieldInfo]:
    known: Mapping[str, FieldInfo] | None = getattr(row, "__pydantic_fields__", None)
    if known is not None:
        return known
    if not (is_dataclass(row) or is_typeddict(row)):
        return {}
    hints = get_type_hints(row, include_extras=True)
    return {name: FieldInfo.from_annotation(hint) for name, hint in hints.items()}


def _annotation(info: FieldInfo) -> Any:
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def _accepted(name: str, info: FieldInfo) -> frozenset[str]:
    alias = info.validation_alias or info.alias or name
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    tops = (choice.path[0] if isinstance(choice, AliasPath) else choice for choice in choices)
    return frozenset([name, *(str(top) for top in tops)])
