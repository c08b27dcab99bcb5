"""JSON text as the wire means it: stricter to read than Python, compact to write.

Edges      `NaN` and `Infinity` are no JSON; nesting deeper than Python's stack is unreadable. Split
           surrogate pairs inside one string are joined, lone ones are kept
"""

import json
from typing import Any


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: `text` is not JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("JSON text is nested too deeply") from error


def write_json(value: object) -> str:
    """Return `value` as JSON text without spaces, characters unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse(constant: str) -> object:
    raise ValueError(f"JSON text has the constant {constant!r}")
