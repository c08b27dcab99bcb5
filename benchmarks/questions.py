"""Questions: each with the traffic it is asked about, and with its answer as a live query and by hand.

At least half of the changes of every traffic alter the result, so that no side lives on skipping: where a random change
rarely would (the first hundred of many), the traffic is drawn to the place that matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from benchmarks.floors.distinct import DistinctFloor
from benchmarks.floors.filtering import FilterFloor
from benchmarks.floors.folding import FoldFloor
from benchmarks.floors.grouping import GroupFloor
from benchmarks.floors.joining import JoinFloor
from benchmarks.floors.left_joining import LeftJoinFloor
from benchmarks.floors.positions import PositionsFloor
from benchmarks.floors.sorting import SortedFloor
from benchmarks.floors.three_way import COUNTRIES, ThreeWayFloor
from benchmarks.floors.top import LIMIT, TopFloor
from benchmarks.lines import Lines
from benchmarks.traffic import Shop, Traffic, Transcript
from dataflow import Query, Source, count, fold, max_, min_, query, sum_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.floors.floor import MakeFloor
    from benchmarks.traffic import Row

Kind: TypeAlias = Literal["load", "hydrate", "change", "batch"]
"""Filling the tables, starting the view on full tables, single changes, batches of changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to live data.

    Attributes:
        name: on the command line and in the report.
        text: the question in words.
        traffic: (size, seed) -> traffic.
        ask: the tables as sources -> the engine's query.
        floor: makes the view by hand.
        ordered: whether the order of the result matters.
        positions: whether the subscriber is told where rows stand, with splices in place of changes.
        sizes: sizes to run at, if not those of the plan.
        kinds: how it is measured.
        workload: what its changes belong to.
    """

    name: str
    text: str
    traffic: Callable[[int, int], Traffic]
    ask: Callable[[Mapping[str, Source[Row]]], Query[Any]]
    floor: MakeFloor
    ordered: bool = False
    positions: bool = False
    sizes: tuple[int, ...] | None = None
    kinds: tuple[Kind, ...] = ("hydrate", "change", "batch")
    workload: str = "W2"

    @property
    def workloads(self) -> set[str]:
        """All that the question is asked in, as far as tables are changed or filled."""
        return {self.workload, *(["W1"] if {"load", "hydrate"} & {*self.kinds} else [])}


def _filter(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order = sources["orders"].alias("order")
    return query(order).where(order.status == "open", order.priority >= 1)


def _distinct(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order = sources["orders"].alias("order")
    return query(order).select(region=order.region, amount=order.amount).distinct()


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


def _sorted(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    order = sources["orders"].alias("order")
    return query(order).order_by(order.score.desc())


def _three_way(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    line, order = sources["lines"].alias("line"), sources["orders"].alias("order")
    user = sources["users"].alias("user")
    joined = query(line).join(order, on=line.order_id == order.id)
    joined = joined.join(user, on=order.user_id == user.id)
    kept = joined.where(order.status == "open", user.country < COUNTRIES)
    grouped = kept.group_by(line.order_id)
    return grouped.select(order_id=line.order_id, n=count(), total=sum_(line.price))


def _fold(sources: Mapping[str, Source[Row]]) -> Query[Row]:
    chunk = sources["chunks"].alias("chunk")
    text = fold(chunk.chunk, "", _append, order_by=chunk.seq)
    return query(chunk).group_by(chunk.message_id).select(id=chunk.message_id, text=text)


def _append(text: str, chunk: str) -> str:
    return text + chunk


QUESTIONS = (
    Question(
        name="filter",
        text="open orders of some priority",
        traffic=Shop,
        ask=_filter,
        floor=FilterFloor,
        kinds=("load", "hydrate", "change", "batch"),
    ),
    Question(
        name="distinct",
        text="the different pairs of region and amount",
        traffic=Shop,
        ask=_distinct,
        floor=DistinctFloor,
    ),
    Question(
        name="join",
        text="orders with the name of their user",
        traffic=partial(Shop, users=0.05, orphans=0.09),
        ask=_join,
        floor=JoinFloor,
    ),
    Question(
        name="leftjoin",
        text="all orders, with the name of their user if any",
        traffic=partial(Shop, users=0.05, orphans=0.09),
        ask=_left_join,
        floor=LeftJoinFloor,
    ),
    Question(
        name="group100",
        text="count, sum, min, max of orders by region (100)",
        traffic=Shop,
        ask=partial(_group, by="region"),
        floor=partial(GroupFloor, by="region"),
    ),
    Question(
        name="groupfk",
        text="count, sum, min, max of orders by user (N / 10)",
        traffic=Shop,
        ask=partial(_group, by="user_id"),
        floor=partial(GroupFloor, by="user_id"),
    ),
    Question(
        name="groupfloat",
        text="as group100, of amounts that are floats",
        traffic=partial(Shop, unit=0.25),
        ask=partial(_group, by="region"),
        floor=partial(GroupFloor, by="region"),
    ),
    Question(
        name="top100",
        text="the hundred orders with the highest scores",
        traffic=partial(Shop, hot=150),
        ask=_top,
        floor=TopFloor,
        ordered=True,
    ),
    Question(
        name="sorted",
        text="all orders, the highest scores first",
        traffic=Shop,
        ask=_sorted,
        floor=SortedFloor,
        ordered=True,
    ),
    Question(
        name="positions",
        text="as sorted, telling where each changed row stands",
        traffic=Shop,
        ask=_sorted,
        floor=PositionsFloor,
        ordered=True,
        positions=True,
        kinds=("change",),
    ),
    Question(
        name="threeway",
        text="count and sum of the lines of each open order, for users of some countries",
        traffic=Lines,
        ask=_three_way,
        floor=ThreeWayFloor,
    ),
    Question(
        name="fold",
        text="one more chunk to a text of N chunks",
        traffic=Transcript,
        ask=_fold,
        floor=FoldFloor,
        sizes=(10, 1_000, 5_000, 20_000),
        kinds=("change",),
        workload="W3",
    ),
)
