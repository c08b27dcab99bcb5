"""Changes: what subscribers get, one per key and epoch.

A change names the row before and the row after as users see them; keys are exposed from their normal form. A `Change` is a
NamedTuple, so it unpacks, matches and compares as a tuple does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from dataflow.values.normal import SEEN_AS_THEY_ARE, expose

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.node import Delta

R = TypeVar("R")

Op = Literal["insert", "update", "delete"]


class Change(NamedTuple, Generic[R]):
    """One row that appeared, changed or went away in an epoch.

    Attributes:
        op: "insert", "update" or "delete".
        key: the row's key.
        value: the row concerned; on delete the row that went away, so it is never None.
        old: the row before, None on insert.
    """

    op: Op
    key: Any
    value: R
    old: R | None


_change: Callable[[tuple[Any, ...]], Change[Any]] = partial(tuple.__new__, Change)
"""Makes a change of its fields; skips the argument handling of NamedTuple, which is half the cost."""


def changes_of(delta: Delta) -> list[Change[Any]]:
    """Return the changes of a net delta. O(delta)."""
    changes: list[Change[Any]] = []
    for key, old, new in delta:
        seen = key
        if key.__class__ is tuple:
            for part in key:
                if part.__class__ not in SEEN_AS_THEY_ARE:
                    seen = expose(key)
                    break
        elif key.__class__ not in SEEN_AS_THEY_ARE:
            seen = expose(key)
        if old is None:
            changes.append(_change(("insert", seen, new, None)))
        elif new is None:
            changes.append(_change(("delete", seen, old, old)))
        else:
            changes.append(_change(("update", seen, new, old)))
    return changes
