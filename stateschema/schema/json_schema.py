"""JSON Schema of a state schema: what its events look like, for readers and writers in any language.

```python
Path("chat.schema.json").write_text(json.dumps(json_schema(Chat)))
```

The document describes one message of the stream: a change event of one of the entities, or a control
event. A stream may carry types that the schema does not name; whoever checks leaves those alone.

Names      Those of the wire, for values and keys alike
Optional   What may be missing in a value that is read is not required: a field with a default is
           optional, also where this library always writes it
Entities   `x-entities` maps the name of each collection to its type, its key field and its row
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from stateschema.schema.declaring import check_schema
from stateschema.schema.entity import Entity, StateSchema, entities, version_of

if TYPE_CHECKING:
    from stateschema.schema.rows import Definitions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string", "minLength": 1}
_HEADERS = {"txid": _TEXT, "timestamp": _TEXT}


def json_schema(schema: type[StateSchema]) -> dict[str, Any]:
    """Return the JSON Schema of the events of a state schema, as a JSON object.

    Raises:
        SchemaError: A row type has no JSON Schema.
        TypeError: It is no subclass of `StateSchema`.
    """
    check_schema(schema, "json_schema")
    definitions: Definitions = {}
    events: dict[str, Any] = {}
    named: dict[str, Any] = {}
    for name, entity in entities(schema).items():
        row = entity.row_schema(definitions)
        events[f"event.{name}"] = _change_event(entity, row)
        key = {} if entity.key_name is None else {"key": entity.key_name}
        named[name] = {"type": entity.type, **key, "row": row}
    return {
        "$schema": DIALECT,
        "title": schema.__name__,
        "anyOf": [
            *({"$ref": f"#/$defs/{name}"} for name in events),
            {"$ref": "#/$defs/control"},
        ],
        "x-version": version_of(schema),
        "x-entities": named,
        "$defs": {**definitions, **events, "control": _CONTROL_EVENT},
    }


def fingerprint(schema: type[StateSchema]) -> str:
    """Return a text that changes with the version of a schema, and with what its rows may be.

    Functions cannot be looked into: when a computed key or a validator changes, count up the version.
    """
    shapes = {
        name: (entity.row.__qualname__, entity.merge, callable(entity.key))
        for name, entity in entities(schema).items()
    }
    text = json.dumps([json_schema(schema), shapes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _change_event(entity: Entity[Any], row: dict[str, Any]) -> dict[str, Any]:
    operations = ["insert", "update", "upsert"]
    stored = row
    if entity.merge:
        stored = {"type": "object", "description": f"fields of {entity.row.__name__}"}
    return {
        "type": "object",
        "required": ["type", "key", "headers"],
        "properties": {
            "type": {"const": entity.type},
            "key": _TEXT,
            "headers": {
                "type": "object",
                "required": ["operation"],
                "properties": {"operation": {"enum": [*operations, "delete"]}, **_HEADERS},
            },
        },
        "if": {
            "properties": {"headers": {"properties": {"operation": {"const": "delete"}}}},
        },
        "else": {"required": ["value"], "properties": {"value": stored}},
    }


_CONTROL_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["headers"],
    "properties": {
        "headers": {
            "type": "object",
            "required": ["control"],
            "properties": {
                "control": {"enum": ["snapshot-start", "snapshot-end", "reset"]},
                "offset": _TEXT,
            },
        }
    },
}
