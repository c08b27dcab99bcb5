"""Workloads: a question, the traffic it is asked about, and the two views that answer it.

At least half of the changes of every workload alter the result, so that no side lives on skipping: where a random change
rarely would (the first hundred of many), the traffic is drawn to the place that matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from benchmarks.floors.filtering import FilterFloor
from benchmarks.floors.folding import FoldFloor
from benchmarks.floors.grouping import GroupFloor
from benchmarks.floors.joining import JoinFloor
from benchmarks.floors.left_joining import LeftJoinFloor
from benchmarks.floors.top import LIMIT, TopFloor
from benchmarks.traffic import Shop, Traffic, Transcript
from dataflow import Query, Source, count, fold, max_, min_, query, sum_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.floors.floor import MakeFloor
    from benchmarks.traffic import Row

Kind: TypeAlias = Literal["load", "hydrate", "change", "batch"]
"""Filling the tables, starting the view on full tables, single changes, batches of changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One row of the report.

    Attributes:
        name: on the command line and in the report.
        question: what both views answer.
        traffic: (size, seed) -> traffic.
        ask: the tables as sources -> the engine's query.
        floor: makes the view by hand.
        ordered: whether the order of the result matters.
        sizes: sizes to run at, if not those of the plan.
        kinds: how it is measured.
    """

    name: str
    question: str
    traffic: Callable[[int, int], Traffic]
    ask: Callable[[Mapping[str, Source[Row]]], Query[Any]]
    floor: MakeFloor
    ordered: bool = False
    sizes: tuple[int, ...] | None = None
    kinds: tuple[Kind, ...] = ("hydrate", "change", "batch")


def _filter(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order = sources["orders"].alias("order")
    return query(order).where(order.status == "open", order.priority >= 1)


def _join(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order, user = sources["orders"].alias("order"), sources["users"].alias("user")
    joined = query(order).join(user, on=order.user_id == user.id)
    return joined.select(id=order.id, amount=order.amount, name=user.name)


def _left_join(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order, user = sources["orders"].alias("order"), sources["users"].alias("user")
    joined = query(order).join(user, on=order.user_id == user.id, how="left")
    return joined.select(id=order.id, amount=order.amount, name=user.name)


def _group(sources: Mapping[str, Source[Row]], *, by: str) -> Query[Row]:
    order = sources["orders"].alias("order")
    low, high = min_(order.amount), max_(order.amount)
    grouped = query(order).group_by(order[by])
    key = {by: order[by]}
    return grouped.select(**key, n=count(), total=sum_(order.amount), low=low, high=high)


def _top(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order = sources["orders"].alias("order")
    return query(order).order_by(order.score.desc()).limit(LIMIT)


def _fold(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    chunk = sources["chunks"].alias("chunk")
    text = fold(chunk.chunk, "", _append, order_by=chunk.seq)
    return query(chunk).group_by(chunk.message_id).select(id=chunk.message_id, text=text)


def _append(text: str, chunk: str) -> str:
    return text + chunk


WORKLOADS = (
    Workload(
        name="filter",
        question="open orders of some priority",
        traffic=Shop,
        ask=_filter,
        floor=FilterFloor,
        kinds=("load", "hydrate", "change", "batch"),
    ),
    Workload(
        name="join",
        question="orders with the name of their user",
        traffic=partial(Shop, users=0.05, orphans=0.09),
        ask=_join,
        floor=JoinFloor,
    ),
    Workload(
        name="leftjoin",
        question="all orders, with the name of their user if any",
        traffic=partial(Shop, users=0.05, orphans=0.09),
        ask=_left_join,
        floor=LeftJoinFloor,
    ),
    Workload(
        name="group100",
        question="count, sum, min, max of orders by region (100)",
        traffic=Shop,
        ask=partial(_group, by="region"),
        floor=partial(GroupFloor, by="region"),
    ),
    Workload(
        name="groupfk",
        question="count, sum, min, max of orders by user (N / 10)",
        traffic=Shop,
        ask=partial(_group, by="user_id"),
        floor=partial(GroupFloor, by="user_id"),
    ),
    Workload(
        name="top100",
        question="the hundred orders with the highest scores",
        traffic=partial(Shop, hot=150),
        ask=_top,
        floor=TopFloor,
        ordered=True,
    ),
    Workload(
        name="fold",
        question="one more chunk to a text of N chunks",
        traffic=Transcript,
        ask=_fold,
        floor=FoldFloor,
        sizes=(10, 1_000, 20_000),
        kinds=("change",),
    ),
)
