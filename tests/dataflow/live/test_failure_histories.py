"""Functions that fail at random in the middle of plans with several inputs, shared nodes and derived results."""

import random
from functools import partial
from typing import Any

import pytest

from dataflow import Collection, LiveQuery, batch, collect, count, live, query, selected, sum_
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]
BAD = 7


def good_only(row: Row) -> Row:
    if row["v"] == BAD:
        raise ValueError(row["id"])
    return row


class World:
    """A table whose rows may be bad, one whose rows never are, and results over them in layers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.risky, self.safe = Collection("risky", key="id"), Collection("safe", key="id")
        s = self.safe.alias("s")
        checked = live(query(self.risky).map(good_only))
        c = checked.alias("c")
        joined = query(c).join(s, on=c.id == s.id, how="left").select(id=c.id, v=c.v, w=s.v)
        reverse = query(s).join(c, on=s.v == c.v).select(id=s.id, w=c.id)
        j = live(joined).alias("j")
        total = sum_(j.v)
        groups = query(j).group_by(j.w).select(w=j.w, n=count(), total=total, ids=collect(j.id))
        self.fragile: list[tuple[Any, Any]] = [
            (query(checked), None),
            (joined, "id"),
            (reverse, None),
            (groups, None),
            (groups.order_by(selected.total.desc()).limit(2), None),
            (query(live(groups).alias("g")).select(n=count()), None),
            (query(c).join(checked.alias("d"), on=c.v == checked.alias("d").v), None),
        ]
        self.sturdy = live(query(s).group_by(s.v).select(v=s.v, n=count()))
        self.results = [live(text, key=key) for text, key in self.fragile]
        self.folded: list[dict[Any, Any]] = [{} for _ in self.results]
        for result, state in zip(self.results, self.folded, strict=True):
            result.subscribe(partial(self.fold, state))

    @staticmethod
    def fold(state: dict[Any, Any], changes: list[Any]) -> None:
        for change in changes:
            assert state.pop(change.key, None) == change.old
            if change.op != "delete":
                state[change.key] = change.value

    def commit(self) -> None:
        with batch():
            for table in self.random.choice([[self.risky], [self.safe], [self.risky, self.safe]]):
                with table.sync() as writer:
                    for _ in range(self.random.randint(1, 3)):
                        key = self.random.randrange(5)
                        if self.random.random() < 0.35:
                            writer.delete(key)
                        else:
                            bad = table is self.risky and self.random.random() < 0.15
                            v = BAD if bad else self.random.randrange(4)
                            writer.upsert({"id": key, "v": v})

    def anew(self, text: Any, key: Any) -> dict[Any, Any]:
        with current_graph().isolated(), live(text, key=key) as result:
            return dict(result)


@pytest.mark.parametrize("seed", range(10))
def test_all_that_depends_on_a_failure_stands_still_and_then_catches_up(seed: int) -> None:
    world = World(seed)
    last: list[dict[Any, Any]] = [dict(result) for result in world.results]
    for result, state in zip(world.results, world.folded, strict=True):
        state.update(result)
    failures = 0
    for _ in range(80):
        world.commit()
        failing = any(row["v"] == BAD for row in world.risky.values())
        failures += failing
        statuses = {result.status for result in world.results}
        assert statuses == {"error" if failing else "ready"}
        if not failing:
            last = [world.anew(text, key) for text, key in world.fragile]
        assert [dict(result) for result in world.results] == last == world.folded
        s = world.safe.alias("s")
        assert world.sturdy == world.anew(query(s).group_by(s.v).select(v=s.v, n=count()), None)
    assert 10 < failures < 70


def test_a_result_that_starts_while_its_source_is_in_error_catches_up() -> None:
    items = Collection("items", key="id")
    checked: LiveQuery[Row] = live(query(items).map(good_only))
    with items.sync() as write:
        write.insert({"id": 1, "v": 1})
    with items.sync() as write:
        write.insert({"id": 2, "v": BAD})
    c = checked.alias("c")
    late = live(query(c).select(n=count(), total=sum_(c.v)))
    assert (late.status, late.rows()) == ("error", [])
    seen: list[Any] = []
    late.subscribe(seen.append)
    with items.sync() as write:
        write.update({"id": 2, "v": 2})
    assert (late.status, late.rows()) == ("ready", [{"n": 2, "total": 3}])
    assert [[change.op for change in changes] for changes in seen] == [["insert"]]
