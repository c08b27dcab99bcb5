"""Queries 12 to 17 of TPC-H: the docstring asks in SQL, the function in the builder."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataflow import avg, case, count, count_distinct, max_, query, selected, sum_

if TYPE_CHECKING:
    from dataflow import Query
    from tests.tpch.tables import Tables


def q12(t: Tables) -> Query[dict[str, Any]]:
    """
    select l_shipmode,
           sum(case when o_orderpriority = '1-URGENT' or o_orderpriority = '2-HIGH'
                    then 1 else 0 end) as high_line_count,
           sum(case when o_orderpriority <> '1-URGENT' and o_orderpriority <> '2-HIGH'
                    then 1 else 0 end) as low_line_count
    from orders, lineitem
    where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP')
      and l_commitdate < l_receiptdate and l_shipdate < l_commitdate
      and l_receiptdate >= date '1994-01-01' and l_receiptdate < date '1995-01-01'
    group by l_shipmode
    order by l_shipmode
    """
    order, line = t.orders.alias("order"), t.lineitem.alias("line")
    is_high = order.o_orderpriority.in_(["1-URGENT", "2-HIGH"])
    return (
        query(line)
        .where(line.l_shipmode.in_(["MAIL", "SHIP"]))
        .where(line.l_commitdate < line.l_receiptdate, line.l_shipdate < line.l_commitdate)
        .where(line.l_receiptdate >= date(1994, 1, 1), line.l_receiptdate < date(1995, 1, 1))
        .join(order, on=order.o_orderkey == line.l_orderkey)
        .group_by(line.l_shipmode)
        .select(
            l_shipmode=line.l_shipmode,
            high_line_count=count().where(is_high),
            low_line_count=count().where(~is_high),
        )
        .order_by(selected.l_shipmode)
    )


def q13(t: Tables) -> Query[dict[str, Any]]:
    """
    select c_count, count(*) as custdist
    from (
        select c_custkey, count(o_orderkey) as c_count
        from customer left outer join orders
          on c_custkey = o_custkey and o_comment not like '%special%requests%'
        group by c_custkey) as c_orders
    group by c_count
    order by custdist desc, c_count desc
    """
    customer, order = t.customer.alias("customer"), t.orders.alias("order")
    is_plain = ~order.o_comment.like("%special%requests%")
    each = (
        query(customer)
        .join(order, on=(order.o_custkey == customer.c_custkey) & is_plain, how="left")
        .group_by(customer.c_custkey)
        .select(c_count=count(order.o_orderkey))
        .alias("each")
    )
    return (
        query(each)
        .group_by(each.c_count)
        .select(c_count=each.c_count, custdist=count())
        .order_by(selected.custdist.desc(), selected.c_count.desc())
    )


def q14(t: Tables) -> Query[dict[str, Any]]:
    """
    select 100.00 * sum(case when p_type like 'PROMO%'
                             then l_extendedprice * (1 - l_discount) else 0 end)
           / sum(l_extendedprice * (1 - l_discount)) as promo_revenue
    from lineitem, part
    where l_partkey = p_partkey
      and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-10-01'
    """
    line, part = t.lineitem.alias("line"), t.part.alias("part")
    revenue = line.l_extendedprice * (1 - line.l_discount)
    promoted = case((part.p_type.like("PROMO%"), revenue), else_=0)
    return (
        query(line)
        .where(line.l_shipdate >= date(1995, 9, 1), line.l_shipdate < date(1995, 10, 1))
        .join(part, on=part.p_partkey == line.l_partkey)
        .select(promo_revenue=100 * sum_(promoted) / sum_(revenue))
    )


def q15(t: Tables) -> Query[dict[str, Any]]:
    """
    with revenue as (
        select l_suppkey as supplier_no, sum(l_extendedprice * (1 - l_discount)) as total_revenue
        from lineitem
        where l_shipdate >= date '1996-01-01' and l_shipdate < date '1996-04-01'
        group by l_suppkey)
    select s_suppkey, s_name, s_address, s_phone, total_revenue
    from supplier, revenue
    where s_suppkey = supplier_no and total_revenue = (select max(total_revenue) from revenue)
    order by s_suppkey
    """
    supplier, line = t.supplier.alias("supplier"), t.lineitem.alias("line")
    revenue = (
        query(line)
        .where(line.l_shipdate >= date(1996, 1, 1), line.l_shipdate < date(1996, 4, 1))
        .group_by(line.l_suppkey)
        .select(
            supplier_no=line.l_suppkey, total=sum_(line.l_extendedprice * (1 - line.l_discount))
        )
    )
    earned, any_earned = revenue.alias("earned"), revenue.alias("any_earned")
    top = query(any_earned).select(total=max_(any_earned.total)).alias("top")
    return (
        query(supplier)
        .join(earned, on=earned.supplier_no == supplier.s_suppkey)
        .join(top, on=top.total == earned.total, how="semi")
        .select(
            s_suppkey=supplier.s_suppkey,
            s_name=supplier.s_name,
            s_address=supplier.s_address,
            s_phone=supplier.s_phone,
            total_revenue=earned.total,
        )
        .order_by(selected.s_suppkey)
    )


def q16(t: Tables) -> Query[dict[str, Any]]:
    """
    select p_brand, p_type, p_size, count(distinct ps_suppkey) as supplier_cnt
    from partsupp, part
    where p_partkey = ps_partkey and p_brand <> 'Brand#45' and p_type not like 'MEDIUM POLISHED%'
      and p_size in (49, 14, 23, 45, 19, 3, 36, 9)
      and ps_suppkey not in (
          select s_suppkey from supplier where s_comment like '%Customer%Complaints%')
    group by p_brand, p_type, p_size
    order by supplier_cnt desc, p_brand, p_type, p_size
    """
    offer, part = t.partsupp.alias("offer"), t.part.alias("part")
    supplier = t.supplier.alias("supplier")
    has_complaints = supplier.s_comment.like("%Customer%Complaints%")
    return (
        query(offer)
        .join(part, on=part.p_partkey == offer.ps_partkey)
        .where(part.p_brand != "Brand#45", ~part.p_type.like("MEDIUM POLISHED%"))
        .where(part.p_size.in_([49, 14, 23, 45, 19, 3, 36, 9]))
        .join(supplier, on=(supplier.s_suppkey == offer.ps_suppkey) & has_complaints, how="anti")
        .group_by(part.p_brand, part.p_type, part.p_size)
        .select(
            p_brand=part.p_brand,
            p_type=part.p_type,
            p_size=part.p_size,
            supplier_cnt=count_distinct(offer.ps_suppkey),
        )
        .order_by(selected.supplier_cnt.desc(), selected.p_brand, selected.p_type, selected.p_size)
    )


def q17(t: Tables) -> Query[dict[str, Any]]:
    """
    select sum(l_extendedprice) / 7.0 as avg_yearly
    from lineitem, part
    where p_partkey = l_partkey and p_brand = 'Brand#23' and p_container = 'MED BOX'
      and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)
    """
    line, part, other = t.lineitem.alias("line"), t.part.alias("part"), t.lineitem.alias("other")
    usual = (
        query(other)
        .group_by(other.l_partkey)
        .select(partkey=other.l_partkey, quantity=avg(other.l_quantity))
        .alias("usual")
    )
    return (
        query(part)
        .where(part.p_brand == "Brand#23", part.p_container == "MED BOX")
        .join(line, on=line.l_partkey == part.p_partkey)
        .join(usual, on=usual.partkey == part.p_partkey)
        .where(line.l_quantity < Decimal("0.2") * usual.quantity)
        .select(avg_yearly=sum_(line.l_extendedprice) / 7)
    )
