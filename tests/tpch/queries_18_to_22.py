"""Queries 18 to 22 of TPC-H: the docstring asks in SQL, the function in the builder."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataflow import avg, count, query, selected, substring, sum_

if TYPE_CHECKING:
    from dataflow import Query
    from tests.tpch.tables import Tables


def q18(t: Tables) -> Query[dict[str, Any]]:
    """
    select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) as quantity
    from customer, orders, lineitem
    where o_orderkey in (
        select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300)
      and c_custkey = o_custkey and o_orderkey = l_orderkey
    group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
    order by o_totalprice desc, o_orderdate
    limit 100
    """
    customer, order = t.customer.alias("customer"), t.orders.alias("order")
    line, other = t.lineitem.alias("line"), t.lineitem.alias("other")
    large = (
        query(other)
        .group_by(other.l_orderkey)
        .having(sum_(other.l_quantity) > 300)
        .select(orderkey=other.l_orderkey)
        .alias("large")
    )
    columns = {
        "c_name": customer.c_name,
        "c_custkey": customer.c_custkey,
        "o_orderkey": order.o_orderkey,
        "o_orderdate": order.o_orderdate,
        "o_totalprice": order.o_totalprice,
    }
    return (
        query(order)
        .join(large, on=large.orderkey == order.o_orderkey, how="semi")
        .join(customer, on=customer.c_custkey == order.o_custkey)
        .join(line, on=line.l_orderkey == order.o_orderkey)
        .group_by(*columns.values())
        .select(quantity=sum_(line.l_quantity), **columns)
        .order_by(selected.o_totalprice.desc(), selected.o_orderdate)
        .limit(100)
    )


def q19(t: Tables) -> Query[dict[str, Any]]:
    """
    select sum(l_extendedprice * (1 - l_discount)) as revenue
    from lineitem, part
    where p_partkey = l_partkey
      and l_shipmode in ('AIR', 'AIR REG') and l_shipinstruct = 'DELIVER IN PERSON'
      and ((p_brand = 'Brand#12' and p_container in ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
            and l_quantity >= 1 and l_quantity <= 11 and p_size between 1 and 5)
        or (p_brand = 'Brand#23' and p_container in ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')
            and l_quantity >= 10 and l_quantity <= 20 and p_size between 1 and 10)
        or (p_brand = 'Brand#34' and p_container in ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')
            and l_quantity >= 20 and l_quantity <= 30 and p_size between 1 and 15))
    """
    line, part = t.lineitem.alias("line"), t.part.alias("part")
    small = (
        (part.p_brand == "Brand#12")
        & part.p_container.in_(["SM CASE", "SM BOX", "SM PACK", "SM PKG"])
        & line.l_quantity.between(1, 11)
        & part.p_size.between(1, 5)
    )
    medium = (
        (part.p_brand == "Brand#23")
        & part.p_container.in_(["MED BAG", "MED BOX", "MED PKG", "MED PACK"])
        & line.l_quantity.between(10, 20)
        & part.p_size.between(1, 10)
    )
    large = (
        (part.p_brand == "Brand#34")
        & part.p_container.in_(["LG CASE", "LG BOX", "LG PACK", "LG PKG"])
        & line.l_quantity.between(20, 30)
        & part.p_size.between(1, 15)
    )
    return (
        query(line)
        .where(line.l_shipmode.in_(["AIR", "AIR REG"]))
        .where(line.l_shipinstruct == "DELIVER IN PERSON")
        .join(part, on=part.p_partkey == line.l_partkey)
        .where(small | medium | large)
        .select(revenue=sum_(line.l_extendedprice * (1 - line.l_discount)))
    )


def q20(t: Tables) -> Query[dict[str, Any]]:
    """
    select s_name, s_address
    from supplier, nation
    where s_suppkey in (
        select ps_suppkey from partsupp
        where ps_partkey in (select p_partkey from part where p_name like 'forest%')
          and ps_availqty > (
              select 0.5 * sum(l_quantity) from lineitem
              where l_partkey = ps_partkey and l_suppkey = ps_suppkey
                and l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'))
      and s_nationkey = n_nationkey and n_name = 'CANADA'
    order by s_name
    """
    supplier, nation = t.supplier.alias("supplier"), t.nation.alias("nation")
    offer, part, line = t.partsupp.alias("offer"), t.part.alias("part"), t.lineitem.alias("line")
    sold = (
        query(line)
        .where(line.l_shipdate >= date(1994, 1, 1), line.l_shipdate < date(1995, 1, 1))
        .group_by(line.l_partkey, line.l_suppkey)
        .select(partkey=line.l_partkey, suppkey=line.l_suppkey, quantity=sum_(line.l_quantity))
        .alias("sold")
    )
    is_forest = part.p_name.like("forest%")
    surplus = (
        query(offer)
        .join(part, on=(part.p_partkey == offer.ps_partkey) & is_forest, how="semi")
        .join(
            sold,
            on=(sold.partkey == offer.ps_partkey)
            & (sold.suppkey == offer.ps_suppkey)
            & (offer.ps_availqty > Decimal("0.5") * sold.quantity),
            how="semi",
        )
        .alias("surplus")
    )
    return (
        query(supplier)
        .join(surplus, on=surplus.ps_suppkey == supplier.s_suppkey, how="semi")
        .join(nation, on=nation.n_nationkey == supplier.s_nationkey)
        .where(nation.n_name == "CANADA")
        .select(s_name=supplier.s_name, s_address=supplier.s_address)
        .order_by(selected.s_name)
    )


def q21(t: Tables) -> Query[dict[str, Any]]:
    """
    select s_name, count(*) as numwait
    from supplier, lineitem l1, orders, nation
    where s_suppkey = l1.l_suppkey and o_orderkey = l1.l_orderkey and o_orderstatus = 'F'
      and l1.l_receiptdate > l1.l_commitdate
      and exists (
          select * from lineitem l2
          where l2.l_orderkey = l1.l_orderkey and l2.l_suppkey <> l1.l_suppkey)
      and not exists (
          select * from lineitem l3
          where l3.l_orderkey = l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey
            and l3.l_receiptdate > l3.l_commitdate)
      and s_nationkey = n_nationkey and n_name = 'SAUDI ARABIA'
    group by s_name
    order by numwait desc, s_name
    limit 100
    """
    supplier, nation = t.supplier.alias("supplier"), t.nation.alias("nation")
    line, order = t.lineitem.alias("line"), t.orders.alias("order")
    other, late = t.lineitem.alias("other"), t.lineitem.alias("late")
    is_other = (other.l_orderkey == line.l_orderkey) & (other.l_suppkey != line.l_suppkey)
    is_late_too = (
        (late.l_orderkey == line.l_orderkey)
        & (late.l_suppkey != line.l_suppkey)
        & (late.l_receiptdate > late.l_commitdate)
    )
    return (
        query(supplier)
        .join(nation, on=nation.n_nationkey == supplier.s_nationkey)
        .join(line, on=line.l_suppkey == supplier.s_suppkey)
        .join(order, on=order.o_orderkey == line.l_orderkey)
        .where(nation.n_name == "SAUDI ARABIA", order.o_orderstatus == "F")
        .where(line.l_receiptdate > line.l_commitdate)
        .join(other, on=is_other, how="semi")
        .join(late, on=is_late_too, how="anti")
        .group_by(supplier.s_name)
        .select(s_name=supplier.s_name, numwait=count())
        .order_by(selected.numwait.desc(), selected.s_name)
        .limit(100)
    )


def q22(t: Tables) -> Query[dict[str, Any]]:
    """
    select cntrycode, count(*) as numcust, sum(c_acctbal) as totacctbal
    from (
        select substring(c_phone from 1 for 2) as cntrycode, c_acctbal
        from customer
        where substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17')
          and c_acctbal > (
              select avg(c_acctbal) from customer
              where c_acctbal > 0.00
                and substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17'))
          and not exists (select * from orders where o_custkey = c_custkey)) as custsale
    group by cntrycode
    order by cntrycode
    """
    customer, order = t.customer.alias("customer"), t.orders.alias("order")
    code = substring(customer.c_phone, 0, 2)
    called = query(customer).where(code.in_(["13", "31", "23", "29", "30", "18", "17"]))
    mean = (
        called.where(customer.c_acctbal > 0).select(balance=avg(customer.c_acctbal)).alias("mean")
    )
    return (
        called.join(mean, how="cross")
        .where(customer.c_acctbal > mean.balance)
        .join(order, on=order.o_custkey == customer.c_custkey, how="anti")
        .group_by(code)
        .select(cntrycode=code, numcust=count(), totacctbal=sum_(customer.c_acctbal))
        .order_by(selected.cntrycode)
    )
