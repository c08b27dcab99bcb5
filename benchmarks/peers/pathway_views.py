"""The questions as dataflows of Pathway, over tables whose `id` is called `key`, for Pathway has an `id` of its own.

Sums of floats are strict, which takes them anew from the values of the group; in 0.33 others keep what updated rows had before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from benchmarks.floors.three_way import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _filter(_: Any, tables: Mapping[str, Any]) -> Any:
    orders = tables["orders"]
    return orders.filter((orders.status == "open") & (orders.priority >= 1))


def _distinct(_: Any, tables: Mapping[str, Any]) -> Any:
    orders = tables["orders"]
    grouped = orders.groupby(orders.region, orders.amount)
    return grouped.reduce(orders.region, orders.amount)


def _join(_: Any, tables: Mapping[str, Any], *, how: str) -> Any:
    orders, users = tables["orders"], tables["users"]
    joined = getattr(orders, how)(users, orders.user_id == users.key)
    return joined.select(orders.key, orders.amount, users.name)


def _group(pathway: Any, tables: Mapping[str, Any], *, by: str, of_floats: bool = False) -> Any:
    orders, reducers = tables["orders"], pathway.reducers
    amount = orders.amount
    return orders.groupby(orders[by]).reduce(
        orders[by],
        n=reducers.count(),
        total=reducers.sum(amount, strict=of_floats),
        low=reducers.min(amount),
        high=reducers.max(amount),
    )


def _three_way(pathway: Any, tables: Mapping[str, Any]) -> Any:
    lines, reducers = tables["lines"], pathway.reducers
    orders = tables["orders"].filter(tables["orders"].status == "open")
    users = tables["users"].filter(tables["users"].country < COUNTRIES)
    shown = orders.join(users, orders.user_id == users.key).select(orders.key)
    joined = lines.join(shown, lines.order_id == shown.key).select(lines.order_id, lines.price)
    return joined.groupby(joined.order_id).reduce(
        joined.order_id, n=reducers.count(), total=reducers.sum(joined.price)
    )


VIEWS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], Any]]] = {
    "filter": _filter,
    "distinct": _distinct,
    "join": partial(_join, how="join"),
    "leftjoin": partial(_join, how="join_left"),
    "group100": partial(_group, by="region"),
    "groupfk": partial(_group, by="user_id"),
    "groupfloat": partial(_group, by="region", of_floats=True),
    "threeway": _three_way,
}
"""The package and the tables -> the answer, which is a table."""
