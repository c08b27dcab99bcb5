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
    collections: StateSchema, transaction: Transaction, *, txid: str
) -> list[ChangeEvent]:
    """Return the events that carry out a transaction, in the order of its mutations.

    Args:
        collections: The attached schema whose collections were mutated.
        transaction: What was done to them.
        txid: What all events carry.

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
        found.append(_event(entity, mutation, txid))
    return found


def _event(entity: Entity[Any], mutation: Mutation, txid: str) -> ChangeEvent:
    match mutation.op:
        case "insert":
            return entity.insert(mutation.value, txid=txid)
        case "update":
            return entity.update(_updated(mutation), txid=txid)
        case "delete":
            return entity.delete(mutation.key, txid=txid)


def _updated(mutation: Mutation) -> Any:
    collection = mutation.collection
    synced = collection.synced_row(normal(mutation.key))
    return mutation.value if synced is None else collection.replace(synced, mutation.changes)
