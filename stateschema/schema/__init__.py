"""Schemas: which entities a stream carries, and how their rows look in Python and on the wire."""

from stateschema.schema.entity import Entity, StateSchema, entities, entities_by_type

__all__ = ["Entity", "StateSchema", "entities", "entities_by_type"]
