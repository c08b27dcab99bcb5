"""Statistics of collections and of those who follow them: what each keeps, counted when asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectionStatistics:
    """A collection.

    Attributes:
        rows_held: rows that readers see.
        rows_touched: rows written since it was made, those included that changed nothing.
        read_by: nodes of running queries that read it directly.
        followed_by: open subscriptions and `changes()`.
    """

    rows_held: int
    rows_touched: int
    read_by: int
    followed_by: int


@dataclass(frozen=True, slots=True)
class SubscriptionStatistics:
    """A subscription, or a `changes()`.

    Attributes:
        rows_known: rows that `where` let through, or that an ordered subscription shows.
        changes_waiting: keys whose changes have not been told: `every=` gathers, or the consumer is slow.
    """

    rows_known: int
    changes_waiting: int
