"""Collections of a schema: one live collection per entity, under the name of the entity.

The result is an instance of the schema. Its own dict holds the collections, which hides the
entities of the class: `attached.messages` is a `Collection[Message]`, to type checkers as well.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from dataflow.collection.collection import Collection
from dataflow.collection.transaction import MutationFn
from stateschema.schema.entity import StateSchema, entities

SchemaT = TypeVar("SchemaT", bound=StateSchema)


def attach(schema: type[SchemaT], *, handler: MutationFn | None = None) -> SchemaT:
    """Return an instance of a schema whose entities are empty collections that wait for rows.

    Args:
        schema: What to make collections for.
        handler: Persists what users write into them; without it they confirm that themselves.

    >>> from stateschema.schema.entity import Entity
    >>> class Notes(StateSchema):
    ...     notes = Entity(dict, type="note", key="id")
    >>> attach(Notes).notes
    <Collection 'notes' loading>
    """
    attached = schema()
    for name, entity in entities(schema).items():
        collection = Collection(
            name,
            key=entity.key,
            row=entity.row,
            ready=False,
            on_insert=handler,
            on_update=handler,
            on_delete=handler,
        )
        attached.__dict__[name] = collection
    return attached


def collections_of(attached: StateSchema) -> Mapping[str, Collection[Any]]:
    """Return the collections of an attached schema by entity name."""
    return {
        name: cast("Collection[Any]", vars(attached)[name]) for name in entities(type(attached))
    }
