"""Validation: rows that come from users are checked, and coerced, before anything is shown.

What users write goes through a validator: a callable that takes a mapping of fields or a row and returns a valid row, or raises.
Rows that come by sync are not validated: they are the truth, and their schema has looked at them on the wire.

The engine below `io` knows no validation library, and does not load one before a row has to be validated. A validator is given to
a collection as `validate=`, or made for its row type by `dataflow.io.validation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow.errors import CollectionError, UnknownFieldError
from dataflow.values.fields import declared_fields, keeps_extra_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.values.row import RowAdapter

Validator: TypeAlias = "Callable[[Any], Any]"
"""Mapping of fields, or row -> valid row; raises if there is none."""

_MAKER = "dataflow.io.validation"
_made: dict[Any, Validator | None] = {}
_taken: dict[Any, frozenset[str] | None] = {}


def validator_of(row_type: Any) -> Validator | None:
    """Return the validator of a row type, or None if rows of the type are taken as they are.

    What makes validators is looked up by name, at the first write of a declared type.
    """
    if row_type is None:
        return None
    if row_type not in _made:
        _made[row_type] = import_module(_MAKER).make_validator(row_type)
    return _made[row_type]


def check_names(owner: object, adapter: RowAdapter, names: Iterable[str]) -> None:
    """Refuse fields that the rows do not declare.

    Raises:
        UnknownFieldError: with near matches.
    """
    if adapter.fields is None or keeps_extra_fields(adapter.row_type):
        return
    for name in names:
        if name not in adapter.fields:
            raise UnknownFieldError(name, str(owner), adapter.fields)


def check_given(owner: object, row_type: Any, given: Mapping[str, Any]) -> None:
    """Refuse a mapping with fields that its row type would drop, most likely misspelt.

    Raises:
        UnknownFieldError: with near matches.
    """
    if row_type not in _taken:
        _taken[row_type] = import_module(_MAKER).names_taken(row_type)
    taken = _taken[row_type]
    if taken is None or given.keys() <= taken:
        return
    stray = next(name for name in given if name not in taken)
    raise UnknownFieldError(str(stray), str(owner), declared_fields(row_type) or sorted(taken))


def fields_given(adapter: RowAdapter, row: Any) -> dict[str, Any]:
    """Return the fields of a row for its validator, without those that are UNSET: a null is not always valid in their place."""
    fields = adapter.as_dict(row)
    for name in adapter.unset_fields:
        if fields[name] is None:
            del fields[name]
    return fields


def validated(
    owner: object, validate: Validator, value: Any, fields: tuple[str, ...] | None
) -> Any:
    """Return the valid row of what a user wrote.

    Args:
        owner: the collection, for errors.
        validate: what decides.
        value: a row, or a mapping of fields.
        fields: the declared fields, to find misspelt ones.

    Raises:
        CollectionError: names the field; the cause is what the validator raised.
    """
    try:
        return validate(value)
    except Exception as error:
        place, reason = _first_problem(error)
        given = value if isinstance(value, Mapping) else {}
        top = place.partition(".")[0]
        stray = [str(name) for name in given if name not in (fields or ()) and name != top]
        field = f"field {place!r}: " if place else ""
        misspelt = get_close_matches(top, stray, n=1)
        hint = f" (given as {misspelt[0]!r}?)" if misspelt else ""
        raise CollectionError(f"{owner}: {field}{reason}{hint}") from error


def _first_problem(error: Exception) -> tuple[str, str]:
    """Return where and why: the first problem of a pydantic error, or the text of any other."""
    problems: Any = getattr(error, "errors", None)
    if callable(problems) and (found := problems()):
        first = found[0]
        return ".".join(map(str, first["loc"])), _as_clause(first["msg"])
    reason, _, path = str(error).partition(" - at `$.")  # msgspec tells where like this
    return path.removesuffix("`"), _as_clause(reason)


def _as_clause(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
