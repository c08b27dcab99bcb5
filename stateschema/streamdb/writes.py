"""Writes on their way: from a transaction to events in the stream, and back.

    pending → acknowledged → observed → settled

A write is *acknowledged* when the stream has taken it: it is durable, and every reader will see it. It
is *observed* when it has come back to this reader. The time between the two is not limited: a
confirmation that is late is no failure, so nothing is rolled back because of it. Where following ends
in between, the transaction fails with an error of its own, which says that the write is there.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stateschema.errors import ConflictError, UnconfirmedError
from stateschema.stream.offset import Offset

Progress: TypeAlias = Literal["pending", "acknowledged", "observed", "settled", "failed"]

LOST_ANSWER = 10.0  # seconds to look out for a write whose append went unanswered


@dataclass(slots=True)
class Write:
    """One append on its way.

    Attributes:
        txid: What its events carry.
        offset: Where the stream goes on after them, once it has acknowledged them.
    """

    txid: str
    offset: Offset | None = None

    def unconfirmed(self, cause: Exception) -> UnconfirmedError:
        """Return the error of a write that is in the stream but will not come back here."""
        assert self.offset is not None
        return UnconfirmedError(
            f"write {self.txid!r} is in the stream, but did not come back: {cause}",
            offset=self.offset,
        )

    def refused(self) -> ConflictError:
        """Return the error of a write that came back without effect."""
        return ConflictError(f"write {self.txid!r} met another row than it was made for")
