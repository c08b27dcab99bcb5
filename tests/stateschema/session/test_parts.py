"""Parts: wire values in, the same wire values out, and the value of unfinished JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.session.part_reader import part_from_json
from stateschema.session.parts import (
    UNSET,
    Approval,
    MediaPart,
    OtherPart,
    StructuredOutputPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from stateschema.session.text import Text

WIRE_PARTS: list[Any] = [
    {"type": "text", "content": "hi"},
    {"type": "text", "content": "hi", "metadata": {"cache": True}},
    {"type": "thinking", "content": "hm", "stepId": "s", "signature": "sig"},
    {
        "type": "tool-call", "id": "c", "name": "n", "arguments": "{}", "state": "complete",
        "input": {}, "output": None, "metadata": {"k": 1},
        "approval": {"id": "a", "needsApproval": True, "approved": False},
    },
    {"type": "tool-result", "toolCallId": "c", "content": "1", "state": "error", "error": "e"},
    {"type": "structured-output", "status": "complete", "raw": "1", "partial": 1, "data": 1},
    {"type": "structured-output", "status": "streaming", "raw": "[1,", "partial": [1]},
    {"type": "ui-resource", "resource": {"uri": "u"}, "toolCallId": "c", "toolName": "n"},
    {"type": "image", "source": {"type": "url", "value": "https://x"}, "metadata": 1},
    {"type": "document", "source": {"type": "data", "value": "eA==", "mimeType": "text/plain"}},
]  # fmt: skip
UNKNOWN_PARTS: list[Any] = [
    {"type": "data-weather", "id": 1},
    {"type": "text"},
    {"type": "text", "content": 5},
    {"type": "thinking", "content": "x", "stepId": None},
    {"type": "tool-call", "id": "c"},
    {"type": "tool-call", "id": "c", "name": "n", "arguments": "", "state": "x", "approval": 3},
    {"type": ["text"]},
    {},
    "text",
    None,
]


@pytest.mark.parametrize("json", WIRE_PARTS)
def test_a_known_part_is_read_and_written_without_loss(json: Any) -> None:
    part = part_from_json(json)
    assert not isinstance(part, OtherPart)
    assert part.to_json() == json


@pytest.mark.parametrize("json", UNKNOWN_PARTS)
def test_what_is_no_known_part_is_kept_as_it_came(json: Any) -> None:
    assert part_from_json(json) == OtherPart(json=json)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)


@given(st.sampled_from(WIRE_PARTS), st.data())
def test_a_damaged_part_goes_out_as_it_came(json: dict[str, Any], data: st.DataObject) -> None:
    damaged = {**json, data.draw(st.sampled_from([*json, "extra"])): data.draw(json_values)}
    assert part_from_json(damaged).to_json() == damaged


def test_absent_fields_are_left_out_and_a_null_output_is_an_output() -> None:
    call = ToolCallPart(id="c", name="n", arguments=Text(), state="awaiting-input")
    bare = {"type": "tool-call", "id": "c", "name": "n", "arguments": "", "state": "awaiting-input"}
    assert call.to_json() == bare
    done = ToolCallPart(id="c", name="n", arguments=Text(), state="complete", output=None)
    assert done.to_json() == {**bare, "state": "complete", "output": None}
    result = ToolResultPart(tool_call_id="c", state="complete")
    assert result.to_json() == {"type": "tool-result", "toolCallId": "c", "state": "complete"}
    assert repr(UNSET) == "UNSET"


def test_parts_are_compared_by_content() -> None:
    assert TextPart(content=Text("a").append("b")) == TextPart(content=Text("ab"))
    assert MediaPart(kind="image") != MediaPart(kind="audio")


@pytest.mark.parametrize(
    ("approval", "is_pending"),
    [
        (Approval(id="a"), True),
        (Approval(id="a", approved=False), False),
        (Approval(id="a", needs_approval=False), False),
    ],
)
def test_an_approval_is_pending_until_it_is_answered(approval: Approval, is_pending: bool) -> None:
    assert approval.is_pending is is_pending


@pytest.mark.parametrize(
    ("pieces", "partial"),
    [
        ([], None),
        (['{"a":', "1"], {"a": 1}),
        (["1", ".", "5"], 1.5),
        (["1", "."], 1),
        (["tr", "iangle"], True),
        (["nu", "ll"], None),
        (["Sure: ", "{"], None),
        (["1", *["x" * 40] * 3], 1),
    ],
)
def test_partial_is_the_value_so_far_or_the_last_there_was(
    pieces: list[str], partial: object
) -> None:
    raw = Text()
    for piece in pieces:
        raw = raw.append(piece)
    part = StructuredOutputPart(status="streaming", raw=raw)
    assert part.partial == partial
    assert part.partial == partial  # the second look is answered from the first
