"""Queries 7 to 11 of TPC-H: the docstring asks in SQL, the function in the builder."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataflow import case, date_part, query, selected, sum_

if TYPE_CHECKING:
    from dataflow import Query
    from tests.tpch.tables import Tables


def q7(t: Tables) -> Query[dict[str, Any]]:
    """
    select supp_nation, cust_nation, l_year, sum(volume) as revenue
    from (
        select n1.n_name as supp_nation, n2.n_name as cust_nation,
               extract(year from l_shipdate) as l_year,
               l_extendedprice * (1 - l_discount) as volume
        from supplier, lineitem, orders, customer, nation n1, nation n2
        where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey
          and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey
          and ((n1.n_name = 'FRANCE' and n2.n_name = 'GERMANY')
            or (n1.n_name = 'GERMANY' and n2.n_name = 'FRANCE'))
          and l_shipdate between date '1995-01-01' and date '1996-12-31') as shipping
    group by supp_nation, cust_nation, l_year
    order by supp_nation, cust_nation, l_year
    """
    supplier, line = t.supplier.alias("supplier"), t.lineitem.alias("line")
    order, customer = t.orders.alias("order"), t.customer.alias("customer")
    sold, bought = t.nation.alias("sold"), t.nation.alias("bought")
    year = date_part(line.l_shipdate, "year")
    return (
        query(supplier)
        .join(sold, on=sold.n_nationkey == supplier.s_nationkey)
        .join(line, on=line.l_suppkey == supplier.s_suppkey)
        .join(order, on=order.o_orderkey == line.l_orderkey)
        .join(customer, on=customer.c_custkey == order.o_custkey)
        .join(bought, on=bought.n_nationkey == customer.c_nationkey)
        .where(
            ((sold.n_name == "FRANCE") & (bought.n_name == "GERMANY"))
            | ((sold.n_name == "GERMANY") & (bought.n_name == "FRANCE")),
            line.l_shipdate.between(date(1995, 1, 1), date(1996, 12, 31)),
        )
        .group_by(sold.n_name, bought.n_name, year)
        .select(
            supp_nation=sold.n_name,
            cust_nation=bought.n_name,
            l_year=year,
            revenue=sum_(line.l_extendedprice * (1 - line.l_discount)),
        )
        .order_by(selected.supp_nation, selected.cust_nation, selected.l_year)
    )


def q8(t: Tables) -> Query[dict[str, Any]]:
    """
    select o_year,
           sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as mkt_share
    from (
        select extract(year from o_orderdate) as o_year,
               l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation
        from part, supplier, lineitem, orders, customer, nation n1, nation n2, region
        where p_partkey = l_partkey and s_suppkey = l_suppkey and l_orderkey = o_orderkey
          and o_custkey = c_custkey and c_nationkey = n1.n_nationkey
          and n1.n_regionkey = r_regionkey and r_name = 'AMERICA'
          and s_nationkey = n2.n_nationkey
          and o_orderdate between date '1995-01-01' and date '1996-12-31'
          and p_type = 'ECONOMY ANODIZED STEEL') as all_nations
    group by o_year
    order by o_year
    """
    part, line = t.part.alias("part"), t.lineitem.alias("line")
    supplier, sold = t.supplier.alias("supplier"), t.nation.alias("sold")
    order, customer = t.orders.alias("order"), t.customer.alias("customer")
    bought, region = t.nation.alias("bought"), t.region.alias("region")
    year = date_part(order.o_orderdate, "year")
    volume = line.l_extendedprice * (1 - line.l_discount)
    brazilian = case((sold.n_name == "BRAZIL", volume), else_=0)
    return (
        query(part)
        .join(line, on=line.l_partkey == part.p_partkey)
        .join(supplier, on=supplier.s_suppkey == line.l_suppkey)
        .join(sold, on=sold.n_nationkey == supplier.s_nationkey)
        .join(order, on=order.o_orderkey == line.l_orderkey)
        .join(customer, on=customer.c_custkey == order.o_custkey)
        .join(bought, on=bought.n_nationkey == customer.c_nationkey)
        .join(region, on=region.r_regionkey == bought.n_regionkey)
        .where(part.p_type == "ECONOMY ANODIZED STEEL", region.r_name == "AMERICA")
        .where(order.o_orderdate.between(date(1995, 1, 1), date(1996, 12, 31)))
        .group_by(year)
        .select(o_year=year, mkt_share=sum_(brazilian) / sum_(volume))
        .order_by(selected.o_year)
    )


def q9(t: Tables) -> Query[dict[str, Any]]:
    """
    select nation, o_year, sum(amount) as sum_profit
    from (
        select n_name as nation, extract(year from o_orderdate) as o_year,
               l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity as amount
        from part, supplier, lineitem, partsupp, orders, nation
        where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey
          and p_partkey = l_partkey and o_orderkey = l_orderkey
          and s_nationkey = n_nationkey and p_name like '%green%') as profit
    group by nation, o_year
    order by nation, o_year desc
    """
    part, line = t.part.alias("part"), t.lineitem.alias("line")
    offer, supplier = t.partsupp.alias("offer"), t.supplier.alias("supplier")
    order, nation = t.orders.alias("order"), t.nation.alias("nation")
    year = date_part(order.o_orderdate, "year")
    revenue = line.l_extendedprice * (1 - line.l_discount)
    return (
        query(part)
        .where(part.p_name.like("%green%"))
        .join(line, on=line.l_partkey == part.p_partkey)
        .join(
            offer,
            on=(offer.ps_partkey == line.l_partkey) & (offer.ps_suppkey == line.l_suppkey),
        )
        .join(supplier, on=supplier.s_suppkey == line.l_suppkey)
        .join(nation, on=nation.n_nationkey == supplier.s_nationkey)
        .join(order, on=order.o_orderkey == line.l_orderkey)
        .group_by(nation.n_name, year)
        .select(
            nation=nation.n_name,
            o_year=year,
            sum_profit=sum_(revenue - offer.ps_supplycost * line.l_quantity),
        )
        .order_by(selected.nation, selected.o_year.desc())
    )


def q10(t: Tables) -> Query[dict[str, Any]]:
    """
    select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue,
           c_acctbal, n_name, c_address, c_phone, c_comment
    from customer, orders, lineitem, nation
    where c_custkey = o_custkey and l_orderkey = o_orderkey
      and o_orderdate >= date '1993-10-01' and o_orderdate < date '1994-01-01'
      and l_returnflag = 'R' and c_nationkey = n_nationkey
    group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
    order by revenue desc
    limit 20
    """
    customer, order = t.customer.alias("customer"), t.orders.alias("order")
    line, nation = t.lineitem.alias("line"), t.nation.alias("nation")
    columns = {
        "c_custkey": customer.c_custkey,
        "c_name": customer.c_name,
        "c_acctbal": customer.c_acctbal,
        "n_name": nation.n_name,
        "c_address": customer.c_address,
        "c_phone": customer.c_phone,
        "c_comment": customer.c_comment,
    }
    return (
        query(customer)
        .join(order, on=order.o_custkey == customer.c_custkey)
        .join(line, on=line.l_orderkey == order.o_orderkey)
        .join(nation, on=nation.n_nationkey == customer.c_nationkey)
        .where(order.o_orderdate >= date(1993, 10, 1), order.o_orderdate < date(1994, 1, 1))
        .where(line.l_returnflag == "R")
        .group_by(*columns.values())
        .select(revenue=sum_(line.l_extendedprice * (1 - line.l_discount)), **columns)
        .order_by(selected.revenue.desc())
        .limit(20)
    )


def q11(t: Tables) -> Query[dict[str, Any]]:
    """
    select ps_partkey, sum(ps_supplycost * ps_availqty) as value
    from partsupp, supplier, nation
    where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY'
    group by ps_partkey
    having sum(ps_supplycost * ps_availqty) > (
        select sum(ps_supplycost * ps_availqty) * 0.003
        from partsupp, supplier, nation
        where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY')
    order by value desc
    """
    offer, supplier = t.partsupp.alias("offer"), t.supplier.alias("supplier")
    nation = t.nation.alias("nation")
    german = (
        query(offer)
        .join(supplier, on=supplier.s_suppkey == offer.ps_suppkey)
        .join(nation, on=nation.n_nationkey == supplier.s_nationkey)
        .where(nation.n_name == "GERMANY")
    )
    value = sum_(offer.ps_supplycost * offer.ps_availqty)
    stock = german.group_by(offer.ps_partkey).select(ps_partkey=offer.ps_partkey, value=value)
    part, whole = stock.alias("part"), german.select(value=value).alias("whole")
    return (
        query(part)
        .join(whole, how="cross")
        .where(part.value > whole.value * Decimal("0.003"))
        .select(part)
        .order_by(selected.value.desc())
    )
