"""Window functions as users write them: what they answer, how they read, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import live, run
from dataflow.query.aggregates import avg, count, max_, min_, sum_
from dataflow.query.builder import query
from dataflow.query.functions import fn, selected
from dataflow.query.nesting import nested
from dataflow.query.render import render
from dataflow.query.windows import dense_rank, lag, lead, rank, row_number
from tests.dataflow.query.sources import ACTORS, MESSAGES, Message

if TYPE_CHECKING:
    from dataflow.query.expr import Expr

message = MESSAGES.alias("message")
actor = ACTORS.alias("actor")
newest = message.seq.desc()
position = row_number().over(partition_by=message.role, order_by=newest)
start = query(message)
anything: Any = start  # for calls that a type checker refuses, too
unfinished: Any = row_number()


def payments(*rows: tuple[Any, ...]) -> Collection[dict[str, Any]]:
    """Make a collection of (id, group, amount)."""
    made: Collection[dict[str, Any]] = Collection("payments", key="id")
    with made.sync() as write:
        for key, group, amount in rows:
            write.insert({"id": key, "group": group, "amount": amount})
    return made


FIVE = ((1, "a", 10), (2, "b", 5), (3, "a", 20), (4, "a", 10), (5, "b", None))
SOURCE = payments(*FIVE)
pay = SOURCE.alias("pay")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (row_number().over(partition_by=pay.group, order_by=pay.amount), [1, 2, 3, 2, 1]),
        (row_number().over(order_by=pay.amount.desc(nulls="last")), [2, 4, 1, 3, 5]),
        (rank().over(partition_by=pay.group, order_by=pay.amount), [1, 2, 3, 1, 1]),
        (rank().over(order_by=pay.group), [1, 4, 1, 1, 4]),
        (dense_rank().over(order_by=[pay.group, pay.amount.desc()]), [2, 4, 1, 2, 3]),
        (lag(pay.amount).over(partition_by=pay.group, order_by=pay.id), [None, None, 10, 20, 5]),
        (lag(pay.id, 2, default=-1).over(order_by=pay.id), [-1, -1, 1, 2, 3]),
        (lead(pay.amount, default=pay.id).over(order_by=pay.id), [5, 20, 10, None, 5]),
        (lead(pay.id, 0).over(order_by=pay.id), [1, 2, 3, 4, 5]),
        (count().over(partition_by=pay.group), [3, 2, 3, 3, 2]),
        (count(pay.amount).over(partition_by=pay.group), [3, 1, 3, 3, 1]),
        (count().over(order_by=pay.id), [1, 2, 3, 4, 5]),
        (sum_(pay.amount).over(), [45, 45, 45, 45, 45]),
        (sum_(pay.amount).over(partition_by=pay.group, order_by=pay.id), [10, 5, 30, 40, 5]),
        (sum_(pay.amount).where(pay.id > 1).over(order_by=pay.id), [None, 5, 25, 35, 35]),
        (avg(pay.amount).over(order_by=pay.id), [10.0, 7.5, 35 / 3, 11.25, 11.25]),
        (min_(pay.amount).over(order_by=pay.id), [10, 5, 5, 5, 5]),
        (max_(pay.amount).over(partition_by=[pay.group], order_by=[pay.id]), [10, 5, 20, 20, 5]),
        (min_(pay.amount).over(partition_by=pay.group), [10, 5, 10, 10, 5]),
        (avg(pay.amount).over(partition_by=pay.group), [40 / 3, 5.0, 40 / 3, 40 / 3, 5.0]),
        (count().over(partition_by=pay.amount, order_by=pay.id) * 10 - 1, [9, 9, 9, 19, 9]),
        (sum_(fn(lambda x: x, pay.id)).over(order_by=fn(lambda x: -x, pay.id)), [15, 14, 12, 9, 5]),
    ],
)
def test_a_window_function_answers_for_every_row(value: Expr[Any], expected: list[Any]) -> None:
    rows = run(query(pay).select(value=value).order_by(pay.id))
    assert [row["value"] for row in rows] == expected


def test_the_row_itself_can_be_handed_on() -> None:
    before = run(query(pay).select(was=lag(pay).over(order_by=pay.id)).order_by(pay.id))
    assert before[1] == {"was": {"id": 1, "group": "a", "amount": 10}}


def test_null_partitions_are_one() -> None:
    source = payments((1, None, 1), (2, None, 2), (3, "a", 4)).alias("p")
    total = sum_(source.amount).over(partition_by=source.group)
    rows = run(query(source).select(total=total).order_by(source.id))
    assert [row["total"] for row in rows] == [3, 3, 4]


def test_the_first_of_every_group_are_a_subquery_with_a_condition() -> None:
    ranked = query(pay).select(
        pay, position=row_number().over(partition_by=pay.group, order_by=pay.amount.desc())
    )
    r = ranked.alias("r")
    chosen = query(r).where(r.position <= 1).select(id=r.id).order_by(r.id)
    assert run(chosen) == [{"id": 3}, {"id": 5}]


def test_order_by_takes_windows_without_a_select_and_rows_stay_as_they_are() -> None:
    size = count().over(partition_by=pay.group)
    assert [row["id"] for row in run(query(pay).order_by(size, pay.id.desc()))] == [5, 2, 4, 3, 1]
    assert query(message).order_by(position).row_type is Message
    assert query(message).order_by(position).columns == query(message).columns


def test_a_selected_window_can_be_ordered_by_and_cut() -> None:
    place = row_number().over(order_by=pay.id.desc())
    ordered = query(pay).select(place=place).order_by(selected.place).limit(2, offset=1)
    assert run(ordered) == [{"place": 2}, {"place": 3}]


def test_windows_over_a_join_and_map() -> None:
    other = SOURCE.alias("other")
    pairs = query(pay).join(other, on=pay.group == other.group)
    rows = run(
        pairs.order_by(row_number().over(order_by=[pay.id.desc(), other.id.desc()]))
        .limit(1)
        .map(lambda row: (row["pay"]["id"], row["other"]["id"]))
    )
    assert rows == [(5, 5)]


def test_windows_over_groups_see_groups() -> None:
    rows = run(
        query(pay)
        .group_by(pay.group)
        .select(group=pay.group, place=rank().over(order_by=sum_(pay.amount).desc()), n=count())
        .having(count() > 1)
        .order_by(selected.place)
    )
    assert rows == [{"group": "a", "place": 1, "n": 3}, {"group": "b", "place": 2, "n": 2}]


def test_windows_stand_beside_nested_queries() -> None:
    other = SOURCE.alias("other")
    same = query(other).where(other.group == pay.group).select(id=other.id)
    rows = query(pay).select(n=count().over(partition_by=pay.group), same=nested(same))
    assert run(rows.order_by(pay.id).limit(1, offset=1)) == [
        {"n": 2, "same": [{"id": 2}, {"id": 5}]}
    ]


def test_distinct_looks_at_the_values_of_windows() -> None:
    rows = query(pay).select(n=count().over(partition_by=pay.group)).distinct()
    assert run(rows.order_by(selected.n)) == [{"n": 2}, {"n": 3}]


def test_a_user_function_in_a_window_sees_every_version_of_a_row_once() -> None:
    seen: list[Any] = []

    def amount_of(value: Any) -> Any:
        seen.append(value)
        return value

    source = payments((1, "a", 10), (2, "a", 20), (3, "a", 30))
    p = source.alias("p")
    total = sum_(fn(amount_of, p.amount)).over(partition_by=p.group, order_by=p.id)
    with live(query(p).select(total=total)) as totals:
        with source.sync() as write:
            write.update({"id": 1, "group": "a", "amount": 11})
        assert sorted(seen) == [10, 11, 20, 30]
        assert totals[3] == {"total": 61}


def test_one_change_for_every_row_whose_value_is_another() -> None:
    source = payments(*FIVE)
    p = source.alias("p")
    place = row_number().over(partition_by=p.group, order_by=p.amount.desc(nulls="last"))
    heard: list[tuple[Any, ...]] = []
    with live(query(p).select(place=place)) as places:
        places.subscribe(
            lambda changes: heard.extend((c.key, c.value["place"], c.old) for c in changes)
        )
        with source.sync() as write:
            write.update({"id": 4, "group": "a", "amount": 30})
        with source.sync() as write:
            write.update({"id": 2, "group": "b", "amount": 6})
        assert sorted(heard) == [(1, 3, {"place": 2}), (3, 2, {"place": 1}), (4, 1, {"place": 3})]


def test_running_sums_of_floats_do_not_remember_what_left() -> None:
    source = payments((1, "a", 0.1), (2, "a", 1e100), (3, "a", 0.2))
    p = source.alias("p")
    with live(query(p).select(sum=sum_(p.amount).over(order_by=p.id))) as sums:
        with source.sync() as write:
            write.delete(2)
        assert sums[3] == {"sum": 0.1 + 0.2}


def test_a_sum_that_fails_recovers_with_its_partition() -> None:
    source = payments((1, "a", 0.5), (2, "b", 1))
    p = source.alias("p")
    with live(query(p).select(sum=sum_(p.amount).over(partition_by=p.group))) as sums:
        with source.sync() as write:
            write.insert({"id": 3, "group": "a", "amount": Decimal(1)})
        assert (sums.status, sums[1]) == ("error", {"sum": 0.5})
        with source.sync() as write:
            write.update({"id": 3, "group": "a", "amount": 2})
        assert (sums.status, sums[1]) == ("ready", {"sum": 2.5})


def test_equal_windows_are_computed_once_and_alike_ones_together() -> None:
    total = sum_(message.seq).over(partition_by=message.role)
    built = start.select(position=position, total=total, share=message.seq / total)
    summed = "sum_(message.seq).over(partition_by=message.role)"
    numbered = "row_number().over(partition_by=message.role, order_by=message.seq.desc())"
    assert render(built._plan()) == (
        f"select position={numbered}, total={summed}, share=message.seq / {summed}\n"
        f"  window {summed}\n"
        f"    window {numbered}\n"
        "      scan messages as message"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            lag(message.seq, 2, 0).over(order_by=[message.role, newest]),
            "lag(message.seq, 2, 0).over(order_by=[message.role, message.seq.desc()])",
        ),
        (lead(message).over(order_by=newest), "lead(message, 1).over(order_by=message.seq.desc())"),
        (
            count().where(message.pending).over(partition_by=[message.role, message.id]),
            "count().where(message.pending).over(partition_by=[message.role, message.id])",
        ),
    ],
)
def test_a_window_function_reads_as_it_was_written(value: Expr[Any], text: str) -> None:
    assert repr(value) == f"<Expr {text}>"
