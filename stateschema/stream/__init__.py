"""Streams: append-only logs of events that are read, resumed and followed by offset.

`Stream` is the interface, `MemoryStream` the embedded default, `LogFile` a file with one event per
line, and `read_log` iterates over such a file or over standard input. `StreamClient` and
`BlockingStreamClient` are streams on a server. Nothing here imports the query engine.
"""

from stateschema.stream.batch import Batch
from stateschema.stream.client.blocking import BlockingStreamClient
from stateschema.stream.client.client import StreamClient
from stateschema.stream.interface import Stream
from stateschema.stream.logfile import LogFile
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.stream.replay import read_log

__all__ = [
    "Batch",
    "BlockingStreamClient",
    "LogFile",
    "MemoryStream",
    "Offset",
    "Stream",
    "StreamClient",
    "read_log",
]
