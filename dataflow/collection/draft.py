"""Drafts: a row to be changed in place, which is not the row.

    with todos.draft("t1") as row:
        row["tags"].append("urgent")

A field is copied when it is first looked at, as deep as it goes; fields that nobody looks at cost nothing. Frozen objects can be
assigned to inside a draft, since it is a stand-in that takes the assignments. At the end what was looked at is compared with
the original, and the fields that were assigned or differ are the changes of one update.

State   stand-ins of the fields looked at
Cost    O(size of the fields looked at)
Edges   lists, dicts and sets in a draft are real ones. Values of classes that declare no fields are deep copies. A deleted key
        of a row is a field that is None: null and absent are one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar

from dataflow.errors import CollectionError
from dataflow.values import kinds
from dataflow.values.equality import equal
from dataflow.values.fields import declared_fields
from dataflow.values.kinds import kind_of
from dataflow.values.row import RowAdapter, adapter_for_row

if TYPE_CHECKING:
    from types import TracebackType

    from dataflow.collection.transaction import Transaction


class Draft:
    """Opens a draft as a context manager; made by `Collection.draft`.

    Attributes:
        transaction: what the changes became, once the `with` has been left normally.
    """

    def __init__(self, row: Any, update: Callable[[Mapping[str, Any]], Transaction]) -> None:
        self._row = row
        self._update = update
        self._fields: _Fields | None = None
        self.transaction: Transaction | None = None

    def __enter__(
        self,
    ) -> Any:  # Any: a stand-in that can be assigned to, also where rows are frozen
        if self._fields is not None:
            raise CollectionError("a draft is for one change: call draft() again")
        self._fields = _Fields(self._row, adapter_for_row(self._row))
        return _stand_in(self._fields)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            assert self._fields is not None
            self.transaction = self._update(self._fields.changes())


class _Fields:
    """The fields of one object of a draft: the original, and stand-ins of what was looked at or assigned."""

    __slots__ = ("adapter", "assigned", "original", "seen")

    def __init__(self, original: Any, adapter: RowAdapter) -> None:
        self.original = original
        self.adapter = adapter
        self.seen: dict[str, Any] = {}
        self.assigned: set[str] = set()

    def read(self, name: str) -> Any:
        if name not in self.seen:
            value = self.adapter.get(self.original, name)
            if value is None:
                return None
            thawed = _thawed(value)
            if thawed is value:
                return value
            self.seen[name] = thawed
        return self.seen[name]

    def write(self, name: str, value: Any) -> None:
        self.seen[name] = value
        self.assigned.add(name)

    def changes(self) -> dict[str, Any]:
        """Return the fields that were assigned or changed inside."""
        found = {name: _frozen(value) for name, value in self.seen.items()}
        return {
            name: value
            for name, value in found.items()
            if name in self.assigned or not equal(value, self.adapter.get(self.original, name))
        }

    def finished(self) -> Any:
        """Return the object with its changes; the original if there are none."""
        changes = self.changes()
        return self.adapter.replace(self.original, changes) if changes else self.original


class _ObjectDraft:
    """Stands for an object; attributes can be read and assigned, whatever its class says about that."""

    __slots__ = ("_draft_fields",)

    _draft_fields: _Fields

    def __init__(self, fields: _Fields) -> None:
        object.__setattr__(self, "_draft_fields", fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        fields = self._draft_fields
        if name in fields.seen or name in (fields.adapter.fields or (name,)):
            if fields.adapter.fields is None and not hasattr(fields.original, name):
                raise AttributeError(name)
            return fields.read(name)
        return getattr(fields.original, name)  # a property or a method, of the object as it was

    def __setattr__(self, name: str, value: Any) -> None:
        self._draft_fields.write(name, value)

    def __eq__(self, other: object) -> bool:
        """Compare as the object will be: `part in row.parts`, `row.parts.remove(part)`."""
        return bool(self._draft_fields.finished() == _frozen(other))

    __hash__: ClassVar[None]  # type: ignore[assignment]  # what can be changed has none

    def __repr__(self) -> str:
        return f"<draft of {self._draft_fields.original!r}>"


class _MappingDraft(MutableMapping[str, Any]):
    """Stands for a row that is a mapping."""

    __slots__ = ("_draft_fields",)

    def __init__(self, fields: _Fields) -> None:
        self._draft_fields = fields

    def __getitem__(self, name: str) -> Any:
        fields = self._draft_fields
        if name not in fields.seen and name not in fields.original:
            raise KeyError(name)
        return fields.read(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._draft_fields.write(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]  # raises if there is none
        self._draft_fields.write(name, None)

    def __iter__(self) -> Iterator[str]:
        fields = self._draft_fields
        return iter(dict.fromkeys((*fields.original, *fields.seen)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<draft of {self._draft_fields.original!r}>"


def _stand_in(fields: _Fields) -> _ObjectDraft | _MappingDraft:
    return _MappingDraft(fields) if fields.adapter.kind == "mapping" else _ObjectDraft(fields)


def _thawed(value: Any) -> Any:
    """Return what stands for a value in a draft: a copy that can be changed, or the value itself if it never changes."""
    match value:
        case list():
            return [_thawed(each) for each in value]
        case dict():
            return {key: _thawed(each) for key, each in value.items()}
        case set():
            return set(value)
        case bytearray():
            return bytearray(value)
        case tuple() if not hasattr(value, "_fields"):
            return tuple([_thawed(each) for each in value])
        case _:
            pass
    kind = kind_of(value)
    if kind == kinds.OBJECT or (kind == kinds.OPAQUE and declared_fields(type(value)) is not None):
        return _ObjectDraft(_Fields(value, adapter_for_row(value)))
    return copy.deepcopy(value) if kind in (kinds.OPAQUE, kinds.MAPPING, kinds.LIST) else value


def _frozen(value: Any) -> Any:
    """Return the value that something in a draft stands for; what did not change is the original again."""
    match value:
        case _ObjectDraft() | _MappingDraft():
            return value._draft_fields.finished()  # noqa: SLF001 - a public name could be a field's
        case list():
            return [_frozen(each) for each in value]
        case dict():
            return {key: _frozen(each) for key, each in value.items()}
        case tuple() if not hasattr(value, "_fields"):
            return tuple([_frozen(each) for each in value])
        case _:
            return value
