"""The names under which row types take fields from a mapping, to find misspelt ones before they are dropped.

A name is that of a field, or an alias of it. A type takes any name if it says what happens to undeclared ones, or if functions of
the user see the mapping before its fields are read: nobody knows what those look for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WRAPPING = frozenset(("nullable", "function-after", "definitions", "model", "dataclass"))
_FIELDS = frozenset(("model-fields", "dataclass-args", "typed-dict"))


def pydantic_names(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the names that a pydantic core schema of a row type takes; None if any."""
    definitions: dict[str, Mapping[str, Any]] = {}
    while schema["type"] in _WRAPPING or schema["type"] == "definition-ref":
        if _decides_itself(schema):
            return None
        if schema["type"] == "definition-ref":
            schema = definitions[schema["schema_ref"]]
            continue
        definitions.update({each["ref"]: each for each in schema.get("definitions", ())})
        schema = schema["schema"]
    if schema["type"] not in _FIELDS or _decides_itself(schema):
        return None
    fields = schema["fields"]
    pairs = (
        fields.items() if isinstance(fields, dict) else [(each["name"], each) for each in fields]
    )
    return frozenset(name for field, each in pairs for name in (field, *_aliases(each)))


def msgspec_names(row_type: Any) -> frozenset[str]:
    """Return the names that a msgspec struct takes."""
    tag = row_type.__struct_config__.tag_field
    names = (*row_type.__struct_fields__, *row_type.__struct_encode_fields__)
    return frozenset(names if tag is None else (*names, tag))


def _decides_itself(schema: Mapping[str, Any]) -> bool:
    return "extra_fields_behavior" in schema.get("config", ()) or bool(schema.get("custom_init"))


def _aliases(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield the aliases of a field: of a path into the mapping, where it begins."""
    alias = field.get("validation_alias", ())
    if isinstance(alias, str):
        yield alias
        return
    paths = alias if all(isinstance(each, list) for each in alias) else [alias]
    yield from (str(path[0]) for path in paths)
