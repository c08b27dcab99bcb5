"""A stream of updates to the tables: orders come and go with their lines, everything else changes.

As in the refresh functions of TPC-H, orders are inserted and deleted together with their lines; here
the orders that come are some that were held back from the load, and deleted ones may come again.
Customers, parts, suppliers, offers and lines are updated too. They take values of another row of
their table, or values that the queries ask for, so that even the narrowest query has news.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.tpch.tables import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.tpch.tables import Row

Write: TypeAlias = "tuple[str, tuple[Any, ...], Row | None]"
"""Table, key, and the row that is there from now on; None deletes."""

_HELD_BACK: Final = 40
"""One order of so many is not loaded."""

_WANTED_PARTS: Final[tuple[Row, ...]] = (
    {"p_size": 15, "p_type": "LARGE BRUSHED BRASS"},
    {"p_type": "ECONOMY ANODIZED STEEL"},
    {"p_type": "PROMO BURNISHED COPPER"},
    {"p_name": "forest green lace"},
    {"p_brand": "Brand#12", "p_container": "SM CASE", "p_size": 3},
    {"p_brand": "Brand#23", "p_container": "MED BOX", "p_size": 9},
)
_WANTED_NATIONS: Final = (2, 3, 3, 3, 6, 7, 8, 20)
"""Brazil, Canada (more often, as few suppliers have a surplus), France, Germany, India, Saudi Arabia."""

_WANTED_ORDERS: Final[tuple[Row, ...]] = (
    {"o_orderdate": date(1993, 8, 1), "o_orderpriority": "1-URGENT"},
    {"o_orderdate": date(1993, 11, 1), "o_orderstatus": "F"},
    {"o_orderdate": date(1994, 6, 1), "o_comment": "special packages, no requests"},
    {"o_orderdate": date(1995, 3, 14)},
    {"o_orderdate": date(1996, 6, 1), "o_orderpriority": "5-LOW"},
)
_WANTED_LINES: Final[tuple[Row, ...]] = (
    {"l_quantity": Decimal(1), "l_shipdate": date(1994, 6, 1)},
    {"l_quantity": Decimal(10), "l_shipmode": "AIR", "l_shipinstruct": "DELIVER IN PERSON"},
    {"l_shipmode": "MAIL", "l_receiptdate": date(1994, 12, 31)},
    {"l_returnflag": "R", "l_discount": Decimal("0.06")},
    {"l_shipdate": date(1995, 9, 15)},
    {"l_shipdate": date(1996, 2, 1), "l_extendedprice": Decimal(900_000)},
)
_COMPLAINT: Final = "Customer sends Complaints"


class Updates:
    """The rows of all tables as they are by now, and what happens to them next.

    Args:
        tables: Table -> all its rows.
        seed: The same seed gives the same updates.
    """

    def __init__(self, tables: Mapping[str, Sequence[Row]], seed: int) -> None:
        self._random = Random(seed)
        self._absent: dict[int, list[tuple[str, Row]]] = {}
        self._rows = {
            table: {_key(table, row): row for row in rows} for table, rows in tables.items()
        }

    def hold_back(self) -> list[Write]:
        """Return the deletes of the orders that come later."""
        orders = sorted(self._rows["orders"])[::_HELD_BACK]
        return [write for (order,) in orders for write in self._remove_order(order)]

    def steps(self, rounds: int) -> Iterator[list[Write]]:
        """Yield the writes of one epoch after another: so many rounds of all kinds of updates."""
        kinds: list[Callable[[], list[Write]]] = [
            self._insert_orders,
            self._update_customers,
            self._update_orders,
            self._update_lines,
            self._update_parts,
            self._update_suppliers,
            self._update_offers,
            self._delete_orders,
        ]
        for _ in range(rounds):
            for kind in kinds:
                yield kind()
            yield [write for kind in self._random.sample(kinds, 3) for write in kind()]

    def _insert_orders(self) -> list[Write]:
        """Let orders come, one of them with large quantities."""
        writes: list[Write] = []
        for number, order in enumerate(self._random.sample(sorted(self._absent), 30)):
            for table, row in self._absent.pop(order):
                large = {"l_quantity": Decimal(250)} if not number and "l_tax" in row else {}
                writes.append(self._put(table, row | large))
        return writes

    def _delete_orders(self) -> list[Write]:
        present = sorted(self._rows["orders"])
        return [
            write
            for (order,) in self._random.sample(present, 30)
            for write in self._remove_order(order)
        ]

    def _update_customers(self) -> list[Write]:
        taken = ("c_nationkey", "c_phone", "c_acctbal", "c_mktsegment")
        return [self._put("customer", self._mixed("customer", taken)) for _ in range(20)]

    def _update_orders(self) -> list[Write]:
        mixed = [self._mixed("orders", ("o_custkey", "o_orderdate")) for _ in range(15)]
        wanted = [self._any_row("orders") | wanted for wanted in _WANTED_ORDERS * 5]
        return [self._put("orders", row) for row in (*mixed, *wanted)]

    def _update_lines(self) -> list[Write]:
        """Change what the queries ask for, and let some lines be late."""
        writes: list[Write] = []
        for wanted in _WANTED_LINES * 6:
            row = self._mixed("lineitem", ("l_extendedprice", "l_tax")) | wanted
            if self._random.random() < 0.5:
                row["l_receiptdate"] = row["l_commitdate"] + timedelta(days=1)
            writes.append(self._put("lineitem", row))
        return writes

    def _update_parts(self) -> list[Write]:
        mixed = [self._mixed("part", ("p_name", "p_brand", "p_type", "p_size")) for _ in range(6)]
        wanted = [self._any_row("part") | wanted for wanted in _WANTED_PARTS * 2]
        return [self._put("part", row) for row in (*mixed, *wanted)]

    def _update_suppliers(self) -> list[Write]:
        moved = [self._any_row("supplier") | {"s_nationkey": key} for key in _WANTED_NATIONS]
        blamed = self._any_row("supplier") | {"s_comment": _COMPLAINT}
        mixed = self._mixed("supplier", ("s_acctbal", "s_nationkey", "s_comment", "s_address"))
        return [self._put("supplier", row) for row in (*moved, blamed, mixed)]

    def _update_offers(self) -> list[Write]:
        taken = ("ps_supplycost", "ps_availqty")
        mixed = [self._mixed("partsupp", taken) for _ in range(20)]
        scarce = [self._any_row("partsupp") | {"ps_availqty": 0} for _ in range(5)]
        return [self._put("partsupp", row) for row in (*mixed, *scarce)]

    def _mixed(self, table: str, columns: Sequence[str]) -> Row:
        """Return a row of a table with some values of another one."""
        other = self._any_row(table)
        return self._any_row(table) | {column: other[column] for column in columns}

    def _any_row(self, table: str) -> Row:
        rows = self._rows[table]
        return rows[self._random.choice(list(rows))]

    def _put(self, table: str, row: Row) -> Write:
        key = _key(table, row)
        self._rows[table][key] = row
        return table, key, row

    def _remove_order(self, order: int) -> list[Write]:
        """Delete an order and its lines, and keep them for later."""
        lines = [(order, number) for number in range(1, 8)]
        keys = [("orders", (order,)), *(("lineitem", line) for line in lines)]
        present = [(table, key) for table, key in keys if key in self._rows[table]]
        self._absent[order] = [(table, self._rows[table].pop(key)) for table, key in present]
        return [(table, key, None) for table, key in present]


def _key(table: str, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS[table])
