"""Keys of entities: the Python value in the row, and its text on the wire.

A key is a field of the row, or text computed from the row. The wire key is `str(key)` (of an enum:
of its value) and is read back with the type of the field, so an int key stays an int. A key that
would not come back equal from its text is refused when the event is made: two rows that differ
here could meet there.

Injection  A value without its key field (absent or null) gets it from the key of the event.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from difflib import get_close_matches
from enum import Enum
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from typing_extensions import override

from stateschema.errors import EventError, LocalProtocolError, SchemaError
from stateschema.events import describe
from stateschema.schema.rows import RowType

R = TypeVar("R")


class KeyRule(ABC, Generic[R]):
    """How the key of a row is found, written and read.

    Attributes:
        of: Takes the key, as Python value, out of a row.
    """

    of: Callable[[R], Any]

    @abstractmethod
    def read(self, text: str) -> Any:
        """Return the key that the wire text stands for; raises EventError if it stands for none."""

    def write(self, key: object) -> str:
        """Return the wire text of a key.

        Raises:
            LocalProtocolError: The key has no text of its own.
        """
        text = key if type(key) is str else str(key.value if isinstance(key, Enum) else key)
        if key is None or text == "":
            raise LocalProtocolError(f"key {key!r} is empty")
        try:
            back = self.read(text)
        except EventError as error:
            raise LocalProtocolError(f"key {key!r}: {error.reason}") from error
        if back != key:
            raise LocalProtocolError(f"key {key!r} would come back from the wire as {back!r}")
        return text

    def read_all(self, texts: list[str]) -> list[Any]:
        """Return the keys that many wire texts stand for; raises EventError if one stands for none."""
        return texts

    def inject(self, value: dict[str, Any], key: object) -> dict[str, Any]:
        """Return the value with its key field filled from the event's key, where it is missing."""
        return value

    def inject_all(self, values: list[dict[str, Any]], keys: list[Any]) -> list[dict[str, Any]]:
        """Return many values with their key fields filled, as `inject` does for one."""
        return values


class FieldKey(KeyRule[R]):
    """The key is a field of the row."""

    def __init__(self, rows: RowType[R], field: str) -> None:
        if rows.fields and field not in rows.fields:
            near = get_close_matches(field, rows.fields, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise SchemaError(f"row type {rows.row.__name__!r} has no key field {field!r}{hint}")
        self.of = rows.getter(field)
        self._names = rows.accepted_names.get(field, frozenset([field]))
        self._injected_name = rows.name_to_inject(field)
        annotation = rows.fields.get(field, str)
        self._is_text = annotation is str
        self._parse: Callable[[str], Any] = TypeAdapter[Any](annotation).validate_strings

    @override
    def read(self, text: str) -> Any:
        if self._is_text:
            return text
        try:
            return self._parse(text)
        except ValidationError as error:
            _, reason = describe(error)
            raise EventError(reason, field="key") from error

    @override
    def read_all(self, texts: list[str]) -> list[Any]:
        return texts if self._is_text else [*map(self.read, texts)]

    @override
    def inject_all(self, values: list[dict[str, Any]], keys: list[Any]) -> list[dict[str, Any]]:
        name = self._injected_name
        return [
            value if value.get(name) is not None else self.inject(value, key)
            for value, key in zip(values, keys, strict=True)
        ]

    @override
    def inject(self, value: dict[str, Any], key: object) -> dict[str, Any]:
        for name in self._names:
            if value.get(name) is not None:
                return value
        present = {name: part for name, part in value.items() if name not in self._names}
        return {**present, self._injected_name: key}


class ComputedKey(KeyRule[R]):
    """The key is text computed from the row."""

    def __init__(self, function: Callable[[R], str]) -> None:
        self._function = function

    @override
    def of(self, row: R) -> Any:
        key = self._function(row)
        if type(key) is not str:
            error = SchemaError(f"key function gave {key!r}, which is not text")
            error.add_note("a key of another type must be a field of the row: key='name'")
            raise error
        return key

    @override
    def read(self, text: str) -> Any:
        return text
