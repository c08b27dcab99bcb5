"""The eight tables of TPC-H: what their rows are, and the collections that hold them.

Money and quantities are Decimal, as in the specification: sums of products are then exact on both
sides and compared without tolerance. Days are `datetime.date`. No column is ever null.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypedDict

from dataflow import Collection, Source

Row: TypeAlias = dict[str, Any]
"""A row of any table, or of an answer."""


class Region(TypedDict):
    r_regionkey: int
    r_name: str
    r_comment: str


class Nation(TypedDict):
    n_nationkey: int
    n_name: str
    n_regionkey: int
    n_comment: str


class Supplier(TypedDict):
    s_suppkey: int
    s_name: str
    s_address: str
    s_nationkey: int
    s_phone: str
    s_acctbal: Decimal
    s_comment: str


class Customer(TypedDict):
    c_custkey: int
    c_name: str
    c_address: str
    c_nationkey: int
    c_phone: str
    c_acctbal: Decimal
    c_mktsegment: str
    c_comment: str


class Part(TypedDict):
    p_partkey: int
    p_name: str
    p_mfgr: str
    p_brand: str
    p_type: str
    p_size: int
    p_container: str
    p_retailprice: Decimal
    p_comment: str


class PartSupp(TypedDict):
    ps_partkey: int
    ps_suppkey: int
    ps_availqty: int
    ps_supplycost: Decimal
    ps_comment: str


class Order(TypedDict):
    o_orderkey: int
    o_custkey: int
    o_orderstatus: str
    o_totalprice: Decimal
    o_orderdate: date
    o_orderpriority: str
    o_clerk: str
    o_shippriority: int
    o_comment: str


class LineItem(TypedDict):
    l_orderkey: int
    l_partkey: int
    l_suppkey: int
    l_linenumber: int
    l_quantity: Decimal
    l_extendedprice: Decimal
    l_discount: Decimal
    l_tax: Decimal
    l_returnflag: str
    l_linestatus: str
    l_shipdate: date
    l_commitdate: date
    l_receiptdate: date
    l_shipinstruct: str
    l_shipmode: str
    l_comment: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What the queries are functions of."""

    region: Source[Region]
    nation: Source[Nation]
    supplier: Source[Supplier]
    customer: Source[Customer]
    part: Source[Part]
    partsupp: Source[PartSupp]
    orders: Source[Order]
    lineitem: Source[LineItem]


KEYS: Final[dict[str, tuple[str, ...]]] = {
    "region": ("r_regionkey",),
    "nation": ("n_nationkey",),
    "supplier": ("s_suppkey",),
    "customer": ("c_custkey",),
    "part": ("p_partkey",),
    "partsupp": ("ps_partkey", "ps_suppkey"),
    "orders": ("o_orderkey",),
    "lineitem": ("l_orderkey", "l_linenumber"),
}
"""Table -> its primary key."""

_ROWS: Final[dict[str, Any]] = {
    "region": Region,
    "nation": Nation,
    "supplier": Supplier,
    "customer": Customer,
    "part": Part,
    "partsupp": PartSupp,
    "orders": Order,
    "lineitem": LineItem,
}


def collections() -> dict[str, Collection[Any]]:
    """Return an empty collection per table; `Tables(**collections())` is what queries take."""
    return {name: Collection(name, key=key, row=_ROWS[name]) for name, key in KEYS.items()}
