"""Lists as rows: against SQLite's json_each and the reference, change by change."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.collection.collection import Collection
from dataflow.live.explain import explain
from dataflow.live.live import live, run
from dataflow.query import ir
from dataflow.query.aggregates import count, string_agg
from dataflow.query.builder import query
from dataflow.query.functions import fn, selected
from dataflow.query.unnesting import unnest
from dataflow.testing.incremental import assert_incremental
from tests.oracle.reference import evaluate

if TYPE_CHECKING:
    from dataflow.collection.changes import Change

TAGS = st.none() | st.lists(st.sampled_from(["a", "b", None, 1, 2.5]), max_size=3)
POSTS = st.dictionaries(st.integers(0, 3), TAGS, max_size=3)


@dataclass(frozen=True)
class Note:
    id: int
    words: list[str]


def posts(found: dict[int, Any]) -> Collection[dict[str, Any]]:
    made = Collection("posts", key="id")
    with made.sync() as write:
        for number, tags in found.items():
            write.insert({"id": number, "by": "ann", "tags": tags})
    return made


def tags_of(source: Collection[dict[str, Any]], **options: Any) -> Any:
    post = source.alias("post")
    return unnest(query(post).select(post=post.id, tag=post.tags), "tag", **options)


@given(before=POSTS, after=POSTS)
def test_the_rows_are_those_of_json_each(before: dict[int, Any], after: dict[int, Any]) -> None:
    source = posts(before)
    built = tags_of(source, position="n")
    result = live(built)
    seen = dict(result)
    result.subscribe(lambda changes: fold(seen, changes))
    with source.sync() as write:
        for number in before.keys() - after.keys():
            write.delete(number)
        for number, tags in after.items():
            write.upsert({"id": number, "by": "ann", "tags": tags})
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE posts (id, tags)")
    rows = [(number, json.dumps(tags)) for number, tags in after.items() if tags is not None]
    database.executemany("INSERT INTO posts VALUES (?, ?)", rows)
    expected = database.execute(
        "SELECT posts.id, each.key, each.value FROM posts, json_each(tags) AS each ORDER BY 1, 2"
    ).fetchall()
    database.close()
    shown = {(post, n): {"post": post, "tag": tag, "n": n} for post, n, tag in expected}
    assert dict(result) == shown == seen == dict(live(built))


def fold(seen: dict[Any, Any], changes: list[Change[Any]]) -> None:
    for change in changes:
        if change.op == "delete":
            del seen[change.key]
        else:
            seen[change.key] = change.value


def test_a_change_tells_of_the_places_it_changes() -> None:
    source = posts({1: ["a", "b"], 2: ["c"]})
    result = live(tags_of(source))
    news: list[Any] = []
    result.subscribe(lambda changes: news.extend((c.op, c.key, c.value["tag"]) for c in changes))
    with source.sync() as write:
        write.update({"id": 1, "by": "ann", "tags": ["a", "x", "y"]})
    with source.sync() as write:
        write.update({"id": 1, "by": "bob", "tags": ["a", "x", "y"]})
        write.update({"id": 2, "by": "ann", "tags": "c"})
    assert news == [("update", (1, 1), "x"), ("insert", (1, 2), "y"), ("delete", (2, 0), "c")]


def test_elements_take_part_in_everything_else() -> None:
    source = posts({1: ["a", "b"], 2: ["b"], 3: None, 4: [["nested"], {"k": 1}]})
    tag = tags_of(source).alias("tag")
    by_tag = (
        query(tag)
        .where(tag.tag.in_(["a", "b"]))
        .group_by(tag.tag)
        .select(tag=tag.tag, n=count(), posts=string_agg(tag.post, ","))
        .order_by(selected.n.desc())
    )
    assert run(by_tag) == [
        {"tag": "b", "n": 2, "posts": "1,2"},
        {"tag": "a", "n": 1, "posts": "1"},
    ]
    again = unnest(query(tag).where(tag.post == 4).select(tag), "tag")
    assert run(again) == [{"post": 4, "tag": "nested"}]
    assert "unnest tag" in explain(by_tag)


def test_a_collection_is_unnested_as_it_is() -> None:
    undeclared = posts({1: ("a", "b")})
    assert run(unnest(undeclared, "tags")) == [
        {"id": 1, "by": "ann", "tags": "a"},
        {"id": 1, "by": "ann", "tags": "b"},
    ]
    declared = Collection("notes", row=Note, key="id")
    with declared.sync() as write:
        write.insert(Note(1, ["x"]))
    note = declared.alias("note")
    words = unnest(query(note).where(note.id > 0), "words", position="n")
    assert run(words) == [{"id": 1, "words": "x", "n": 0}]
    assert (words.columns, words.row_type) == (("id", "words", "n"), dict)
    assert unnest(undeclared, "tags").columns is None


def test_functions_below_run_once_for_a_version_of_a_row() -> None:
    calls: list[str] = []

    def split(text: str) -> list[str]:
        calls.append(text)
        return text.split()

    source = Collection("texts", key="id")
    with source.sync() as write:
        write.insert({"id": 1, "text": "a b"})
    text = source.alias("text")
    words = live(unnest(query(text).select(word=fn(split, text.text)), "word", position="n"))
    with source.sync() as write:
        write.update({"id": 1, "text": "a c"})
    assert words.rows() == [{"word": "a", "n": 0}, {"word": "c", "n": 1}]
    assert calls == ["a b", "a c"]


@pytest.mark.parametrize("seed", range(3))
def test_a_query_over_elements_is_incremental(seed: int) -> None:
    source = Collection("posts", key="id")
    tag = tags_of(source, position="n").alias("tag")
    rows = [{"id": n, "by": "ann", "tags": [n % 3, "x"][: n % 3]} for n in range(12)]
    built = query(tag).group_by(tag.tag).select(tag=tag.tag, n=count()).order_by(selected.n)
    assert_incremental(built, (source, rows), steps=60, seed=seed)
    with source.sync() as write:
        for row in rows:
            write.insert(row)
    tree = built._plan()
    tables = {scan.source: list(source.items()) for scan in ir.scans(tree)}
    assert [row for _, row in evaluate(tree, tables)] == run(built)
