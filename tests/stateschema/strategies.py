"""Hypothesis strategies for the nouns of the state protocol."""

from typing import Any

from hypothesis import strategies as st

from stateschema.events import ChangeEvent, ControlEvent, Event

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
TYPES = st.sampled_from(["message", "chunk"])
KEYS = st.sampled_from(["1", "2", "3"])


def json_values() -> st.SearchStrategy[Any]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
        ["NaN", "\n"]
    )
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | text
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    )


def _headers(
    required: st.SearchStrategy[str], name: str, optional: list[str]
) -> st.SearchStrategy[Any]:
    known = {name: required}
    extra = st.dictionaries(
        TEXT.filter(lambda t: t not in {"operation", "control"}), json_values(), max_size=1
    )
    fixed = st.fixed_dictionaries(known, optional={key: st.none() | TEXT for key in optional})
    return st.builds(
        lambda more, own: {**more, **own},
        extra.map(
            lambda d: {k: v for k, v in d.items() if k not in {"txid", "timestamp", "offset"}}
        ),
        fixed,
    )


def change_wires(
    types: st.SearchStrategy[str] = TEXT, keys: st.SearchStrategy[str] = TEXT
) -> st.SearchStrategy[dict[str, Any]]:
    """Wire objects of legal change events, with and without the optional parts."""
    values = json_values()

    def build(operation: str) -> st.SearchStrategy[dict[str, Any]]:
        parts: dict[str, st.SearchStrategy[Any]] = {
            "type": types,
            "key": keys,
            "headers": _headers(st.just(operation), "operation", ["txid", "timestamp"]),
        }
        optional: dict[str, st.SearchStrategy[Any]] = {"old_value": values, "unknown": values}
        (optional if operation == "delete" else parts)["value"] = values
        return st.fixed_dictionaries(parts, optional=optional)

    return st.sampled_from(["insert", "update", "upsert", "delete"]).flatmap(build)


def control_wires() -> st.SearchStrategy[dict[str, Any]]:
    """Wire objects of legal control events."""
    control = st.sampled_from(["snapshot-start", "snapshot-end", "reset"])
    headers = _headers(control, "control", ["offset"])
    return st.fixed_dictionaries({"headers": headers}, optional={"unknown": json_values()})


def events() -> st.SearchStrategy[Event]:
    """Legal events on a few types and keys, so that they meet."""
    change = change_wires(TYPES, KEYS).map(ChangeEvent.model_validate)
    control = control_wires().map(ControlEvent.model_validate)
    return st.one_of(change, change, change, change, control)
