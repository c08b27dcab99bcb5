"""The value of a JSON text that is still being written.

Law        `read_partial(text)` of a whole JSON text is its value; of a beginning of one, the value
           with everything open closed and what has no value yet left out
Cost       O(text): meant to be called when somebody looks, not for every chunk
Edges      open strings, numbers and literals count as far as they go (`tr` is True, `1e` is 1); a
           lone `-`, a key without a value and a dangling escape are left out; text after the value
           is ignored; null, nothing and unreadable text are all None. In broken text, what was
           read before the break counts
"""

import re
from json import JSONDecoder
from typing import Any

from stateschema.session.json_text import read_json

_BLANK = re.compile(r"[ \n\r\t]*")
_SCALAR = re.compile(r"[^,\]}]*")
_LITERALS = {"null": None, "true": True, "false": False}
_ABSENT: Any = object()
_DECODER = JSONDecoder()


def read_partial(text: str) -> Any:
    """Return the value `text` has so far, or None if it has none.

    >>> read_partial('{"name": "Ad')
    {'name': 'Ad'}
    """
    try:
        value = _Reader(text.strip()).read()
    except RecursionError:
        return None
    return None if value is _ABSENT else value


class _Reader:
    """A recursive-descent reader; once the text ends or breaks, `stopped` unwinds it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.stopped = False

    def read(self) -> Any:
        match self._peek():
            case '"':
                return self._string()
            case "{":
                return self._object()
            case "[":
                return self._array()
            case "":
                return self._stop()
            case _:
                return self._scalar()

    def _peek(self) -> str:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at : self.at + 1]

    def _stop(self) -> Any:
        self.stopped = True
        return _ABSENT

    def _object(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self.at += 1
        while not self.stopped and self._peek() != "}":
            if self._peek() != '"':
                self._stop()
                break
            key = self._string()
            if self._peek() != ":":
                self._stop()
                break
            self.at += 1
            value = self.read()
            if value is not _ABSENT:
                members[key] = value
            self._skip_comma()
        self.at += 1
        return members

    def _array(self) -> list[Any]:
        elements: list[Any] = []
        self.at += 1
        while not self.stopped and self._peek() != "]":
            value = self.read()
            if value is not _ABSENT:
                elements.append(value)
            self._skip_comma()
        self.at += 1
        return elements

    def _skip_comma(self) -> None:
        if not self.stopped and self._peek() == ",":
            self.at += 1

    def _string(self) -> Any:
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except ValueError:
            return self._open_string()
        return value

    def _open_string(self) -> Any:
        """Close a string the text ends in, without an escape that is cut off."""
        rest = self.text[self.at :]
        self.stopped = True
        cuts = [len(rest), *(i for i in (len(rest) - 1, rest.rfind("\\")) if i > 0)]
        for cut in cuts:
            try:
                return read_json(rest[:cut] + '"')
            except ValueError:
                continue
        return _ABSENT

    def _scalar(self) -> Any:
        found = _SCALAR.match(self.text, self.at)
        token = found.group().strip() if found else ""
        self.at += len(found.group()) if found else 0
        at_end = self.at >= len(self.text)
        for literal, value in _LITERALS.items():
            if token == literal or (at_end and token and literal.startswith(token)):
                return value
        for candidate in (token, token.rpartition("e")[0]):
            try:
                return read_json(candidate)
            except ValueError:
                continue
        return self._stop()
