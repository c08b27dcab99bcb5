"""A stream that notes where its readers begin, and what they are given."""

from collections.abc import AsyncGenerator
from typing import Any

from typing_extensions import override

from stateschema.stream.batch import Batch
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from tests.stateschema.streamdb.chat import events


class Recording(MemoryStream):
    """Notes the offsets of `follow`, and the messages that were handed out.

    Args:
        batches: What is in it.
        page: Messages of a batch at most, while there is more to read.
    """

    def __init__(self, *batches: list[dict[str, Any]], page: int | None = None) -> None:
        super().__init__("chat")
        self.starts: list[str] = []
        self.given: list[Any] = []
        self.page = page
        self.put(*batches)

    def put(self, *batches: list[dict[str, Any]]) -> None:
        for batch in batches:
            if batch:
                self.append_now(events(batch))

    @override
    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        self.starts.append(offset)
        self._position(offset)  # a position that is gone is refused at once
        return self._recorded(offset)

    async def _recorded(self, offset: str) -> AsyncGenerator[Batch, None]:
        while self.page is not None:
            batch = self.read_now(offset, limit=self.page)
            if batch.up_to_date:
                break
            offset = batch.next_offset
            self.given += batch.messages
            yield batch
        async for batch in super().follow(offset):
            self.given += batch.messages
            yield batch
