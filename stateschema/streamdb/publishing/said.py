"""What a stream says already about published collections: where publishing goes on after a restart."""

from collections.abc import Collection
from contextlib import aclosing
from typing import Any

from stateschema.errors import EventError
from stateschema.events import ChangeEvent, parse_event
from stateschema.state import MaterializedState
from stateschema.stream.interface import Stream
from stateschema.streamdb.publishing.events import CLAIM_TYPE
from stateschema.streamdb.txids import RecentTxids


class Said:
    """The fold of a stream, for some entity types.

    Attributes:
        txids: The latest transaction ids.
        is_empty: Whether the stream holds nothing at all, but for claims.
    """

    def __init__(self, types: Collection[str]) -> None:
        self.txids = RecentTxids()
        self.is_empty = True
        self._types = types
        self._state = MaterializedState()

    def read(self, message: object) -> None:
        """Take in a message; one that is no event says nothing."""
        try:
            event = parse_event(message)  # type: ignore[arg-type] # whatever it is
        except EventError:
            self.is_empty = False
            return
        if isinstance(event, ChangeEvent) and event.type == CLAIM_TYPE:
            return
        self.is_empty = False
        if not isinstance(event, ChangeEvent):
            self._state.apply(event)
            return
        if event.type in self._types:
            self._state.apply(event)
        if event.headers.txid is not None:
            self.txids.add([event.headers.txid])

    def rows(self, row_type: str) -> dict[str, dict[str, Any]]:
        """Return the rows of a type, as a new dict: wire key -> wire value."""
        return dict(self._state.get_type(row_type))


async def read_said(stream: Stream, types: Collection[str]) -> Said:
    """Read a stream from its start to its present end.

    Raises:
        StreamError: The stream cannot be read.
    """
    said = Said(types)
    async with aclosing(stream.follow()) as batches:
        async for batch in batches:
            for message in batch.messages:
                said.read(message)
            if batch.up_to_date:
                break
    return said
