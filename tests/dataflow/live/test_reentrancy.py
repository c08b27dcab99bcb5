"""Callbacks that do anything, at random: write, subscribe, unsubscribe, start and close results, follow."""

import asyncio
import contextlib
import gc
import random
from typing import Any

import pytest

from dataflow import Change, Changes, Collection, LiveQuery, batch, count, live, query, sum_
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]


class Follower:
    """Folds the changes of a source, by subscription, and does something at random when it is called."""

    def __init__(self, world: "World", source: Any, *, where: Any) -> None:
        self.world, self.source, self.where = world, source, where
        self.state: dict[Any, Row] = {}
        self.subscription = source.subscribe(self.fold, initial=True, where=where)

    def fold(self, changes: list[Change[Row]]) -> None:
        assert changes
        assert len({change.key for change in changes}) == len(changes)
        for change in changes:
            assert self.state.pop(change.key, None) == change.old
            if change.op != "delete":
                self.state[change.key] = change.value
        self.world.act()

    def expected(self) -> dict[Any, Row]:
        return {k: row for k, row in self.source.items() if self.where is None or self.where(row)}


class World:
    """Two collections, some results over them, and those who follow."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tables = [Collection(name, key="id") for name in ("left", "right")]
        self.results: list[LiveQuery[Any]] = []
        self.followers: list[Follower] = []
        self.iterators: list[tuple[Changes[Any], Any, dict[Any, Row]]] = []
        self.budget = 0

    def act(self) -> None:
        """Do something, while there is anything left to do for this commit."""
        if self.budget > 0:
            self.budget -= 1
            self.random.choice([self.write, self.write, self.start, self.follow, self.close])()

    def write(self) -> None:
        with batch():
            for table in self.random.sample(self.tables, self.random.choice([1, 2])):
                with table.sync() as writer:
                    for _ in range(self.random.randint(1, 3)):
                        key = self.random.randrange(6)
                        if self.random.random() < 0.3:
                            writer.delete(key)
                        else:
                            writer.upsert({"id": key, "g": key % 2, "v": self.random.randrange(4)})

    def start(self) -> None:
        left, right = (table.alias() for table in self.tables)
        picked = self.random.choice([*self.tables, *self.results])
        p = picked.alias("p")
        text: Any = self.random.choice(
            [
                query(left).where(left.v > 1),
                query(left).join(right, on=left.id == right.id, how="left").select(v=right.v),
                query(left).group_by(left.g).select(g=left.g, n=count(), v=sum_(left.v)),
                query(right).order_by(right.v.desc()).limit(3),
                query(p).where(p.v != 2),
            ]
        )
        self.results.append(live(text))

    def follow(self) -> None:
        source = self.random.choice([*self.tables, *self.results])
        where = self.random.choice([None, lambda row: row.get("v") == 1])
        self.followers.append(Follower(self, source, where=where))

    def close(self) -> None:
        if self.followers and self.random.random() < 0.6:
            self.followers.pop(self.random.randrange(len(self.followers))).subscription.close()
        elif self.results:
            closed = self.results.pop(self.random.randrange(len(self.results)))
            closed.close()
            self.followers = [f for f in self.followers if f.source is not closed]

    def check(self) -> None:
        for follower in self.followers:
            assert follower.state == follower.expected()
        for result in self.results:
            assert result.status == "ready"
            with current_graph().isolated(), live(query(result)) as mirror:
                assert dict(mirror) == dict(result)

    def follow_by_iterator(self) -> None:
        source = self.random.choice(self.tables)
        self.iterators.append((source.changes(initial=True), source, {}))

    async def drain(self) -> None:
        """Let iterators that are behind catch up, now and then."""
        for changes, source, state in self.iterators:
            while (epoch := await at_once(changes)) is not None:
                for change in epoch:
                    assert state.pop(change.key, None) == change.old
                    if change.op != "delete":
                        state[change.key] = change.value
            assert state == dict(source)


async def at_once(changes: Changes[Any]) -> list[Change[Any]] | None:
    """Return the next changes if there are any, or give up waiting for them."""
    task = asyncio.ensure_future(changes.__anext__())
    await asyncio.sleep(0)
    if task.done():
        return task.result()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return None


@pytest.mark.parametrize("seed", range(30))
def test_followers_stay_right_whatever_callbacks_do(seed: int) -> None:
    gc.collect()
    before = current_graph().statistics()
    world = World(seed)
    for _ in range(25):
        world.budget = world.random.randint(0, 6)
        world.random.choice([world.write, world.write, world.start, world.follow, world.close])()
        world.check()
    for follower in world.followers:
        follower.subscription.close()
    for result in world.results:
        result.close()
    after = current_graph().statistics()
    assert (after.nodes, after.rows_held) == (before.nodes, before.rows_held)


@pytest.mark.parametrize("seed", range(5))
def test_iterators_of_any_pace_catch_up(seed: int) -> None:
    async def main() -> None:
        world = World(seed)
        for _ in range(60):
            if len(world.iterators) < 3:
                world.follow_by_iterator()
            world.write()
            if world.random.random() < 0.4:
                await world.drain()
        await world.drain()
        for changes, _, _ in world.iterators:
            await changes.aclose()

    asyncio.run(main())
