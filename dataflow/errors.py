"""Every exception the engine raises on purpose, by who has to act.

    DataflowError                               abstract root: `except DataflowError` catches all
    ├── QueryError (ValueError)                 the author of a query; raised while it is built or compiled
    │   └── UnknownFieldError (AttributeError)  a field that the row type does not have
    ├── CollectionError (RuntimeError)          the caller of a collection, a live result or a graph
    ├── TransactionError (RuntimeError)         whoever awaits a mutation that failed
    ├── PacingError (RuntimeError)              the caller of a paced mutation that is not taken
    ├── NonRetriableError (RuntimeError)        users raise it: sending this again would not help
    ├── StorageError (OSError)                  whoever chose a file that cannot be used
    └── InvariantError (AssertionError)         we: a bug in the engine; please report it

Each class also derives from the builtin that people already catch, and carries a stable kebab-case
`code` for logs and wire formats. Messages are lower-case, without a final period, and quote the
object they are about; a hint on what to do is attached with `add_note()`. Errors are raised `from`
their cause.

An exception raised by a user's own function is never wrapped in one of these: it is kept as the
cause of the status "error" of the node that called it.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable


_FIELDS_SHOWN: Final = 24


class DataflowError(Exception):
    """Abstract root of the tree; only its subclasses are raised.

    Attributes:
        code: Stable kebab-case identifier of the class of error.
    """

    code: ClassVar[str] = "dataflow"

    def __init__(self, *args: object) -> None:
        if type(self) is DataflowError:
            raise TypeError("DataflowError is abstract: raise one of its subclasses")
        super().__init__(*args)


class QueryError(DataflowError, ValueError):
    """A query that means nothing, or not what its author thinks; raised before it runs."""

    code = "query"


class UnknownFieldError(QueryError, AttributeError):
    """A field was named that its owner does not have.

    It is an AttributeError too, so `hasattr(alias, name)` and `getattr(alias, name, default)` work.

    >>> str(UnknownFieldError("contnt", "alias 'message'", ["id", "content"]))
    "alias 'message' has no field 'contnt' (did you mean 'content'?)"

    Args:
        name: The field that does not exist.
        owner: Kind and quoted name of what was asked for it.
        fields: The fields that do exist.
        hint: What to write instead, if that is known.
    """

    code = "unknown-field"

    def __init__(
        self, name: str, owner: str, fields: Iterable[str] = (), hint: str | None = None
    ) -> None:
        self.owner = owner
        self.fields: tuple[str, ...] = tuple(fields)
        super().__init__(f"{owner} has no field {name!r}{near(name, self.fields)}")
        self.hint = hint
        if hint is not None:
            self.add_note(hint)
        if self.fields:
            others = len(self.fields) - _FIELDS_SHOWN
            more = f" and {others} more" if others > 0 else ""
            self.add_note(f"it has {', '.join(self.fields[:_FIELDS_SHOWN])}{more}")
        self.name: str = name  # the attribute of every AttributeError, here never None

    def __reduce__(
        self,
    ) -> tuple[type[UnknownFieldError], tuple[str, str, tuple[str, ...], str | None]]:
        return type(self), (self.name, self.owner, self.fields, self.hint)


class CollectionError(DataflowError, RuntimeError):
    """A collection, live result or graph was used in a way its state does not allow."""

    code = "collection"


class TransactionError(DataflowError, RuntimeError):
    """An optimistic transaction failed, and `__cause__` says why; or it was used in a state that does not allow it."""

    code = "transaction"


class PacingError(DataflowError, RuntimeError):
    """A paced mutation was not taken; nothing of it was shown.

    Attributes:
        reason: "dropped" while an earlier one blocks it, "full" when the queue takes no more, "closed" after the end.
    """

    code = "pacing"

    def __init__(self, message: str, *, reason: Literal["dropped", "full", "closed"]) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), reason=self.reason), self.args


class NonRetriableError(DataflowError, RuntimeError):
    """Raised by a mutation function of an outbox: the mutation has failed for good, sending it again would not help."""

    code = "non-retriable"


class StorageError(DataflowError, OSError):
    """A file that keeps rows or mutations cannot be opened, read or written, or is not what it should be."""

    code = "storage"


class InvariantError(DataflowError, AssertionError):
    """An invariant of the engine does not hold: a bug in the engine, not in the caller's code.

    Attributes:
        operator: Name of the operator or object that found the violation, if one did.
        epoch: The epoch in which it was found, if within one.
        law: Number of the law in ARCHITECTURE.md that is broken, if it is one of those.
    """

    code = "invariant"

    def __init__(
        self,
        message: str,
        *,
        operator: str | None = None,
        epoch: int | None = None,
        law: int | None = None,
    ) -> None:
        super().__init__(message)
        self.operator = operator
        self.epoch = epoch
        self.law = law

    def __str__(self) -> str:
        context = (("operator", self.operator), ("epoch", self.epoch), ("law", self.law))
        known = ", ".join(f"{label} {value}" for label, value in context if value is not None)
        message = super().__str__()
        return f"{message} ({known})" if known else message


def near(name: str, candidates: Iterable[str]) -> str:
    """Render the candidates that look like `name`, to be appended to an error message.

    >>> near("staus", ["id", "status"])
    " (did you mean 'status'?)"
    >>> near("zzz", ["id", "status"])
    ''
    """
    matches = get_close_matches(name, list(candidates), n=3)
    if not matches:
        return ""
    return f" (did you mean {' or '.join(map(repr, matches))}?)"
