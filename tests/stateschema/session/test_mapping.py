"""The persistent map: like a dict, but older versions stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.session.mapping import Map


class Colliding:
    """A key whose hash says nothing."""

    def __init__(self, name: int) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Colliding) and self.name == other.name

    def __hash__(self) -> int:
        return 7


keys = st.one_of(st.integers(-1_000, 1_000), st.text(max_size=2), st.integers(0, 40).map(Colliding))


@given(st.lists(st.tuples(keys, st.integers())))
def test_set_does_what_it_does_to_a_dict(pairs: list[tuple[object, int]]) -> None:
    versions: list[tuple[Map[object, int], dict[object, int]]] = [(Map(), {})]
    for key, value in pairs:
        mapping, expected = versions[-1]
        versions.append((mapping.set(key, value), {**expected, key: value}))
    for mapping, expected in versions:
        assert dict(mapping) == expected
        assert (len(mapping), mapping == expected) == (len(expected), True)


def test_thousands_of_keys_are_found() -> None:
    mapping: Map[str, int] = Map()
    for n in range(5_000):
        mapping = mapping.set(f"key{n}", n)
    assert [mapping[f"key{n}"] for n in range(5_000)] == list(range(5_000))
    assert mapping.set("key0", -1)["key0"] == -1
    assert mapping["key0"] == 0


def test_a_missing_key_is_a_key_error() -> None:
    mapping = Map[str, int]().set("a", 1)
    assert "b" not in mapping
    assert mapping.get("b") is None
    with pytest.raises(KeyError):
        mapping["b"]
    assert repr(mapping) == "Map({'a': 1})"
