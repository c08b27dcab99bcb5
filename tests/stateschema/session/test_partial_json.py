"""The value of JSON that is still being written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.session.json_text import read_json, write_json
from stateschema.session.partial_json import read_partial

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)  # fmt: skip


@given(json_values, st.booleans())
def test_a_whole_text_has_its_value(value: object, escaped: bool) -> None:
    assert read_partial(json.dumps(value, ensure_ascii=escaped)) == value


@given(st.lists(st.text(max_size=5)), st.data())
def test_a_longer_beginning_never_knows_less(value: list[str], data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=False)  # an escaped character can be cut in half
    cut = data.draw(st.integers(1, len(text)))
    so_far = read_partial(text[:cut])
    assert so_far[:-1] == value[: max(len(so_far) - 1, 0)]
    assert all(whole.startswith(part) for part, whole in zip(so_far, value, strict=False))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  ", None),
        ("{", {}),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a":"x', {"a": "x"}),
        ('{"a":"x\\', {"a": "x"}),
        ('{"a":"x\\u00', {"a": "x"}),
        ('{"a":"x\\u00e9', {"a": "xé"}),
        ('{"a":tr', {"a": True}),
        ('{"a":f', {"a": False}),
        ('{"a":nul', {"a": None}),
        ('{"a":-', {}),
        ('{"a":-1', {"a": -1}),
        ('{"a":1.', {}),
        ('{"a":1e', {"a": 1}),
        ('{"a":1e+', {"a": 1}),
        ('{"a":1,', {"a": 1}),
        ('{"a":[1,{"b":2', {"a": [1, {"b": 2}]}),
        ("[1 ,2", [1, 2]),
        ("tr", True),
        ("-", None),
        ('"abc', "abc"),
        ('{"a":1} and more', {"a": 1}),
        ('{"a" 1}', {}),
        ("{1:2}", {}),
        ("[1,x,2]", [1]),
        ("words", None),
    ],
)
def test_a_beginning_has_the_value_so_far(text: str, value: object) -> None:
    assert read_partial(text) == value


def test_nesting_without_end_is_no_value() -> None:
    assert read_partial("[" * 100_000) is None


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "-Infinity", "[" * 100_000, "'a'"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_json_is_written_compactly_and_readably() -> None:
    assert write_json({"é": [1, "😀"], "b": None}) == '{"é":[1,"😀"],"b":null}'
