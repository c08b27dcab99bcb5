"""Orders with a collation: against SQLite, against the definition, and wherever an order may stand."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.collection.collection import Collection
from dataflow.live.live import live, run
from dataflow.query.aggregates import collect
from dataflow.query.builder import query
from dataflow.query.functions import selected
from dataflow.query.nesting import nested
from dataflow.query.windows import rank

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4)
NAMES = st.lists(st.sampled_from("aAbB_0") | st.just("10") | st.just("9"), max_size=4).map("".join)
WORDS = ["b", "B", "a", "Émile", "emil", "file10", "file9", "File2", None, 3]


def words(*texts: Any) -> Collection[dict[str, Any]]:
    made = Collection("words", key="id")
    with made.sync() as write:
        for number, text in enumerate(texts):
            write.insert({"id": number, "text": text})
    return made


def texts(rows: list[dict[str, Any]]) -> list[Any]:
    return [row["text"] for row in rows]


@given(before=st.lists(ASCII | NAMES, max_size=6), after=st.lists(ASCII | NAMES, max_size=6))
def test_nocase_is_the_nocase_of_sqlite(before: list[str], after: list[str]) -> None:
    source = words(*before)
    word = source.alias("word")
    results = {
        "ASC": live(query(word).order_by(word.text.asc(collation="nocase")).limit(4)),
        "DESC": live(query(word).order_by(word.text.desc(collation="nocase")).limit(4)),
    }
    with source.sync() as write:
        for number, text in enumerate(after):
            write.upsert({"id": 5 - number, "text": text})
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE words (id, text)")
        rows = [(row["id"], row["text"]) for row in source.rows()]
        database.executemany("INSERT INTO words VALUES (?, ?)", rows)
        for direction, result in results.items():
            expected = database.execute(
                f"SELECT text FROM words ORDER BY text COLLATE NOCASE {direction}, id LIMIT 4"
            )
            assert texts(result.rows()) == [text for (text,) in expected]
    database.close()


@given(st.lists(NAMES, max_size=8))
def test_natural_compares_digits_as_numbers(names: list[str]) -> None:
    def by_parts(name: str) -> list[tuple[int, int | str]]:
        """A digit stands before letters and after the end of the text, as by code point."""
        parts = re.findall("[0-9]+|[^0-9]", name.casefold())
        return [(48, int(part)) if part[0].isdigit() else (ord(part), 0) for part in parts]

    source = words(*names)
    word = source.alias("word")
    found = texts(run(query(word).order_by(word.text.asc(collation="natural"))))
    assert found == sorted(names, key=by_parts)


@pytest.mark.parametrize(
    ("collation", "expected"),
    [
        (None, [3, "B", "File2", "a", "b", "emil", "file10", "file9", "Émile", None]),
        ("nocase", [3, "a", "b", "B", "emil", "file10", "File2", "file9", "Émile", None]),
        ("unaccented", [3, "a", "b", "B", "emil", "Émile", "file10", "File2", "file9", None]),
        ("natural", [3, "a", "b", "B", "emil", "File2", "file9", "file10", "Émile", None]),
    ],
)
def test_texts_that_are_level_stand_by_key_and_other_kinds_by_rank(
    collation: Any, expected: list[Any]
) -> None:
    source = words(*WORDS)
    word = source.alias("word")
    by = word.text.asc(nulls="last", collation=collation)
    assert texts(run(query(word).order_by(by))) == expected


def test_a_collation_holds_wherever_an_order_stands() -> None:
    source = words("b", "B", "a")
    word, group = source.alias("word"), source.alias("group")
    by = word.text.desc(collation="nocase")
    assert run(query(word).select(all=collect(word.text, order_by=by))) == [
        {"all": ["b", "B", "a"]}
    ]
    ranked = query(word).select(text=word.text, place=rank().over(order_by=by))
    assert [row["place"] for row in run(ranked)] == [1, 1, 3]
    inner = query(word).where(word.id >= group.id).order_by(by).limit(1).select(text=word.text)
    outer = query(group).select(id=group.id, best=nested(inner)).order_by(group.id)
    assert [row["best"] for row in run(outer)] == [
        [{"text": "b"}],
        [{"text": "B"}],
        [{"text": "a"}],
    ]
    distinct = query(word).select(text=word.text).distinct()
    assert texts(run(distinct.order_by(selected.text.asc(collation="nocase")))) == ["a", "B", "b"]
    groups = query(word).group_by(word.text).select(text=word.text).order_by(by)
    assert texts(run(groups)) == ["B", "b", "a"]


def test_an_order_shows_its_collation() -> None:
    word = words().alias("word")
    assert repr(word.text.asc(collation="nocase")) == '<Order word.text.asc(collation="nocase")>'
    assert repr(word.text.desc(nulls="last", collation="natural")) == (
        '<Order word.text.desc(nulls="last", collation="natural")>'
    )
