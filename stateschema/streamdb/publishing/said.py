"""What a stream says already about a published collection: where publishing goes on after a restart."""

from contextlib import aclosing
from typing import Any

from stateschema.errors import EventError
from stateschema.events import ChangeEvent, parse_event
from stateschema.state import MaterializedState
from stateschema.stream.interface import Stream
from stateschema.streamdb.txids import RecentTxids


class Said:
    """The fold of a stream, for one entity type.

    Attributes:
        rows: Wire key -> wire value.
        txids: The latest transaction ids.
        is_empty: Whether the stream holds no event at all.
    """

    def __init__(self, row_type: str) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.txids = RecentTxids()
        self.is_empty = True
        self._type = row_type
        self._state = MaterializedState()

    def read(self, message: object) -> None:
        """Take in a message; one that is no event says nothing."""
        self.is_empty = False
        try:
            event = parse_event(message)  # type: ignore[arg-type] # whatever it is
        except EventError:
            return
        if not isinstance(event, ChangeEvent):
            self._state.apply(event)
            return
        if event.type == self._type:
            self._state.apply(event)
        if event.headers.txid is not None:
            self.txids.add([event.headers.txid])

    def finish(self) -> None:
        """Take over the rows, once everything has been read."""
        self.rows = dict(self._state.get_type(self._type))


async def read_said(stream: Stream, row_type: str) -> Said:
    """Read a stream from its start to its present end.

    Raises:
        StreamError: The stream cannot be read.
    """
    said = Said(row_type)
    async with aclosing(stream.follow()) as batches:
        async for batch in batches:
            for message in batch.messages:
                said.read(message)
            if batch.up_to_date:
                break
    said.finish()
    return said
