"""Text that grows at its end without copying what it already holds.

Law        str(text.append(piece)) == str(text) + piece, split surrogate pairs joined; every older
           version keeps its value for ever
State      one append-only history of pieces, shared by all versions of a text; a version is the
           number of pieces it sees
Cost       append, len, ==, appended_since between versions of one history: O(piece), O(1), O(1),
           O(suffix). str() joins once per version and builds on the newest text joined before.
           Appending to a version that is not the newest forks: it copies the list of pieces, not
           their characters, and counts them in `copied_pieces`
Edges      JSON chunks may cut a character in half: a piece may end in a high surrogate and the
           next begin with the low one. The value of a version that ends in such a half shows the
           lone surrogate; the next version shows the whole character. `appended_since` holds a
           trailing half back, so what it hands out can always be encoded
"""
# ruff: noqa: SLF001 (a version is built by the version before it)

from __future__ import annotations

# What JavaScript's trim() removes: the dialects define blank text by it. It differs from
# str.isspace in U+0085 and U+001C-1F (not blank) and U+FEFF (blank).
_BLANK = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


class _History:
    """The pieces all versions of one text share; only ever appended to."""

    __slots__ = ("copied", "joined", "pieces")

    def __init__(self, pieces: list[str], copied: int) -> None:
        self.pieces = pieces
        self.copied = copied
        self.joined = (0, "")  # (number of pieces, their value): the newest value asked for


class Text:
    """An immutable text; `append` returns a new version that shares its history.

    Equal to, and hashed like, the `str` of the same characters.

    >>> hello = Text("hel").append("lo")
    >>> hello == "hello", len(hello), hello.append(" you").appended_since(hello)
    (True, 5, ' you')
    """

    __slots__ = ("_blank", "_count", "_history", "_length", "_split", "_value")

    def __init__(self, value: str = "") -> None:
        self._history = _History([value] if value else [], 0)
        self._count = len(self._history.pieces)
        self._length = len(value)
        self._blank = not value.strip(_BLANK)
        self._split = False
        self._value: str | None = value

    def append(self, piece: str) -> Text:
        """Return the text with `piece` at its end; the text itself if `piece` is empty.

        Complexity: O(piece); O(pieces) once when this is not the newest version of its history.
        """
        if not piece:
            return self
        history = self._history
        if not self._count or len(history.pieces) != self._count:  # empty texts share nothing
            history = _History(history.pieces[: self._count], history.copied + self._count)
        joint = self._open_half() is not None and _is_low(piece[0])
        history.pieces.append(piece)
        new = Text.__new__(Text)
        new._history = history
        new._count = self._count + 1
        new._length = self._length + len(piece) - joint
        new._blank = self._blank and not piece.strip(_BLANK)
        new._split = self._split or joint
        new._value = None
        return new

    @property
    def value(self) -> str:
        """The text as a `str`. Complexity: O(len) at the first call, then O(1)."""
        if self._value is None:
            history = self._history
            count, value = history.joined
            if count > self._count:
                count, value = 0, ""
            value = _whole(value + "".join(history.pieces[count : self._count]), self._split)
            if self._count > history.joined[0]:
                history.joined = (self._count, value)
            self._value = value
        return self._value

    @property
    def is_blank(self) -> bool:
        """Whether the text is empty or white space only. Complexity: O(1)."""
        return self._blank

    @property
    def pieces(self) -> tuple[str, ...]:
        """The non-empty pieces the text was made of, oldest first. Complexity: O(pieces)."""
        return tuple(self._history.pieces[: self._count])

    @property
    def copied_pieces(self) -> int:
        """How many pieces forks copied on the way to this version."""
        return self._history.copied

    def appended_since(self, older: Text) -> str | None:
        """Return what follows `older` in this text, or None if `older` is not its beginning.

        Half a character at either end is held back until its other half is there, so the results
        of successive versions concatenate to the text and can be printed one by one.

        Complexity: O(suffix) when this text continues the history of `older`, else O(len).
        """
        if self._history is not older._history or older._count > self._count:
            ours, theirs = _without_half(self.value), _without_half(older.value)
            return ours[len(theirs) :] if ours.startswith(theirs) else None
        suffix = "".join(self._history.pieces[older._count : self._count])
        return _without_half(_whole((older._open_half() or "") + suffix, self._split))

    def _open_half(self) -> str | None:
        if not self._count:
            return None
        last = self._history.pieces[self._count - 1][-1]
        return last if _is_high(last) else None

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return f"Text({self.value!r})"

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Text):
            if self._history is other._history:
                return self._count == other._count
            return self._length == other._length and self.value == other.value
        if isinstance(other, str):
            return self._length == len(other) and self.value == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.value)

    def _check(self) -> None:
        assert self._count <= len(self._history.pieces)
        assert all(self.pieces)
        assert self._value is None or self._value == _whole("".join(self.pieces), self._split)
        assert self._length == len(self.value)
        assert self._blank == (not self.value.strip(_BLANK))


def _is_high(character: str) -> bool:
    return "\ud800" <= character <= "\udbff"


def _is_low(character: str) -> bool:
    return "\udc00" <= character <= "\udfff"


def _without_half(text: str) -> str:
    return text[:-1] if text and _is_high(text[-1]) else text


def _whole(text: str, split: bool) -> str:  # noqa: FBT001 (a flag of the text, private)
    """Join surrogate pairs that came in two pieces; lone surrogates stay."""
    if not split:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
