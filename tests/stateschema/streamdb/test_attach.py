"""Attached schemas: collections under the names of the entities."""

from typing import Any

from stateschema.schema.entity import Entity
from stateschema.streamdb.attach import attach, collections_of
from tests.stateschema.streamdb.chat import Chat, Counter, Message, Presence


def test_every_entity_becomes_a_loading_collection_of_its_rows() -> None:
    chat = attach(Chat)
    found = {
        name: (collection.name, collection.row_type, collection.key_field, collection.status)
        for name, collection in collections_of(chat).items()
    }
    assert found == {
        "messages": ("messages", Message, "id", "loading"),
        "presence": ("presence", Presence, None, "loading"),
        "counters": ("counters", Counter, "id", "loading"),
    }
    assert chat.messages is collections_of(chat)["messages"]


def test_attached_schemas_share_nothing() -> None:
    one, two = attach(Chat), attach(Chat)
    with one.messages.sync() as write:
        write.insert(Message(id="1", text="a"))
    assert (list(one.messages), list(two.messages)) == (["1"], [])
    assert Chat.messages.type == "message"


def test_inherited_and_untyped_entities_are_attached() -> None:
    class More(Chat):
        notes = Entity(dict[str, Any], type="note", key="id")

    notes = attach(More).notes
    with notes.sync() as write:
        write.insert({"id": "n"})
    assert dict(notes) == {"n": {"id": "n"}}
    assert list(collections_of(attach(More))) == ["messages", "presence", "counters", "notes"]
