"""Names that a collection or a live result does not have, and what whoever typed them may have meant.

Mostly it is a field of the rows, asked of the collection instead of an alias; or what the same thing is called elsewhere; or a
write to a live result; or a slip of the finger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dataflow.errors import near

if TYPE_CHECKING:
    from collections.abc import Mapping

_READING: Final[Mapping[str, str]] = {
    "subscribeChanges subscribe_changes on observe watch": "subscribe(function)",
    "toArray to_list to_dicts all fetchall": "rows()",
    "where filter select map join order_by orderBy group_by groupBy": "query(alias), and clauses on that",
    "count size length": "len(collection), or count() in a query",
    "toArrayWhenReady stateWhenReady": "await collection.wait_ready()",
}
_WRITING: Final[Mapping[str, str]] = {
    "add append create": "insert(row)",
    "remove discard": "delete(key)",
    "set patch modify": "update(key, field=value)",
    "upsert writeInsert writeUpdate writeUpsert writeDelete begin": (
        "write.upsert(row), inside `with collection.sync() as write:`"
    ),
    "clear truncate": "write.truncate(), inside `with collection.sync() as write:`",
}
_INSTEAD: Final = {
    name: text
    for table in (_READING, _WRITING)
    for names, text in table.items()
    for name in names.split()
}
_ALIAS: Final = "a field of its rows is named through an alias: x = source.alias('x'); x.field"
_WRITES: Final = frozenset({"insert", "update", "delete", "draft", "sync"}).union(
    *(names.split() for names in _WRITING)
)


def unknown_name(readable: object, name: str, fields: tuple[str, ...]) -> AttributeError:
    """Return the error about a name that a collection or live result does not have.

    Args:
        readable: what was asked.
        name: for what; no underscore in front.
        fields: the declared fields of its rows, none if any may be there.
    """
    known = [each for each in dir(readable) if not each.startswith("_")]
    similar = "" if name in fields else near(name, dict.fromkeys((*known, *fields)))
    is_read_only = "insert" not in known
    error = AttributeError(f"{readable} has no attribute {name!r}{similar}")
    if name in fields:
        error.add_note(_ALIAS)
    elif name in _WRITES and is_read_only:
        error.add_note("it is read-only: write to the collections that its query reads")
    elif name in _INSTEAD:
        error.add_note(f"here that is {_INSTEAD[name]}")
    elif near(name, fields) or not (fields or similar):
        error.add_note(_ALIAS)
    return error
