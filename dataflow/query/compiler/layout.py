"""Layouts: where generated code finds the row of an alias, and how it reads a field of it.

A row that travels along an edge of the circuit is one of

- the row of one alias, as its source holds it (`row['status']` of a dict, `row.status` of an object),
- a tuple with one row per alias, as a join makes it (`row[1]['name']`; None for an absent side),
- a tuple of cells, as a group makes it (`row[2]`),
- an anonymous row, as a select makes it: an alias of name "".

A layout says which, and is part of the shape of a query: equal layouts and equal expressions share generated code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from dataflow.errors import QueryError
from dataflow.frozen import frozen, replace
from dataflow.values.row import RowAdapter, adapter_for_type

if TYPE_CHECKING:
    from collections.abc import Sequence

RowKind: TypeAlias = Literal["mapping", "object", "any"]
"""How a field is read: by subscript, as an attribute, or by asking the row itself each time."""


LAYOUTS_KEPT: Final = 1_000


@frozen
class Slot:
    """Where the row of an alias stands.

    Attributes:
        alias: the name that expressions use, "" for an anonymous row.
        index: position in the joined tuple, or None when the row is not part of one.
        kind: how fields are read.
        nullable: whether the row can be None (the nullable side of an outer join).
        unset: fields that may hold the UNSET of msgspec, which is null.
    """

    alias: str
    index: int | None
    kind: RowKind
    nullable: bool = False
    unset: frozenset[str] = frozenset()

    def at(self, index: int | None, *, nullable: bool = False) -> Slot:
        """Return the slot of the same row elsewhere, where it may be absent too."""
        return Slot(self.alias, index, self.kind, self.nullable or nullable, self.unset)

    def row(self, name: str) -> str:
        """Return the source text of this alias's row, given the name of the edge's row."""
        return name if self.index is None else f"{name}[{self.index}]"


@frozen
class Layout:
    """The slots of a row, in textual order. A layout of cells has none.

    Attributes:
        slots: one per alias.
        collected: whether rows hold lists made by `collect`. They belong to the engine; user functions get copies of them.
    """

    slots: tuple[Slot, ...]
    collected: bool = False

    def slot(self, alias: str) -> Slot:
        """Return the slot of an alias."""
        for slot in self.slots:
            if slot.alias == alias:
                return slot
        raise QueryError(f"no alias {alias!r} in this part of the query")

    @property
    def joined(self) -> bool:
        """Whether the row is a tuple of rows."""
        return bool(self.slots) and self.slots[0].index is not None

    def named(self, alias: str) -> Layout:
        """Return the layout of the same row under an alias."""
        return self if self.slots[0].alias == alias else _named(self, alias)

    def joined_with(self, right: Layout, *, nullable: bool) -> Layout:
        """Return the layout of this row followed by the rows of another one."""
        return _joined(self, right, nullable)

    def absent(self, width: int, *, left: bool, right: bool) -> Layout:
        """Return the layout of pairs whose first `width` rows, or whose others, can be None."""
        slots = tuple(
            slot.at(slot.index, nullable=left if position < width else right)
            for position, slot in enumerate(self.slots)
        )
        return Layout(slots, self.collected)


# Layouts are part of what nodes and generated code are found by: kept, each is hashed once.


@lru_cache(maxsize=LAYOUTS_KEPT)
def _named(layout: Layout, alias: str) -> Layout:
    (slot,) = layout.slots
    renamed = Slot(alias, slot.index, slot.kind, slot.nullable, slot.unset)
    return Layout((renamed,), layout.collected)


@lru_cache(maxsize=LAYOUTS_KEPT)
def _joined(left: Layout, right: Layout, nullable: bool) -> Layout:  # noqa: FBT001 - part of the key of a cache
    kept = [slot.at(position) for position, slot in enumerate(left.slots)]
    moved = [
        slot.at(position, nullable=nullable)
        for position, slot in enumerate(right.slots, start=len(kept))
    ]
    return Layout((*kept, *moved), left.collected or right.collected)


CELLS = Layout(())
RECORD = Layout((Slot("", None, "mapping"),))
UNKNOWN = Layout((Slot("", None, "any"),))


def layout_of_type(row_type: Any, alias: str = "") -> Layout:
    """Return the layout of rows of a declared type; None stands for dicts."""
    if row_type is None or row_type is dict:
        return RECORD.named(alias)
    return layout_of_adapter(adapter_for_type(row_type), alias)


def layout_of_adapter(adapter: RowAdapter, alias: str = "") -> Layout:
    """Return the layout of the rows that an adapter reads."""
    return Layout((Slot(alias, None, adapter.kind, unset=frozenset(adapter.unset_fields)),))


def common_layout(layouts: Sequence[Layout]) -> Layout:
    """Return the layout of anonymous rows that come from several inputs; rows of several kinds are asked one by one."""
    kinds = {layout.slots[0].kind for layout in layouts}
    collected = any(layout.collected for layout in layouts)
    if kinds != {"mapping"}:
        return replace(UNKNOWN, collected=collected)
    return replace(RECORD, collected=collected)
