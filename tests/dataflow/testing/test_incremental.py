import itertools
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest

from dataflow import (
    Change,
    Collection,
    CollectionError,
    Source,
    collect,
    count,
    live,
    max_,
    query,
    run,
    selected,
    sum_,
)
from dataflow.query.compiler.group import Group
from dataflow.query.compiler.order import Order
from dataflow.testing import assert_incremental

Row = dict[str, Any]


class Chunk(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    id: str
    message_id: str
    role: str
    chunk: str
    seq: int
    created_at: str


@dataclass(frozen=True)
class Message:
    id: str
    role: str
    content: str


def materialize(row: Row) -> Message:
    rows: list[Chunk] = row["rows"]
    rows.sort(key=lambda chunk: chunk.seq)
    content = "".join([rows.pop(0).chunk, *(chunk.chunk for chunk in rows)])
    return Message(row["id"], "user", content)


def materialized(chunks: Source[Chunk]) -> Any:
    chunk = chunks.alias("chunk")
    group = (
        query(chunk)
        .group_by(chunk.message_id)
        .select(
            id=chunk.message_id,
            rows=collect(chunk, order_by=chunk.seq),
            started_at=max_(chunk.created_at),
            n=count(),
        )
        .alias("group")
    )
    return query(group).order_by(group.started_at.desc()).map(materialize)


CHUNKS = [
    Chunk(
        id=f"m{i % 3}:{i}",
        message_id=f"m{i % 3}",
        role="user",
        chunk=chr(97 + i),
        seq=i % 7,
        created_at=f"{i:04}",
    )
    for i in range(20)
]


def numbers() -> tuple[Collection[Row], list[Row]]:
    return Collection("numbers", key="id"), [{"id": i, "g": i % 3, "v": i} for i in range(12)]


def test_a_query_of_ones_own_passes_and_its_collection_is_as_before() -> None:
    chunks = Collection("chunks", row=Chunk, key="id")
    assert_incremental(materialized(chunks), (chunks, CHUNKS), steps=100, seed=7)
    assert run(materialized(chunks)) == []


def test_collections_keep_their_rows_and_the_order_of_them() -> None:
    items, rows = numbers()
    with items.sync() as write:
        for row in reversed(rows[:5]):
            write.insert(row)
    before = items.rows()
    item = items.alias()
    assert_incremental(query(item).where(item.v > 3), (items, rows), steps=30)
    assert all(a is b for a, b in zip(items.rows(), before, strict=True))


def test_several_collections_with_joins_groups_order_and_keys() -> None:
    left, rows = numbers()
    right = Collection("groups", key="g")
    a, b = left.alias("a"), right.alias("b")
    text = (
        query(a)
        .join(b, on=a.g == b.g, how="left")
        .group_by(b.name)
        .select(name=b.name, total=sum_(a.v), ids=collect(a.id))
        .order_by(selected.total.desc())
        .limit(2)
    )
    groups = [{"g": g, "name": name} for g in range(3) for name in ("x", "y")]
    assert_incremental(text, (left, rows), (right, groups), steps=100, seed=1)
    assert_incremental(live(text), (left, rows), (right, groups), steps=30, seed=2)


def test_the_same_seed_makes_the_same_history() -> None:
    def history(seed: int) -> list[list[Change[Row]]]:
        items, rows = numbers()
        seen: list[list[Change[Row]]] = []
        items.subscribe(seen.append)
        assert_incremental(query(items), (items, rows), steps=50, seed=seed)
        return seen

    assert history(3) == history(3) != history(4)


def test_the_history_inserts_updates_deletes_and_re_inserts_several_at_a_time() -> None:
    items, rows = numbers()
    other: Collection[Row] = Collection("other", key="id")
    seen: list[Any] = []
    gone: set[Any] = set()
    both: list[tuple[int, int]] = []

    def look(changes: list[Change[Row]]) -> None:
        for change in changes:
            seen.append("re-insert" if change.op == "insert" and change.key in gone else change.op)
            gone.update({change.key} if change.op == "delete" else ())
        both.append((len(changes), len(other)))

    items.subscribe(look)
    a, b = items.alias(), other.alias()
    text = query(a).join(b, on=a.v == b.id).select(v=a.v)
    assert_incremental(text, (items, rows), (other, rows), steps=100)
    assert set(seen) == {"insert", "update", "delete", "re-insert"}
    assert {size for size, _ in both} >= {1, 2, 3}


def failure(text: Any, *sources: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_incremental(text, *sources, **options)
    return str(caught.value)


def test_a_function_that_is_not_pure_is_found() -> None:
    items, rows = numbers()
    counter = itertools.count()
    text = query(items).map(lambda row: {**row, "n": next(counter)})
    message = failure(text, (items, rows), seed=5)
    assert message.startswith("the live result differs from run(query) at step 0 (seed=5)\n")
    assert "last commit:\n  insert numbers {'id': " in message
    assert "difference:\n  " in message
    assert items.rows() == []


def test_a_function_that_raises_is_the_cause() -> None:
    items, rows = numbers()
    text = query(items).map(lambda row: 1 / (row["v"] - 3))
    with pytest.raises(AssertionError, match=r"the query failed at step \d+ \(seed=0\)") as caught:
        assert_incremental(text, (items, rows))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert items.rows() == []


def test_a_result_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Group.step
    monkeypatch.setattr(Group, "step", lambda self: [c for c in step(self) if c[2] is not None])
    items, rows = numbers()
    item = items.alias()
    text = query(item).group_by(item.g).select(g=item.g, n=count())
    assert "the fold of its changes differs" in failure(text, (items, rows))


def test_a_wrong_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Order.ordered_keys

    def wrong_after_a_step(self: Order) -> list[Any]:
        keys = list(right(self))
        return keys[::-1] if self.steps else keys

    items, rows = numbers()
    item = items.alias()
    text = query(item).order_by(item.v.desc())
    assert_incremental(text, (items, rows))
    monkeypatch.setattr(Order, "ordered_keys", wrong_after_a_step)
    assert "the order differs from run(query)" in failure(text, (items, rows))


def test_rows_are_needed() -> None:
    items, _ = numbers()
    nothing: list[tuple[Any, ...]] = [(), ((items, []),)]
    for sources in nothing:
        with pytest.raises(CollectionError, match="needs rows to write"):
            assert_incremental(query(items), *sources)


def test_a_loading_source_is_refused() -> None:
    items: Collection[Row] = Collection("items", key="id", ready=False)
    with pytest.raises(CollectionError, match="still loading"):
        assert_incremental(query(items), (items, [{"id": 1}]))
