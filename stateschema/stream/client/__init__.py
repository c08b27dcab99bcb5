"""Clients of streams on a server, asynchronous and blocking, over httpx.

`StreamClient` and `BlockingStreamClient` are two ways to run the same machines: generators that
decide what to send and what the answers mean, without any I/O.
"""

from stateschema.stream.client.answers import Head
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.blocking import BlockingStreamClient
from stateschema.stream.client.blocking_producer import BlockingProducer
from stateschema.stream.client.client import StreamClient
from stateschema.stream.client.following import Live
from stateschema.stream.client.producer import Producer
from stateschema.stream.client.retry import Retry
from stateschema.stream.client.transport import Timeouts

__all__ = [
    "BlockingProducer",
    "BlockingStreamClient",
    "ClientBatch",
    "Head",
    "Live",
    "Producer",
    "Retry",
    "StreamClient",
    "Timeouts",
]
