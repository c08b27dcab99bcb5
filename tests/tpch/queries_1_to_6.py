"""Queries 1 to 6 of TPC-H: the docstring asks in SQL, the function in the builder."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataflow import avg, count, min_, query, selected, sum_

if TYPE_CHECKING:
    from dataflow import Query
    from tests.tpch.tables import Tables


def q1(t: Tables) -> Query[dict[str, Any]]:
    """
    select l_returnflag, l_linestatus,
           sum(l_quantity) as sum_qty,
           sum(l_extendedprice) as sum_base_price,
           sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
           sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge,
           avg(l_quantity) as avg_qty,
           avg(l_extendedprice) as avg_price,
           avg(l_discount) as avg_disc,
           count(*) as count_order
    from lineitem
    where l_shipdate <= date '1998-09-02'
    group by l_returnflag, l_linestatus
    order by l_returnflag, l_linestatus
    """
    line = t.lineitem.alias("line")
    price = line.l_extendedprice * (1 - line.l_discount)
    return (
        query(line)
        .where(line.l_shipdate <= date(1998, 9, 2))
        .group_by(line.l_returnflag, line.l_linestatus)
        .select(
            l_returnflag=line.l_returnflag,
            l_linestatus=line.l_linestatus,
            sum_qty=sum_(line.l_quantity),
            sum_base_price=sum_(line.l_extendedprice),
            sum_disc_price=sum_(price),
            sum_charge=sum_(price * (1 + line.l_tax)),
            avg_qty=avg(line.l_quantity),
            avg_price=avg(line.l_extendedprice),
            avg_disc=avg(line.l_discount),
            count_order=count(),
        )
        .order_by(selected.l_returnflag, selected.l_linestatus)
    )


def q2(t: Tables) -> Query[dict[str, Any]]:
    """
    select s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
    from part, supplier, partsupp, nation, region
    where p_partkey = ps_partkey and s_suppkey = ps_suppkey
      and p_size = 15 and p_type like '%BRASS'
      and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'EUROPE'
      and ps_supplycost = (
          select min(ps_supplycost)
          from partsupp, supplier, nation, region
          where p_partkey = ps_partkey and s_suppkey = ps_suppkey
            and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'EUROPE')
    order by s_acctbal desc, n_name, s_name, p_partkey
    limit 100
    """
    offer, supplier = t.partsupp.alias("offer"), t.supplier.alias("supplier")
    nation, region = t.nation.alias("nation"), t.region.alias("region")
    european = (
        query(offer)
        .join(supplier, on=supplier.s_suppkey == offer.ps_suppkey)
        .join(nation, on=nation.n_nationkey == supplier.s_nationkey)
        .join(region, on=region.r_regionkey == nation.n_regionkey)
        .where(region.r_name == "EUROPE")
        .select(offer, supplier, n_name=nation.n_name)
    )
    found, other, part = european.alias("found"), european.alias("other"), t.part.alias("part")
    cheapest = (
        query(other)
        .group_by(other.ps_partkey)
        .select(partkey=other.ps_partkey, cost=min_(other.ps_supplycost))
        .alias("cheapest")
    )
    return (
        query(part)
        .where(part.p_size == 15, part.p_type.like("%BRASS"))
        .join(found, on=found.ps_partkey == part.p_partkey)
        .join(
            cheapest,
            on=(cheapest.partkey == part.p_partkey) & (cheapest.cost == found.ps_supplycost),
        )
        .select(
            s_acctbal=found.s_acctbal,
            s_name=found.s_name,
            n_name=found.n_name,
            p_partkey=part.p_partkey,
            p_mfgr=part.p_mfgr,
            s_address=found.s_address,
            s_phone=found.s_phone,
            s_comment=found.s_comment,
        )
        .order_by(selected.s_acctbal.desc(), selected.n_name, selected.s_name, selected.p_partkey)
        .limit(100)
    )


def q3(t: Tables) -> Query[dict[str, Any]]:
    """
    select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue,
           o_orderdate, o_shippriority
    from customer, orders, lineitem
    where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey
      and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
    group by l_orderkey, o_orderdate, o_shippriority
    order by revenue desc, o_orderdate
    limit 10
    """
    customer, order = t.customer.alias("customer"), t.orders.alias("order")
    line = t.lineitem.alias("line")
    day = date(1995, 3, 15)
    return (
        query(customer)
        .join(order, on=order.o_custkey == customer.c_custkey)
        .join(line, on=line.l_orderkey == order.o_orderkey)
        .where(customer.c_mktsegment == "BUILDING")
        .where(order.o_orderdate < day, line.l_shipdate > day)
        .group_by(line.l_orderkey, order.o_orderdate, order.o_shippriority)
        .select(
            l_orderkey=line.l_orderkey,
            revenue=sum_(line.l_extendedprice * (1 - line.l_discount)),
            o_orderdate=order.o_orderdate,
            o_shippriority=order.o_shippriority,
        )
        .order_by(selected.revenue.desc(), selected.o_orderdate)
        .limit(10)
    )


def q4(t: Tables) -> Query[dict[str, Any]]:
    """
    select o_orderpriority, count(*) as order_count
    from orders
    where o_orderdate >= date '1993-07-01' and o_orderdate < date '1993-10-01'
      and exists (
          select * from lineitem
          where l_orderkey = o_orderkey and l_commitdate < l_receiptdate)
    group by o_orderpriority
    order by o_orderpriority
    """
    order, line = t.orders.alias("order"), t.lineitem.alias("line")
    is_late = line.l_commitdate < line.l_receiptdate
    return (
        query(order)
        .where(order.o_orderdate >= date(1993, 7, 1), order.o_orderdate < date(1993, 10, 1))
        .join(line, on=(line.l_orderkey == order.o_orderkey) & is_late, how="semi")
        .group_by(order.o_orderpriority)
        .select(o_orderpriority=order.o_orderpriority, order_count=count())
        .order_by(selected.o_orderpriority)
    )


def q5(t: Tables) -> Query[dict[str, Any]]:
    """
    select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue
    from customer, orders, lineitem, supplier, nation, region
    where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey
      and c_nationkey = s_nationkey and s_nationkey = n_nationkey
      and n_regionkey = r_regionkey and r_name = 'ASIA'
      and o_orderdate >= date '1994-01-01' and o_orderdate < date '1995-01-01'
    group by n_name
    order by revenue desc
    """
    customer, order = t.customer.alias("customer"), t.orders.alias("order")
    line, supplier = t.lineitem.alias("line"), t.supplier.alias("supplier")
    nation, region = t.nation.alias("nation"), t.region.alias("region")
    is_local = supplier.s_nationkey == customer.c_nationkey
    return (
        query(customer)
        .join(order, on=order.o_custkey == customer.c_custkey)
        .join(line, on=line.l_orderkey == order.o_orderkey)
        .join(supplier, on=(supplier.s_suppkey == line.l_suppkey) & is_local)
        .join(nation, on=nation.n_nationkey == supplier.s_nationkey)
        .join(region, on=region.r_regionkey == nation.n_regionkey)
        .where(region.r_name == "ASIA")
        .where(order.o_orderdate >= date(1994, 1, 1), order.o_orderdate < date(1995, 1, 1))
        .group_by(nation.n_name)
        .select(n_name=nation.n_name, revenue=sum_(line.l_extendedprice * (1 - line.l_discount)))
        .order_by(selected.revenue.desc())
    )


def q6(t: Tables) -> Query[dict[str, Any]]:
    """
    select sum(l_extendedprice * l_discount) as revenue
    from lineitem
    where l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'
      and l_discount between 0.05 and 0.07 and l_quantity < 24
    """
    line = t.lineitem.alias("line")
    return (
        query(line)
        .where(line.l_shipdate >= date(1994, 1, 1), line.l_shipdate < date(1995, 1, 1))
        .where(line.l_discount.between(Decimal("0.05"), Decimal("0.07")), line.l_quantity < 24)
        .select(revenue=sum_(line.l_extendedprice * line.l_discount))
    )
