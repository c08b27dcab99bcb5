"""Rows of a collection as events: the pure half of publishing.

Keys       Text is itself; of an enum the value counts. Null, booleans, tuples and what they hold are
           their JSON text: `["a",1]`; so is empty text, which no key on the wire may be: `""`. Anything
           else is what `str` makes of it, as in a schema.
Values     The wire form of a row, by alias; a row that is no object on the wire is refused.
Operations A row that appears is an upsert, so that a replay is idempotent; an update carries the row
           before; a delete the key alone.
Edges      Keys that differ here may have one text (1 and "1"). A collection that mixes such keys cannot
           be published.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from pydantic_core import to_json

from dataflow.collection.changes import Change
from stateschema.errors import SchemaError
from stateschema.events import ChangeEvent, ChangeHeaders
from stateschema.schema.rows import RowType, row_type

Wire = dict[str, Any]

CLAIM_TYPE: Final = "stateschema.publisher"
"""The type of events by which publishers claim a stream; they delete what nobody has."""


def to_events(
    changes: Iterable[Change[Any]],
    *,
    type: str,  # noqa: A002 - the word of the wire
    txid: str | None = None,
) -> list[ChangeEvent]:
    """Return the events that tell the changes of one epoch.

    Args:
        changes: As subscribers get them.
        type: Entity type of the rows on the wire.
        txid: What all events carry.

    Raises:
        SchemaError: A row is no object on the wire.

    >>> changes = [Change("insert", "a", {"id": "a"}, None), Change("delete", 1, {"id": 1}, None)]
    >>> for event in to_events(changes, type="note", txid="t"): print(event.to_json())
    {"type":"note","key":"a","value":{"id":"a"},"headers":{"operation":"upsert","txid":"t"}}
    {"type":"note","key":"1","headers":{"operation":"delete","txid":"t"}}
    """
    events = []
    for change in changes:
        old = None if change.old is None else wire_value(change.old)
        new = None if change.op == "delete" else wire_value(change.value)
        events.append(change_event(type, wire_key(change.key), old, new, txid=txid))
    return events


def change_event(
    type: str,  # noqa: A002 - the word of the wire
    key: str,
    old: Wire | None,
    new: Wire | None,
    *,
    txid: str | None,
) -> ChangeEvent:
    """Return the event of one row, from its wire values before and after; None is no row."""
    if new is None:
        return ChangeEvent(type=type, key=key, headers=_headers("delete", txid))
    if old is None:
        return ChangeEvent(type=type, key=key, value=new, headers=_headers("upsert", txid))
    headers = _headers("update", txid)
    return ChangeEvent(type=type, key=key, value=new, old_value=old, headers=headers)


def wire_key(key: object) -> str:
    """Return the text of a row's key.

    >>> wire_key("a"), wire_key(7), wire_key(("a", 1)), wire_key(())
    ('a', '7', '["a",1]', '[]')
    """
    value = key.value if isinstance(key, Enum) else key
    if isinstance(value, str):
        return value or '""'
    if value is None or isinstance(value, bool | tuple | list | dict):
        return to_json(value, fallback=str).decode()
    return str(value)


def wire_value(row: object) -> Wire:
    """Return the wire value of a row.

    Raises:
        SchemaError: The row is no object on the wire, or holds something that has no JSON form.
    """
    kind: Any = dict if isinstance(row, Mapping) else type(row)
    return _rows_of(kind).write(dict(row) if isinstance(row, Mapping) else row, only_set=False)


@lru_cache(maxsize=1024)
def _rows_of(kind: type[Any]) -> RowType[Any]:
    try:
        return row_type(kind)
    except SchemaError as error:
        raise SchemaError(f"row of type {kind.__name__!r} is no object on the wire") from error


def _headers(operation: str, txid: str | None) -> ChangeHeaders:
    if txid is None:
        return ChangeHeaders.model_validate({"operation": operation})
    return ChangeHeaders.model_validate({"operation": operation, "txid": txid})
