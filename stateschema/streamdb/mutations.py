"""Optimistic mutations as events: how what a user writes gets onto the stream.

Law        The events of a transaction are one append and carry one txid; when it comes back, what was
           pending has become synced
Updates    An update replaces the row, so the event holds the synced row with the changed fields, not the
           visible one: fields that other transactions have pending are theirs to send.
"""

from typing import Any

from dataflow.collection.mutation import Mutation
from dataflow.collection.transaction import Transaction
from dataflow.values.normal import normal
from stateschema.errors import SchemaError
from stateschema.events import ChangeEvent
from stateschema.schema.entity import Entity, StateSchema, entities
from stateschema.streamdb.attach import collections_of


def events_of(
    collections: StateSchema, transaction: Transaction, *, txid: str, with_old: bool = False
) -> list[ChangeEvent]:
    """Return the events that carry out a transaction, in the order of its mutations.

    Args:
        collections: The attached schema whose collections were mutated.
        transaction: What was done to them.
        txid: What all events carry.
        with_old: Whether updates and deletes carry the row they were made for as `old_value`.

    Raises:
        SchemaError: A collection of something else was mutated, or a row does not fit its entity.
    """
    by_name = collections_of(collections)
    known = {id(by_name[name]): entity for name, entity in entities(type(collections)).items()}
    found: list[ChangeEvent] = []
    for mutation in transaction.mutations:
        entity = known.get(id(mutation.collection))
        if entity is None:
            raise SchemaError(f"{mutation.collection} is none of {type(collections).__name__}")
        found.append(_event(entity, mutation, txid, with_old=with_old))
    return found


def _event(entity: Entity[Any], mutation: Mutation, txid: str, *, with_old: bool) -> ChangeEvent:
    synced = mutation.collection.synced_row(normal(mutation.key))
    old_value = synced if with_old else None
    match mutation.op:
        case "insert":
            return entity.insert(mutation.value, txid=txid)
        case "update":
            new = mutation.value
            if synced is not None:
                new = mutation.collection.replace(synced, mutation.changes)
            return entity.update(new, old_value=old_value, txid=txid)
        case "delete":
            return entity.delete(mutation.key, old_value=old_value, txid=txid)
