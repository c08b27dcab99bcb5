"""Row keys of a collection: what identifies a row, read and checked.

Law     the key is the normal form of a non-null scalar, or a tuple of such parts; a row that has none is refused
Cost    a text or an int under one field of a row of the usual class: one closure, no further call
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from dataflow.collection.loop import require_callable
from dataflow.errors import CollectionError, near
from dataflow.values import kinds
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from dataflow.values.row import RowAdapter

Key = str | tuple[str, ...] | Callable[[Any], object]

_PLAIN = frozenset((str, int))  # keys that are in normal form as they are
_NO_KEY = frozenset((kinds.LIST, kinds.SET, kinds.MAPPING, kinds.OBJECT, kinds.OPAQUE))


class RowKeys:
    """Reads the keys of one collection's rows.

    Args:
        owner: the collection, for errors.
        key: a field, a tuple of fields, or a function of the row.
    """

    __slots__ = ("_fields", "_function", "_owner", "_single")

    def __init__(self, owner: str, key: Key) -> None:
        self._owner = owner
        self._single = isinstance(key, str)
        self._fields: tuple[str, ...] = ()
        self._function: Callable[[Any], object] | None = None
        if isinstance(key, str):
            self._fields = (key,)
        elif isinstance(key, tuple):
            self._fields = key
        else:
            require_callable(key, f"{owner}: a key that is no field or tuple of fields")
            self._function = key

    def check_fields(self, adapter: RowAdapter) -> None:
        """Raise if a key field is not among the fields that the rows declare."""
        for name in self._fields:
            if adapter.fields is not None and name not in adapter.fields:
                raise CollectionError(
                    f"{self._owner}: key field {name!r} is no field of {adapter.row_type.__name__}"
                    f"{near(name, adapter.fields)}"
                )

    def of(self, row: Any, adapter: RowAdapter) -> Any:
        """Return the key of a row in normal form.

        Raises:
            CollectionError: if it is null, or no scalar or tuple of scalars.
        """
        if self._function is not None:
            return self._checked(self._function(row), row)
        parts = tuple([adapter.get(row, name) for name in self._fields])
        return self._checked(parts[0] if self._single else parts, row)

    def keyed(self, rows: list[Any], adapter: RowAdapter) -> dict[Any, Any] | None:
        """Return key -> row, later rows of a key last; None unless key is one field, all rows of one class and all keys plain.

        Complexity: O(rows), without a call per row.
        """
        if not self._single or set(map(type, rows)) != {_class_of(adapter)}:
            return None
        (name,) = self._fields
        read = attrgetter(name) if adapter.kind == "object" else itemgetter(name)
        try:
            keys = list(map(read, rows))
        except (KeyError, AttributeError):
            return None
        return dict(zip(keys, rows, strict=True)) if set(map(type, keys)) <= _PLAIN else None

    def quick(self, adapter: RowAdapter, slow: Callable[[Any], Any]) -> Any:
        """Return row -> key that reads rows of one class directly and leaves everything unusual to `slow`."""
        if not self._single:
            return slow
        (name,) = self._fields
        row_class = _class_of(adapter)
        if row_class is dict:

            def key_of(row: Any) -> Any:
                if row.__class__ is dict:
                    key = row.get(name)
                    if key.__class__ is str or key.__class__ is int:
                        return key
                return slow(row)

            return key_of
        if adapter.kind == "object":

            def key_of_object(row: Any) -> Any:
                if row.__class__ is row_class:
                    key = getattr(row, name, None)
                    if key.__class__ is str or key.__class__ is int:
                        return key
                return slow(row)

            return key_of_object
        return slow

    def _checked(self, key: Any, row: Any) -> Any:
        if is_null(key) or (isinstance(key, tuple) and _has_null(key)):
            raise CollectionError(
                f"{self._owner}: the key ({self._label()}) is null in row {row!r}"
            )
        if not _is_scalar(key):
            raise CollectionError(
                f"{self._owner}: a key is a scalar or a tuple of scalars, not {key!r}"
            )
        return normal(key)

    def _label(self) -> str:
        if self._function is not None:
            return "computed"
        return repr(self._fields[0] if self._single else self._fields)


def _class_of(adapter: RowAdapter) -> type:
    """Return the class of nearly all rows: that of a TypedDict's is dict."""
    return dict if adapter.kind == "mapping" else adapter.row_type


def _is_scalar(key: Any) -> bool:
    found: Any = plain(key)  # the value behind an enum member or a subclass
    if isinstance(found, tuple):
        return all(map(_is_scalar, found))
    return kind_of(found) not in _NO_KEY


def _has_null(key: tuple[Any, ...]) -> bool:
    return any(map(is_null, key))
