"""Drafts: changed in place, however deep, and the stored row stays what it was."""

from __future__ import annotations

import copy
import random
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from dataflow import Collection, CollectionError, Transaction


class Author(BaseModel):
    """Frozen, nested in a row."""

    model_config = ConfigDict(frozen=True)

    name: str
    tags: tuple[str, ...] = ()


class Post(BaseModel):
    """A frozen row."""

    model_config = ConfigDict(frozen=True)

    id: int
    title: str = ""
    author: Author = Author(name="")
    parts: list[dict[str, Any]] = []
    reviewers: list[Author] = []

    @property
    def label(self) -> str:
        """Something computed."""
        return f"{self.id}: {self.title}"


def drafted(row: Any) -> tuple[Collection[Any], Transaction]:
    """Return a collection with a synced row, and an open transaction."""
    made: Collection[Any] = Collection("rows", key="id", row=type(row))
    with made.sync() as write:
        write.insert(row)
    return made, Transaction(mutation_fn=lambda tx: None)


def test_nested_changes_become_one_update_of_the_fields_they_are_in() -> None:
    row = {"id": 1, "title": "x", "meta": {"a": {"b": [1, 2]}, "c": 3}, "tags": {"p"}, "n": 1}
    before = copy.deepcopy(row)
    rows, tx = drafted(row)
    with tx, rows.draft(1) as draft:
        draft["meta"]["a"]["b"].append(3)
        draft["meta"]["d"] = draft["meta"].pop("c")
        draft["tags"].add("q")
        draft["n"] += 1
    assert tx.mutations[0].changes == {
        "meta": {"a": {"b": [1, 2, 3]}, "d": 3},
        "tags": {"p", "q"},
        "n": 2,
    }
    assert rows[1] == {
        "id": 1,
        "title": "x",
        "meta": {"a": {"b": [1, 2, 3]}, "d": 3},
        "tags": {"p", "q"},
        "n": 2,
    }
    assert row == before


def test_frozen_models_can_be_assigned_to_in_a_draft() -> None:
    post = Post(
        id=1,
        author=Author(name="Ada", tags=("x",)),
        parts=[{"text": "a"}],
        reviewers=[Author(name="Bo"), Author(name="Cy")],
    )
    rows, tx = drafted(post)
    with tx, rows.draft(1) as draft:
        draft.title = "new"
        draft.author.name = draft.author.name.upper()
        draft.parts[0]["text"] += "b"
        draft.reviewers[1].tags = ("late",)
        assert draft.label == "1: "  # of the row as it was
    assert rows[1] == Post(
        id=1,
        title="new",
        author=Author(name="ADA", tags=("x",)),
        parts=[{"text": "ab"}],
        reviewers=[Author(name="Bo"), Author(name="Cy", tags=("late",))],
    )
    assert rows[1].reviewers[0] is post.reviewers[0]
    assert sorted(tx.mutations[0].changes) == ["author", "parts", "reviewers", "title"]
    assert post.author == Author(name="Ada", tags=("x",))
    assert post.parts == [{"text": "a"}]


def test_fields_that_nobody_looked_at_are_not_copied() -> None:
    class Heavy:
        def __deepcopy__(self, memo: Any) -> Any:
            raise AssertionError("copied")

    row = {"id": 1, "heavy": Heavy(), "list": [1]}
    rows, tx = drafted(row)
    with tx, rows.draft(1) as draft:
        draft["list"].append(2)
    assert rows[1]["heavy"] is row["heavy"]
    assert tx.mutations[0].changes == {"list": [1, 2]}


def test_looking_changes_nothing_and_an_assigned_field_is_kept_though_it_is_equal() -> None:
    rows, tx = drafted({"id": 1, "list": [1], "a": 0, "b": 0})
    with tx, rows.draft(1) as draft:
        assert (draft["list"], dict(draft)["a"], "nope" in draft, len(draft)) == ([1], 0, False, 4)
    assert tx.mutations == []
    with tx, rows.draft(1) as draft:
        draft["a"] = 0
    assert tx.mutations[0].changes == {"a": 0}
    with rows.sync() as write:
        write.update({"id": 1, "a": 5, "b": 5})
    assert rows[1] == {"id": 1, "a": 0, "b": 5}


def test_a_change_that_is_undone_is_none() -> None:
    rows, tx = drafted({"id": 1, "list": [1]})
    with tx, rows.draft(1) as draft:
        draft["list"].append(2)
        draft["list"].pop()
    assert tx.mutations == []


def test_a_deleted_field_is_null() -> None:
    rows, tx = drafted({"id": 1, "a": 1})
    with tx, rows.draft(1) as draft:
        del draft["a"]
        with pytest.raises(KeyError):
            del draft["nope"]
    assert rows[1] == {"id": 1, "a": None}


@dataclass
class Box:
    """A mutable object inside a row."""

    items: list[int] = field(default_factory=list)


def test_objects_are_not_touched_either() -> None:
    box, raw = Box([1]), bytearray(b"a")
    rows, tx = drafted({"id": 1, "box": box, "raw": raw})
    with tx, rows.draft(1) as draft:
        draft["box"].items.append(2)
        draft["raw"].extend(b"b")
    assert (rows[1]["box"], rows[1]["raw"]) == (Box([1, 2]), bytearray(b"ab"))
    assert (box, raw) == (Box([1]), bytearray(b"a"))


def test_objects_in_a_draft_are_found_by_what_they_will_be() -> None:
    ada, bo, cy = (Author(name=name) for name in ("Ada", "Bo", "Cy"))
    rows, tx = drafted(Post(id=1, author=ada, reviewers=[ada, bo]))
    with tx, rows.draft(1) as draft:
        assert draft.author == draft.reviewers[0] == ada != draft.reviewers[1]
        draft.reviewers[1].name = "Cy"
        assert cy in draft.reviewers
        assert bo not in draft.reviewers
        draft.reviewers.remove(ada)
    assert rows[1].reviewers == [cy]


def test_leaving_by_an_exception_changes_nothing() -> None:
    rows, _ = drafted({"id": 1, "list": [1]})

    def raising() -> None:
        with rows.draft(1) as draft:
            draft["list"].append(2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        raising()
    assert rows[1] == {"id": 1, "list": [1]}


def test_a_draft_knows_its_transaction_and_is_for_one_change() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    rows.insert({"id": 1, "n": 1})
    draft = rows.draft(1)
    with draft as row:
        row["n"] = 2
    assert draft.transaction is not None
    assert (draft.transaction.state, rows[1]) == ("completed", {"id": 1, "n": 2})
    with pytest.raises(CollectionError, match="a draft is for one change"):
        draft.__enter__()


def test_a_draft_is_validated_like_an_update() -> None:
    rows, _ = drafted(Post(id=1))

    def wrong() -> None:
        with rows.draft(1) as draft:
            draft.title = ["not", "text"]

    with pytest.raises(CollectionError, match="collection 'rows': field 'title': input should be"):
        wrong()
    with pytest.raises(AttributeError, match="has no field 'titel'"), rows.draft(1) as draft:
        draft.titel = "x"
    assert rows[1] == Post(id=1)


def test_inside_a_block_a_draft_sees_what_is_staged() -> None:
    rows, tx = drafted({"id": 1, "list": [1]})
    with tx:
        rows.update(1, list=[5])
        with rows.draft(1) as draft:
            draft["list"].append(6)
    assert rows[1] == {"id": 1, "list": [5, 6]}


JSON = st.recursive(
    st.integers(0, 3) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


def edited(value: Any, rng: random.Random, depth: int = 0) -> None:
    """Change something inside a list or a dict, in place."""
    keys: list[Any] = list(range(len(value)) if isinstance(value, list) else value)
    if keys and rng.random() < 0.7:
        key = rng.choice(keys)
        if isinstance(value[key], list | MutableMapping) and depth < 3:
            edited(value[key], rng, depth + 1)
        elif depth and rng.random() < 0.3:
            value.pop(key)
        else:
            value[key] = rng.choice([0, "z", [1], {"a": 1}])
    elif isinstance(value, list):
        value.append(rng.randrange(3))
    else:
        value[rng.choice("abcd")] = rng.choice([7, [], {"b": []}])


@given(st.dictionaries(st.sampled_from("abcd"), JSON), st.integers(0, 10_000), st.integers(1, 5))
def test_a_draft_ends_as_a_deep_copy_that_was_changed(
    fields: dict[str, Any], seed: int, edits: int
) -> None:
    row = {"id": 1, **fields}
    before, copied = copy.deepcopy(row), copy.deepcopy(row)
    rows, tx = drafted(row)
    ours, theirs = random.Random(seed), random.Random(seed)
    with tx, rows.draft(1) as draft:
        for _ in range(edits):
            edited(draft, ours)
            edited(copied, theirs)
        draft["id"] = copied["id"] = 1
    assert rows[1] == copied
    assert row == before
    (mutation,) = tx.mutations
    changed = {name for name in copied if name not in before or copied[name] != before[name]}
    assert changed <= set(mutation.changes)
