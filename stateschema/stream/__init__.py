"""Streams: append-only logs of events that are read, resumed and followed by offset.

`Stream` is the interface, `MemoryStream` the embedded default, `LogFile` a file with one event per
line, and `read_log` iterates over such a file or over standard input. Nothing here imports the
query engine.
"""

from stateschema.stream.batch import Batch
from stateschema.stream.interface import Stream
from stateschema.stream.logfile import LogFile
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.stream.replay import read_log

__all__ = ["Batch", "LogFile", "MemoryStream", "Offset", "Stream", "read_log"]
