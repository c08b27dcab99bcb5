"""State schemas: entities by name, their events, and the way between rows and wire values.

```python
class Chat(StateSchema):
    messages = Entity(Message, type="message", key="id")

event = Chat.messages.insert(Message(id="m1", text="Hello"), txid=new_txid())
key, row = Chat.messages.decode(event)
```

Names      The attribute is the name of the collection, `type` routes events. An entity may have any
           name without a leading underscore, so a schema has no other public names: introspection
           is by the functions `entities(schema)` and `entities_by_type(schema)`.
Law        decode(insert(row)) == (key of row, row) for every valid row
Wire       Values are written by alias and read by alias or name. Rows given to the constructors are
           checked: what is written, every reader of the schema can read.
Merging    With `merge=True` top-level fields of update and upsert are merged into the present row,
           and written values leave out fields that were never set, so that they keep what is there.
Cost       decode: one validator call; merge_row: one serializer and one validator call; decode_all:
           one validator call for all.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from stateschema.errors import EventError, LocalProtocolError, SchemaError
from stateschema.events import ChangeEvent, Operation, parse_event, shorten
from stateschema.schema.declaring import Declared, SchemaType, unknown_name
from stateschema.schema.keys import ComputedKey, FieldKey, KeyRule
from stateschema.schema.moments import rfc3339
from stateschema.schema.rows import Definitions, row_type

if TYPE_CHECKING:
    from dataflow.collection.collection import Collection

R = TypeVar("R")


class Entity(Declared, Generic[R]):
    """One kind of row in a schema: its row type, its wire type and its key.

    On the schema class the attribute is this entity, with constructors of events; on the
    `collections` of a StreamDB it is the live collection.

    Args:
        row: A pydantic model, dataclass, TypedDict, msgspec Struct, or dict.
        type: Wire type that routes events to this entity; unique within a schema.
        key: Name of the key field, or a function of the row that gives the key as text.
        merge: Merge the fields of update and upsert into the present row, not replace it.

    Raises:
        SchemaError: The row type cannot be used, or has no such key field.
    """

    def __init__(
        self,
        row: type[R],
        *,
        type: str,  # noqa: A002 - the word of the wire
        key: str | Callable[[R], str],
        merge: bool = False,
    ) -> None:
        if type == "":
            raise SchemaError("entity type must not be empty")
        self.row = row
        self.type = type
        self.key = key
        self.merge = merge
        self.name: str = ""
        self._rows = row_type(row)
        self._key: KeyRule[R] = (
            FieldKey(self._rows, key) if isinstance(key, str) else ComputedKey(key)
        )
        self._wire_names = {
            name: wire for name, wire in self._rows.wire_names.items() if name != wire
        }

    def __set_name__(self, owner: type["StateSchema"], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type["StateSchema"]) -> Self: ...
    @overload
    def __get__(self, instance: "StateSchema", owner: type["StateSchema"]) -> "Collection[R]": ...
    def __get__(
        self, instance: "StateSchema | None", owner: type["StateSchema"]
    ) -> "Self | Collection[R]":
        if instance is None:
            return self
        # Not a data descriptor: a collection in the instance's own dict is found before this.
        raise AttributeError(f"no collection is attached for entity {self.name!r}")

    def __repr__(self) -> str:
        return f"Entity({self.row.__name__}, type={self.type!r})"

    def insert(
        self,
        value: R,
        *,
        key: object = None,
        txid: str | None = None,
        timestamp: datetime | str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent:
        """Make the event that inserts a row.

        Args:
            value: The row; at run time a mapping with wire or Python names will do.
            key: Key of the row; fills a missing key field and must not contradict a present one.
            txid: Transaction id to wait for.
            timestamp: An aware datetime, or RFC 3339 text.
            headers: Further headers; they never replace the operation.

        Raises:
            SchemaError: The value does not fit the row type.
            LocalProtocolError: The key or a header cannot be sent.
        """
        text, wire = self._written(value, key)
        return self._event("insert", text, {"value": wire}, txid, timestamp, headers)

    def update(
        self,
        value: R,
        *,
        key: object = None,
        old_value: R | None = None,
        txid: str | None = None,
        timestamp: datetime | str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent:
        """Make the event that updates a row; arguments as for `insert`, and the row before."""
        text, parts = self._values(value, key, old_value)
        return self._event("update", text, parts, txid, timestamp, headers)

    def upsert(
        self,
        value: R,
        *,
        key: object = None,
        old_value: R | None = None,
        txid: str | None = None,
        timestamp: datetime | str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent:
        """Make the event that inserts or updates a row; arguments as for `update`."""
        text, parts = self._values(value, key, old_value)
        return self._event("upsert", text, parts, txid, timestamp, headers)

    def delete(
        self,
        key_or_row: object,
        *,
        old_value: R | None = None,
        txid: str | None = None,
        timestamp: datetime | str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent:
        """Make the event that deletes a row, named by its key or by itself."""
        if self._rows.is_row(key_or_row) or isinstance(key_or_row, Mapping):
            text, _ = self._written(key_or_row, None)
        else:
            text = self._key.write(key_or_row)
        parts = {} if old_value is None else {"old_value": self._old(old_value, text)}
        return self._event("delete", text, parts, txid, timestamp, headers)

    def decode(self, event: ChangeEvent) -> tuple[Any, R]:
        """Return key and validated row of an insert, update or upsert event.

        Raises:
            EventError: The value does not fit the row type, or contradicts the key.
        """
        return self._read(event, event.value)

    def decode_all(self, keys: list[Any], values: list[Any]) -> list[R]:
        """Return the validated rows of many insert, update or upsert events at once.

        Args:
            keys: What `decode_keys` made of the keys of the events.
            values: The value of each event.

        Raises:
            EventError: Some value does not fit the row type, or contradicts its key; `decode` tells
                which one.
        """
        if not {*map(type, values)} <= {dict}:
            raise EventError("some value is no object")
        try:
            rows = self._rows.read_all(self._key.inject_all(values, keys))
            own = [*map(self._key.of, rows)]
        except Exception as error:
            raise EventError("some value cannot be read") from error
        if own != keys:
            raise EventError("some key contradicts its value")
        return rows

    def decode_keys(self, wire_keys: list[str]) -> list[Any]:
        """Return the keys of the collection for those of many events, as `decode_key` does for one."""
        return self._key.read_all(wire_keys)

    def decode_old(self, event: ChangeEvent) -> R:
        """Return the row that the author of an event saw before.

        Raises:
            EventError: `old_value` does not fit the row type, or contradicts the key.
        """
        return self._read(event, event.old_value)[1]

    def merge_row(self, old_row: R, event: ChangeEvent) -> tuple[Any, R]:
        """Return key and row after the event's top-level fields are merged into the present row.

        Raises:
            EventError: The merged value does not fit the row type, or contradicts the key.
        """
        value = event.value
        if isinstance(value, dict):
            value = {self._wire_names.get(name, name): part for name, part in value.items()}
            value = {**self._rows.write(old_row, only_set=True), **value}
        return self._read(event, value)

    def decode_key(self, wire_key: str) -> Any:
        """Return the key of the collection for the key of an event; of all that a delete needs.

        Raises:
            EventError: The text is no key of this entity.
        """
        return self._key.read(wire_key)

    def encode(self, row: R) -> dict[str, Any]:
        """Return the wire value of a row, by alias."""
        return self._rows.write(row, only_set=self.merge)

    def wire_key(self, row: R) -> str:
        """Return the wire key of a row; raises LocalProtocolError if it cannot have one."""
        return self._key.write(self._key.of(row))

    @property
    def key_name(self) -> str | None:
        """Wire name of the key field; None if the key is computed."""
        return self._rows.wire_names.get(self.key, self.key) if isinstance(self.key, str) else None

    def row_schema(self, definitions: Definitions) -> dict[str, Any]:
        """Return the JSON Schema of wire values, and add what it refers to to `definitions`.

        Raises:
            SchemaError: The row type has none, or shares its name with another one.
        """
        return self._rows.json_schema(definitions)

    def _read(self, event: ChangeEvent, value: object) -> tuple[Any, R]:
        try:
            return self._row_at(event.key, value)
        except EventError as error:
            reason = f"{error.reason} (of {event.type} {shorten(event.key)})"
            raise EventError(reason, field=error.field) from error
        except Exception as error:
            # A validator or a key function of the user's: what was sent is what it could not take.
            reason = f"cannot be read: {error!r} (of {event.type} {shorten(event.key)})"
            raise EventError(reason, field="value") from error

    def _row_at(self, wire_key: str, value: object) -> tuple[Any, R]:
        if not isinstance(value, dict):
            raise EventError("must be an object", field="value")
        key = self._key.read(wire_key)
        row = self._rows.read(self._key.inject(value, key))
        own = self._key.of(row)
        if own != key:
            raise EventError(f"contradicts the value, whose key is {shorten(own)}", field="key")
        return key, row

    def _written(self, value: object, key: object) -> tuple[str, dict[str, Any]]:
        """Return wire key and wire value of a row, or of a mapping that has yet to be read."""
        try:
            row, wire = self._row_and_wire(value, key)
        except EventError as error:
            field = f"{error.field} " if error.field else ""
            raise SchemaError(f"row of entity type {self.type!r}: {field}{error.reason}") from error
        text = self.wire_key(row)
        if key is not None and self._key.write(key) != text:
            raise LocalProtocolError(f"key {key!r} contradicts the row, whose key is {text!r}")
        return text, wire

    def _row_and_wire(self, value: object, key: object) -> tuple[R, dict[str, Any]]:
        if self._rows.is_row(value):
            wire = self.encode(value)
            self._rows.read(wire)  # a row can be built without validation
            return value, wire
        if not isinstance(value, Mapping):
            raise EventError(f"must be a {self.row.__name__}, not {value!r}", field="value")
        given = dict(value)
        row = self._rows.read(given if key is None else self._key.inject(given, key))
        return row, self.encode(row)

    def _values(self, value: object, key: object, old_value: object) -> tuple[str, dict[str, Any]]:
        text, wire = self._written(value, key)
        if old_value is None:
            return text, {"value": wire}
        return text, {"value": wire, "old_value": self._old(old_value, text)}

    def _old(self, old_value: object, text: str) -> dict[str, Any]:
        return self._written(old_value, self._key.read(text))[1]

    def _event(
        self,
        operation: Operation,
        key: str,
        parts: dict[str, Any],
        txid: str | None,
        timestamp: datetime | str | None,
        headers: Mapping[str, Any] | None,
    ) -> ChangeEvent:
        head: dict[str, Any] = {**(headers or {}), "operation": operation}
        if txid is not None:
            head["txid"] = txid
        if timestamp is not None:
            head["timestamp"] = rfc3339(timestamp)
        try:
            event = parse_event({"type": self.type, "key": key, **parts, "headers": head})
        except EventError as error:
            raise LocalProtocolError(f"{error.field} {error.reason}") from error
        assert isinstance(event, ChangeEvent)
        return event


class StateSchema(metaclass=SchemaType):
    """Base class of schemas: each attribute that is an `Entity` names a collection.

    >>> from typing_extensions import TypedDict
    >>> User = TypedDict("User", {"id": str, "name": str})
    >>> class Chat(StateSchema, version=2):
    ...     users = Entity(User, type="user", key="id")
    >>> Chat.users.upsert({"id": "u1", "name": "Ann"}).key
    'u1'

    Args:
        version: To be counted up when rows change in a way that the row types do not show, such as
            another key function: what was cached of an earlier version is not used.

    Raises:
        SchemaError: On definition of a subclass: two entities share a name or a type, or a name
            starts with an underscore.
    """

    _version: int = 1

    def __init_subclass__(cls, *, version: int | None = None) -> None:
        super().__init_subclass__()
        if version is not None:
            cls._version = version
        entities_by_type(cls)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise unknown_name(type(self), name, owner=self)


def entities(schema: type[StateSchema]) -> dict[str, Entity[Any]]:
    """Return the entities of a schema by name, inherited ones first."""
    found: dict[str, Entity[Any]] = {}
    for base in reversed(schema.__mro__):
        for name, attribute in vars(base).items():
            if isinstance(attribute, Entity):
                found[name] = attribute
            else:
                found.pop(name, None)
    return found


def entities_by_type(schema: type[StateSchema]) -> dict[str, Entity[Any]]:
    """Return the entities of a schema by wire type.

    Raises:
        SchemaError: Two entities share a type, or a name starts with an underscore.
    """
    found: dict[str, Entity[Any]] = {}
    names: dict[str, str] = {}
    for name, entity in entities(schema).items():
        if name.startswith("_"):
            raise SchemaError(f"entity name {name!r} must not start with an underscore")
        if entity.type in found:
            other = names[entity.type]
            raise SchemaError(f"entities {other!r} and {name!r} share the type {entity.type!r}")
        found[entity.type] = entity
        names[entity.type] = name
    return found


def version_of(schema: type[StateSchema]) -> int:
    """Return the version of a schema: `class Chat(StateSchema, version=2)`; 1 if none was given."""
    return schema._version  # noqa: SLF001 - all public names of a schema are entities
