"""Aware and naive times: the two never mix, and aware ones count by instant.

Python compares two datetimes of one time zone by their wall clocks, so that both readings of the
hour that repeats in autumn are "equal", and refuses to call equal some that name one instant in
two zones. Subtracting a datetime in UTC has neither flaw, and cannot overflow.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def is_aware(value: datetime | time) -> bool:
    """Tell whether `value` has a known offset from UTC; a zone without an offset is naive."""
    return value.tzinfo is not None and value.utcoffset() is not None


def instant(value: datetime) -> timedelta:
    """Return the time from `EPOCH` to an aware datetime, whatever its zone."""
    return value - EPOCH
