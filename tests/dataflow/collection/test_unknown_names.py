"""Names that collections and live results do not have: the errors say what to write instead."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest

from dataflow import Collection, live, query


@dataclass(frozen=True)
class Person:
    id: int
    name: str


PEOPLE = Collection("people", key="id", row=Person)
EVENTS = Collection("events", key="id")
ALIAS = "a field of its rows is named through an alias: x = source.alias('x'); x.field"
READ_ONLY = "it is read-only: write to the collections that its query reads"


@pytest.mark.parametrize(
    ("source", "name", "message", "notes"),
    [
        (PEOPLE, "name_", "(did you mean 'name'?)", [ALIAS]),
        (PEOPLE, "id", "", [ALIAS]),
        (PEOPLE, "inser", "(did you mean 'insert'?)", []),
        (PEOPLE, "append", "", ["here that is insert(row)"]),
        (EVENTS, "kind", "", [ALIAS]),
        (EVENTS, "toArray", "", ["here that is rows()"]),
        (live(query(PEOPLE)), "insert", "", [READ_ONLY]),
        (live(query(PEOPLE)), "writeInsert", "", [READ_ONLY]),
    ],
)
def test_unknown_names_are_refused_with_advice(
    source: Any, name: str, message: str, notes: list[str]
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(source, name)
    assert str(caught.value) == f"{source} has no attribute {name!r} {message}".rstrip()
    assert getattr(caught.value, "__notes__", []) == notes


@pytest.mark.parametrize("source", [PEOPLE, live(query(PEOPLE))])
def test_who_only_asks_whether_there_is_something_gets_an_answer(source: Any) -> None:
    assert not hasattr(source, "_ipython_display_")
    assert not hasattr(source, "nothing")
    assert getattr(source, "nothing", 1) == 1
    assert not hasattr(object.__new__(type(source)), "_name")  # before it has any state


def test_copies_are_as_they_were_without_the_advice() -> None:
    assert copy.copy(PEOPLE).name == "people"
