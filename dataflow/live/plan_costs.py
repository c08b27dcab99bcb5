"""What an operator of a plan costs beyond the size of a change, and what it does with functions of the user.

Most operators do work for each changed row, and for each row that comes or goes because of it. Those that do more say so here; a
query without such a line follows its changes, whatever the size of the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.compiler.steps import CallFilter, CallMap, Construct, Select, Test
from dataflow.query.render import function_name
from dataflow.query.scalar import Aggregate, Apply, RowOf, Scalar, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dataflow.query.compiler.steps import Step

_LISTED = ("collect", "string_agg")
_WHOLE_ROWS = "whole rows are compared and kept as keys; name the columns that matter"


def costs_of(identity: tuple[Any, ...], *, scans: bool) -> str:
    """Return what an operator costs; empty for one that does work for changed rows alone.

    Args:
        identity: see `Outline.identities`.
        scans: whether it joins without equality, so that every row meets every row.
    """
    pairs = "each changed row is compared with every row of the other side" if scans else ""
    return "; ".join(filter(None, (pairs, _own_costs(identity))))


def _own_costs(identity: tuple[Any, ...]) -> str:
    match identity:
        case ("group", _, _, keys, aggregates, *_):
            return "; ".join(_group_costs(keys, aggregates))
        case ("set operation", _, _, _, None):
            return _WHOLE_ROWS
        case ("window", *_):
            return "the rows of a partition whose place or value a change moves"
        case ("nest", *_):
            return "the whole list of each outer row with a changed child"
        case ("recursive", *_):
            return "what loses a derivation goes, with all that follows from it, and comes back if it has another"
        case ("Chain" | "StoredChain", _, _, steps):
            called = ", ".join(dict.fromkeys(_functions(steps)))
            return (
                called
                and f"{called} called once for each version of a row; what it returns is kept"
            )
        case _:
            return ""


def _group_costs(keys: tuple[Scalar, ...], aggregates: tuple[Aggregate, ...]) -> Iterator[str]:
    listed = [name for name in _LISTED if any(part.kind == name for part in aggregates)]
    if listed:
        yield f"every row of each changed group, for {' and '.join(listed)}"
    if any(part.kind == "fold" for part in aggregates):
        yield "fold runs again from the first changed row of a group on"
    if any(isinstance(key, RowOf) for key in keys):
        yield _WHOLE_ROWS


def _functions(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the names of the user functions that a chain calls."""
    for step in steps:
        match step:
            case CallFilter(function=function) | CallMap(function=function):
                yield function_name(function)
            case Construct(into=into):
                yield into.__name__
            case Test(condition=expression) | Select(row=expression):
                for part in walk(expression):
                    if isinstance(part, Apply):
                        yield function_name(part.function)
            case _:
                pass
