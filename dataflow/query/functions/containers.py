"""Lists and dicts inside a row.

Brackets of an expression step into them, `contains` is a method.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from dataflow.query.expr import Expr, call, operand
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP: Final = re.compile(
    r"""\.(?P<name>[^\W\d]\w*) | \[(?P<index>-?\d+)\] | \[(?P<quoted>'[^'\\]*'|"[^"\\]*")\]""",
    re.VERBOSE,
)


def length(value: object) -> Expr[int]:
    """Return the characters of a text, the elements of a list, or the fields of a dict."""
    return call("length", operand(value, "length"))


def keys(value: object) -> Expr[list[Any]]:
    """Return the names of the fields of a dict, in order.

    A field that is null counts as missing.
    """
    return call("keys", operand(value, "keys"))


def path(value: Expr[Any], steps: str) -> Expr[Any]:
    """Step into a nested value along a path of JSON; null where it leads nowhere.

    The same as brackets: `path(x, "$.a[0]['b c']")` is `x["a"][0]["b c"]`.

    >>> from dataflow.query.functions.references import lit
    >>> path(lit({"a": [1]}), "$.a[0]")
    <Expr {'a': [1]}['a'][0]>

    Args:
        value: The expression to begin with, `$` in the path.
        steps: Names after a dot, positions and quoted names in brackets; `$` may be left out.

    Raises:
        QueryError: The path cannot be read.
    """
    if not isinstance(value, Expr):
        raise refusal(f"path takes an expression, not {value!r}", "name a field: alias.field")
    for step in _steps(steps):
        value = value[step]
    return value


def _steps(path: object) -> Iterator[str | int]:
    if not isinstance(path, str):
        raise refusal(
            f"the steps of path are a text, not {path!r}", "write x[expression] otherwise"
        )
    rest = path.removeprefix("$")
    if rest == path and not path.startswith(("[", ".")):
        rest = f".{path}"
    place = 0
    while place < len(rest):
        step = _STEP.match(rest, place)
        if step is None:
            raise refusal(
                f"path {path!r} cannot be read from {rest[place:]!r} on",
                "a path has names and positions only: $.parts[0].text, $['any name']",
            )
        place = step.end()
        if step["quoted"]:
            yield str(ast.literal_eval(step["quoted"]))
        else:
            yield step["name"] or int(step["index"])
