"""Server-sent events, as they are written (section 5.8): data events and control events.

Data       JSON streams send an array per event, text streams text, all others base64. Lines of the
           content become `data:` lines, so nothing in it can end an event or begin another one. CR,
           LF and CRLF all end a line in this format: readers get LF for each of them.
Control    After every data event: JSON with the offset to go on from, the cursor while the stream is
           open, and whether the reader has reached the end, for now or for good.
Text       An event never ends in the middle of a character: the bytes of an unfinished one wait for
           the rest. Bytes that are no UTF-8 become U+FFFD.
"""

import base64
import json
from collections.abc import Sequence
from typing import Final

from stateschema.stream.offset import Offset
from stateschema.stream.protocol.headers import media_type
from stateschema.stream.protocol.record import is_json, join

EVENT_STREAM: Final = "text/event-stream"

_MAX_CHARACTER = 4  # bytes, in UTF-8


def is_base64(content_type: str) -> bool:
    """Tell whether data events of a stream are base64: all that is neither JSON nor text."""
    return not is_json(content_type) and not media_type(content_type).startswith("text/")


def data_event(content_type: str, data: Sequence[bytes]) -> bytes:
    """Return the event that carries pieces of a stream."""
    content = join(content_type, data)
    if is_base64(content_type):
        content = base64.b64encode(content)
    else:
        content = content.decode(errors="replace").encode()
    return b"event: data\n%b\n" % _data_lines(content)


def control_event(offset: Offset, *, cursor: str, up_to_date: bool, closed: bool) -> bytes:
    """Return the event that says where its reader is now.

    >>> control_event(Offset.mint(3), cursor="7", up_to_date=True, closed=True)
    b'event: control\\ndata:{"streamNextOffset":"0000000000000000_0000000000000003","upToDate":true,"streamClosed":true}\\n\\n'
    """
    control: dict[str, str | bool] = {"streamNextOffset": offset}
    if not closed:
        control["streamCursor"] = cursor
    if up_to_date:
        control["upToDate"] = True
    if closed:
        control["streamClosed"] = True
    return b"event: control\ndata:%b\n\n" % json.dumps(control, separators=(",", ":")).encode()


def unfinished(data: bytes) -> int:
    """Return how many bytes at the end begin a character whose rest is missing.

    >>> unfinished("né".encode()), unfinished("né".encode()[:-1])
    (0, 1)
    """
    for count in range(1, min(_MAX_CHARACTER, len(data) + 1)):
        byte = data[-count]
        if byte >= 0xC0:  # the first byte of a character says how many there are
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return count if byte < 0xF5 and wanted > count else 0
        if byte < 0x80:
            return 0
    return 0


def _data_lines(content: bytes) -> bytes:
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    # Readers take one space after the colon away.
    return b"".join(b"data:%b%b\n" % (b" " if line[:1] == b" " else b"", line) for line in lines)
