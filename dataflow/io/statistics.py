"""Statistics of what touches the world: counters since it was made, taken when asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolledStatistics:
    """A polled source.

    Attributes:
        reads: snapshots that were read and written.
        skipped: reads that found nothing changed.
        failures: reads that failed, or whose rows did not fit.
    """

    reads: int
    skipped: int
    failures: int


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """A store.

    Attributes:
        rows_due: rows to be written, which are left only after a write that failed.
        rows_written: rows written or deleted.
        transactions: writes to the file.
    """

    rows_due: int
    rows_written: int
    transactions: int


@dataclass(frozen=True, slots=True)
class PacedStatistics:
    """A paced mutation.

    Attributes:
        waiting: transactions that have not been persisted, open ones included.
        persisted: transactions whose mutation function was called.
        refused: calls that were not taken.
    """

    waiting: int
    persisted: int
    refused: int


@dataclass(frozen=True, slots=True)
class OutboxStatistics:
    """An outbox.

    Attributes:
        waiting: calls that are not confirmed.
        attempts: how often a call was sent.
        confirmed: calls that arrived.
        failed: calls that failed for good, or were rolled back.
    """

    waiting: int
    attempts: int
    confirmed: int
    failed: int
