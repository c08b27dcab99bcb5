"""Offsets: opaque, ordered tokens for positions in a stream.

Two sentinels are never minted: `-1` is the start of the stream, `now` its present end. As text they
sort where they belong, before and after every minted token. Tokens are for their own stream only;
readers store them and hand them back, and do no arithmetic with them. A minted token is two numbers
of sixteen digits, the form that other implementations of the protocol write and some readers rely
on; the first, which numbers the files of a log elsewhere, is always zero: a log is in one piece here.
"""

import re
from typing import ClassVar, Self

from stateschema.errors import LocalProtocolError

_MINTED = re.compile(r"0{16}_([0-9]{16})")


class Offset(str):
    """A position in a stream, between two messages.

    >>> Offset.START < Offset.mint(0) < Offset.mint(10) < Offset.NOW
    True
    """

    __slots__ = ()

    START: ClassVar["Offset"]
    NOW: ClassVar["Offset"]

    @classmethod
    def mint(cls, position: int) -> Self:
        """Return the token of a position, a count that grows with the stream."""
        return cls(f"0000000000000000_{position:016d}")

    @staticmethod
    def position(token: str, *, tail: int) -> int:
        """Return the position that a token stands for in a stream that ends at `tail`.

        Raises:
            LocalProtocolError: The token was never minted by a stream of this kind.
        """
        if token == Offset.START:
            return 0
        if token == Offset.NOW:
            return tail
        minted = _MINTED.fullmatch(token)
        if minted is None:
            raise LocalProtocolError(f"offset {token!r} is malformed")
        return int(minted[1])


Offset.START = Offset("-1")
Offset.NOW = Offset("now")
