"""Compiled shapes: shared while they are kept, and kept in bounded number."""

import linecache

import pytest

from dataflow.query.compiler import factory as module
from dataflow.query.compiler.factory import factory

SOURCE = "def make(p0):\n    return lambda: p0\n"


def test_equal_shapes_share_one_factory() -> None:
    first = factory(("test", 1), lambda: SOURCE, label="test")
    assert factory(("test", 1), lambda: "never written", label="test") is first
    assert [first.make(value)() for value in (1, 2)] == [1, 2]


def test_the_oldest_shapes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHAPES_KEPT", 3)
    monkeypatch.setattr(module, "_factories", {})
    made = [factory(("kept", n), lambda: SOURCE, label="test") for n in range(5)]
    assert list(module._factories) == [("kept", 2), ("kept", 3), ("kept", 4)]
    assert [each.filename in linecache.cache for each in made] == [False, False, True, True, True]
    assert made[0].make("still works")() == "still works"
