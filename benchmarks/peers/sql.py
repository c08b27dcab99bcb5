"""The questions as SQL, for the peers that speak it, and the tables as SQL sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.floors.three_way import COUNTRIES
from benchmarks.floors.top import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row

_GROUP: Final = (
    "SELECT {by}, count(*) AS n, sum(amount) AS total, min(amount) AS low, max(amount) AS high"
    " FROM orders GROUP BY {by}"
)
_NAMES: Final = (
    "SELECT o.id AS id, o.amount AS amount, u.name AS name"
    " FROM orders AS o {how} JOIN users AS u ON o.user_id = u.id"
)
ORDER: Final = "ORDER BY score DESC, id"

SELECT: Final = {
    "filter": "SELECT * FROM orders WHERE status = 'open' AND priority >= 1",
    "distinct": "SELECT DISTINCT region, amount FROM orders",
    "join": _NAMES.format(how="INNER"),
    "leftjoin": _NAMES.format(how="LEFT"),
    "group100": _GROUP.format(by="region"),
    "groupfk": _GROUP.format(by="user_id"),
    "groupfloat": _GROUP.format(by="region"),
    "top100": f"SELECT * FROM orders {ORDER} LIMIT {LIMIT}",
    "sorted": f"SELECT * FROM orders {ORDER}",
    "threeway": (
        "SELECT l.order_id AS order_id, count(*) AS n, sum(l.price) AS total FROM lines AS l"
        " INNER JOIN orders AS o ON l.order_id = o.id INNER JOIN users AS u ON o.user_id = u.id"
        f" WHERE o.status = 'open' AND u.country < {COUNTRIES} GROUP BY l.order_id"
    ),
}

_TYPES: Final = {int: "BIGINT", float: "DOUBLE", str: "TEXT"}


def columns(rows: Sequence[Row]) -> dict[str, str]:
    """Return the columns of a table, name -> SQL type, from the first value of each that is not None."""
    return {
        name: _TYPES[type(next(row[name] for row in rows if row[name] is not None))]
        for name in rows[0]
    }
