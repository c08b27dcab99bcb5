"""TypeScript types of a state schema, for clients in the browser.

```python
Path("chat.ts").write_text(typescript(Chat))
```

Written from the JSON Schema of the schema, so the two say the same. An interface per row type, the
rows by collection, the wire types by collection, and the union of all events:

    export interface Message { id: string; replyTo?: string | null; }
    export type ChatEvent = Change<"message", Message> | Control;

Names      A TypeScript StreamDB has methods where ours has none, so five names that are fine here
           are refused: collections, preload, close, utils, actions. A row type that is named as
           something of the language, or of this module, gets an underscore: `Record_`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from stateschema.errors import SchemaError
from stateschema.schema.declaring import check_schema
from stateschema.schema.entity import StateSchema, entities, version_of
from stateschema.schema.json_schema import json_schema

RESERVED = frozenset({"collections", "preload", "close", "utils", "actions"})

_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "array": "unknown[]",
    "object": "Record<string, unknown>",
}
_KEYWORDS = """
any as async await bigint boolean break case catch class const continue debugger declare default
delete do else enum export extends false finally for function if implements import in instanceof
interface let never new null number object package private protected public return static string
super switch symbol this throw true try type typeof undefined unknown var void while with yield
"""
_TAKEN = frozenset((*_KEYWORDS.split(), "Array", "Change", "Control", "Partial", "Record"))
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_EVENTS = """\
export interface Change<Type extends string, Row, Stored = Row> {
  type: Type;
  key: string;
  value?: Stored | null;
  old_value?: Row | null;
  headers: {
    operation: "insert" | "update" | "upsert" | "delete";
    txid?: string;
    timestamp?: string;
    [header: string]: unknown;
  };
}

export interface Control {
  headers: { control: "snapshot-start" | "snapshot-end" | "reset"; offset?: string };
}
"""


def typescript(schema: type[StateSchema]) -> str:
    """Return a TypeScript module with the types of a state schema.

    Raises:
        SchemaError: A row type has no JSON Schema, or an entity has a name that clients reserve.
        TypeError: It is no subclass of `StateSchema`.
    """
    check_schema(schema, "typescript")
    for name in entities(schema):
        if name in RESERVED:
            raise SchemaError(f"entity name {name!r} is reserved by TypeScript clients")
    described = json_schema(schema)
    title = schema.__name__
    named = [
        name for name in described["$defs"] if name != "control" and not name.startswith("event.")
    ]
    names = _identifiers(named, {*_TAKEN, f"{title}Rows", f"{title}Event"})
    kinds: dict[str, Any] = _renamed(described["x-entities"], names)
    rows = {names[name]: _renamed(described["$defs"][name], names) for name in named}
    parts = [
        f"// Types of the state schema {title}, version {version_of(schema)}. Generated: change the schema instead.\n",
        *(_declaration(name, found) for name, found in rows.items()),
        _EVENTS,
        _by_collection(title, kinds),
        _union(title, schema, kinds),
    ]
    return "\n".join(parts)


def _by_collection(title: str, kinds: dict[str, Any]) -> str:
    rows = "".join(f"  {name}: {_type(kind['row'])};\n" for name, kind in kinds.items())
    types = "".join(f"  {name}: {json.dumps(kind['type'])},\n" for name, kind in kinds.items())
    first = title[:1].lower() + title[1:]
    return (
        f"export interface {title}Rows {{\n{rows}}}\n\n"
        f"export const {first}Types = {{\n{types}}} as const;\n"
    )


def _union(title: str, schema: type[StateSchema], kinds: dict[str, Any]) -> str:
    lines = []
    for name, entity in entities(schema).items():
        row = _type(kinds[name]["row"])
        stored = f", Partial<{row}>" if entity.merge else ""
        lines.append(f"  | Change<{json.dumps(entity.type)}, {row}{stored}>\n")
    return f"export type {title}Event =\n{''.join(lines)}  | Control;\n"


def _declaration(name: str, described: dict[str, Any]) -> str:
    if described.get("type") == "object" and "properties" in described:
        return f"export interface {name} {_fields(described, '')}\n"
    return f"export type {name} = {_type(described)};\n"


def _fields(described: dict[str, Any], indent: str) -> str:
    required = described.get("required", ())
    lines = []
    for name, found in described["properties"].items():
        key = name if _NAME.fullmatch(name) else json.dumps(name)
        mark = "" if name in required else "?"
        lines.append(f"{indent}  {key}{mark}: {_type(found, indent + '  ')};\n")
    if described.get("additionalProperties") is True:
        lines.append(f"{indent}  [field: string]: unknown;\n")
    return f"{{\n{''.join(lines)}{indent}}}"


def _type(described: dict[str, Any], indent: str = "") -> str:
    """Return the type of a JSON Schema; what has no counterpart is `unknown`."""
    if "$ref" in described:
        return str(described["$ref"])
    if "const" in described:
        return json.dumps(described["const"])
    if "enum" in described:
        return " | ".join(map(json.dumps, described["enum"]))
    for word, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if word in described:
            parts = dict.fromkeys(_type(each, indent) for each in described[word])
            return sign.join(
                f"({part})" if word == "allOf" and " | " in part else part for part in parts
            )
    found = described.get("type")
    if isinstance(found, list):
        return " | ".join(_PLAIN[each] for each in found)
    if found == "array":
        return _array(described, indent)
    if found == "object":
        return _object(described, indent)
    return _PLAIN.get(found or "", "unknown")


def _array(described: dict[str, Any], indent: str) -> str:
    if "prefixItems" in described:
        return f"[{', '.join(_type(each, indent) for each in described['prefixItems'])}]"
    items = described.get("items")
    if not isinstance(items, dict):
        return "unknown[]"
    of = _type(items, indent)
    return f"({of})[]" if " " in of else f"{of}[]"


def _object(described: dict[str, Any], indent: str) -> str:
    if "properties" in described:
        return _fields(described, indent)
    values = described.get("additionalProperties")
    return f"Record<string, {_type(values, indent) if isinstance(values, dict) else 'unknown'}>"


def _identifiers(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return a name that TypeScript takes for each name of a definition, all of them different."""
    found: dict[str, str] = {}
    for name in names:
        text = re.sub(r"^(?=\d)|[^\w$]", "_", name, flags=re.ASCII)
        while text in taken:
            text += "_"
        taken.add(text)
        found[name] = text
    return found


def _renamed(described: Any, names: Mapping[str, str]) -> Any:
    """Return a JSON Schema that refers to definitions by their names in TypeScript."""
    if isinstance(described, list):
        return [_renamed(each, names) for each in described]
    if not isinstance(described, dict):
        return described
    target = described.get("$ref")
    if isinstance(target, str):
        return {**described, "$ref": names[target.rpartition("/")[2]]}
    return {word: _renamed(each, names) for word, each in described.items()}
