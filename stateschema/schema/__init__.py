"""Schemas: which entities a stream carries, and how their rows look in Python and on the wire."""

from stateschema.schema.entity import Entity, StateSchema, entities, entities_by_type
from stateschema.schema.json_schema import json_schema
from stateschema.schema.typescript import typescript

__all__ = [
    "Entity",
    "StateSchema",
    "entities",
    "entities_by_type",
    "json_schema",
    "typescript",
]
