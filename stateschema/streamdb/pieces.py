"""Pieces: many plain change events read at once.

A batch is read piece by piece. A piece in which every message is a change event, as most are made, is
looked over in one loop, and the values of each entity are validated by one call. Any other piece is left
to whoever reads event by event, and knows what to say of it.

Law        What a piece stages is what its events stage one by one; one that cannot be read as a whole
           stages nothing
Plain      JSON objects with the fields that change events have to have, all well formed; no control
           event. Where rows are merged or `old_value` matters, the row that is there does: such events
           are not plain either
Edges      Validators of rows run again for the events of a piece that was left to be read one by one
Cost       One loop over the messages and one validator call per entity; a piece that is not plain costs
           up to twice as much as event by event
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from stateschema.errors import EventError
from stateschema.streamdb.staging import Staging

PIECE = 150  # messages: so many are read event by event because of one
# The garbage collector starts after 700 new objects, and reading makes three or four per message. Half of
# them are gone when a piece has been read: pieces of 500 cost a preload twice the collections.

_STORING = frozenset({"insert", "update", "upsert"})
_INSERTING = frozenset({"insert"})


class Piece(NamedTuple):
    """What was read of a piece beside its rows."""

    ignored: int
    txids: dict[str, None]


class _Said:
    """What a piece says about one entity type, event by event."""

    __slots__ = ("deleted", "keys", "staged", "storing", "values")

    def __init__(self, staged: Staging | None) -> None:
        self.staged = staged
        self.storing = _INSERTING if staged is not None and staged.merges else _STORING
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.deleted: list[int] = []


class PieceReader:
    """Stages the events of pieces.

    Args:
        staged: Where the rows of each entity type go.
        looks_back: Whether `old_value` matters.
    """

    __slots__ = ("_looks_back", "_staged")

    def __init__(self, staged: Mapping[str, Staging], *, looks_back: bool) -> None:
        self._staged = staged
        self._looks_back = looks_back

    def read(self, messages: list[Any]) -> Piece | None:
        """Stage the events of a piece; None if it has to be read event by event, nothing being staged."""
        found: dict[Any, _Said] = {}
        texts: list[Any] = []
        txids: dict[str, None] = {}
        try:
            if not (
                {*map(type, messages)} <= {dict}
                and self._look_over(messages, found, texts, txids)
                and _are_texts(texts, found)
            ):
                return None
            decoded = [
                (said.staged, said.staged.decode_all(said.keys, said.values, said.deleted))
                for said in found.values()
                if said.staged is not None
            ]
        except (EventError, LookupError, TypeError, AttributeError):
            return None
        for staged, (keys, rows) in decoded:
            staged.stage(keys, rows)
        ignored = sum(len(said.keys) for said in found.values() if said.staged is None)
        return Piece(ignored, txids)

    def _look_over(
        self,
        messages: list[Any],
        found: dict[Any, _Said],
        texts: list[Any],
        txids: dict[Any, None],
    ) -> bool:
        """Sort the events by entity type, and gather the texts in headers; tell whether all are plain."""
        for message in messages:
            headers = message["headers"]
            row_type = message["type"]
            operation = headers["operation"]
            said = found.get(row_type)
            if said is None:
                said = found[row_type] = _Said(self._staged.get(row_type))
            if operation in said.storing:
                said.values.append(message["value"])
            elif operation == "delete":
                said.deleted.append(len(said.keys))
            else:
                return False
            said.keys.append(message["key"])
            if len(headers) > 1:
                _look_at(headers, texts, txids)
            if self._looks_back and operation != "insert" and message.get("old_value") is not None:
                return False
        return True


def _look_at(headers: dict[str, Any], texts: list[Any], txids: dict[Any, None]) -> None:
    """Gather the txid and the texts of headers; raises LookupError if they are not those of a change."""
    if "control" in headers:
        raise LookupError("control")
    txid, timestamp = headers.get("txid"), headers.get("timestamp")
    if txid is not None:
        texts.append(txid)
        txids[txid] = None
    if timestamp is not None:
        texts.append(timestamp)


def _are_texts(texts: list[Any], found: Mapping[Any, _Said]) -> bool:
    """Tell whether keys, unknown types and the given texts are what they have to be: text, and not empty."""
    for row_type, said in found.items():
        texts += said.keys
        if said.staged is None:
            texts.append(row_type)
    try:
        "".join(texts).encode()  # lone surrogates are no text
    except UnicodeEncodeError:
        return False
    return "" not in texts
