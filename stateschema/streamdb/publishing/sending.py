"""Sending: how the events of an epoch get into a stream, as one append and exactly once.

Over HTTP an append without an answer may or may not be in the stream. There an idempotent producer
sends, which may repeat it without harm; its id is made of the types that are published, its epoch of the
time. Whoever begins to publish first claims the stream, by an event that says nothing to readers: from then
on the one before is refused. What the stream says is read after that, so that nobody can add to it unseen.
"""

from collections.abc import Iterable, Sequence
from time import time_ns
from typing import Final, Protocol

from stateschema.errors import RefusedError
from stateschema.events import ChangeEvent
from stateschema.stream.client.client import StreamClient
from stateschema.stream.client.producer import Producer
from stateschema.stream.interface import Stream
from stateschema.streamdb.publishing.events import CLAIM_TYPE, change_event

_NO_LIMIT: Final = 2**40  # bytes: an epoch is not cut
_PATIENCE: Final = 3600.0  # seconds: it goes out when it is whole, not before


class Sender(Protocol):
    """Appends epochs, one at a time."""

    async def claim(self) -> None:
        """Take over from whoever published before; called before anything is read or sent."""
        ...

    async def send(self, events: Sequence[ChangeEvent]) -> None:
        """Append the events as one batch, and wait until they are in the stream."""
        ...

    async def close(self) -> None:
        """End; the stream stays open."""
        ...


class PlainSender:
    """Appends to a stream that answers for each append."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def claim(self) -> None:
        """Do nothing: such a stream does not tell its writers apart."""

    async def send(self, events: Sequence[ChangeEvent]) -> None:
        """Append the events as one batch."""
        await self._stream.append(events)

    async def close(self) -> None:
        """Do nothing: the stream is not ours."""


class ProducerSender:
    """Appends to a stream on a server, as its only publisher of some types."""

    def __init__(self, client: StreamClient, types: Iterable[str]) -> None:
        self._client = client
        self._id = f"publish:{' '.join(sorted(types))}"
        self._producer = self._new(time_ns() // 1000)

    async def claim(self) -> None:
        """Take over; whoever published before is refused from now on."""
        event = change_event(CLAIM_TYPE, self._id, None, None, txid=None)
        try:
            await self.send([event])
        except RefusedError as error:
            if error.epoch is None:
                raise  # else the clock was ahead when the one before began
            await self._producer.abort()
            self._producer = self._new(error.epoch + 1)
            await self.send([event])

    async def send(self, events: Sequence[ChangeEvent]) -> None:
        """Append the events as one batch.

        Raises:
            RefusedError: Another one publishes these types by now.
        """
        for event in events:
            await self._producer.append(event)
        await self._producer.flush()

    async def close(self) -> None:
        """End the producer."""
        await self._producer.abort()

    def _new(self, epoch: int) -> Producer:
        return self._client.producer(
            self._id, epoch=epoch, max_batch_bytes=_NO_LIMIT, linger=_PATIENCE
        )


def sender_for(stream: Stream, types: Iterable[str]) -> Sender:
    """Return the sender that suits a stream."""
    if isinstance(stream, StreamClient):
        return ProducerSender(stream, types)
    return PlainSender(stream)
