"""Resets with an offset: where to read on, and which of them have been followed already.

Law        What is shown is the fold of the stream from the offset of its last reset that has one
Rereading  The way back leads past the reset that was followed, and maybe past older ones. Up to the end
           of the batch it was in, all of them are history. A batch that goes on behind that end is
           history too if its last reset says the same: then nothing newer says anything else.
End        Each reset that is followed lies behind the end of all that were followed before it, so
           reading ends.
"""

from stateschema.stream.offset import Offset


class Resets:
    """Remembers the last reset that was followed."""

    __slots__ = ("_offset", "_until")

    def __init__(self) -> None:
        self._offset: str | None = None
        self._until: Offset | None = None  # the end of the batch it was in

    def to_follow(self, offset: str | None, position: Offset, end: Offset) -> Offset | None:
        """Return where the last reset of a batch leads, if it has not been followed.

        Args:
            offset: What the reset says; None if there is none.
            position: Where the batch begins.
            end: Where it ends.
        """
        if offset is None:
            return None
        until = self._until or position
        is_known = end <= until or offset == self._offset
        if position < until and is_known:
            return None
        self._offset, self._until = offset, end
        return Offset(offset)
