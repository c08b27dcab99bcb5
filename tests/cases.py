"""Cases: collections with rows, live queries over them, and a history of commits; all plain data.

A case is what a law is tried on. Queries are kept as the text a user would write, clause by clause,
so that a failing case prints as a program that reproduces it, and so that it can be made smaller by
leaving things out (`tests.laws.shrinking`).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from tests.oracle.semantics import same

Row = dict[str, Any]
Verb = Literal["insert", "update", "upsert", "delete"]


@dataclass(frozen=True)
class Thing:
    """A row that is an object; its missing fields are None."""

    id: Any
    k: Any = None
    x: Any = None
    s: Any = None
    m: Any = None
    deep: Any = None


@dataclass(frozen=True)
class Op:
    """One change of one collection: `value` is the new row or, of a delete, the key."""

    collection: str
    verb: Verb
    value: Any

    def __str__(self) -> str:
        return f"{self.collection}.{self.verb}({self.value!r})"


Commit = tuple[Op, ...]
"""The changes of one epoch, in order, over any number of collections."""


@dataclass(frozen=True)
class View:
    """A query by its text, with a name that later views may read it by.

    Attributes:
        name: The variable it is bound to.
        aliases: (alias, collection or earlier view) pairs of what it reads.
        clauses: `query(...)` and the calls after it, one text each.
        is_live: Whether it runs on its own, or is a subquery of those that read it.
        key: The `key=` argument of `live`, as text.
    """

    name: str
    aliases: tuple[tuple[str, str], ...]
    clauses: tuple[str, ...]
    is_live: bool = True
    key: str | None = None

    def source(self) -> str:
        lines = [f"{alias} = {origin}.alias({alias!r})" for alias, origin in self.aliases]
        text = "".join(self.clauses)
        if self.is_live:
            argument = "" if self.key is None else f", key={self.key}"
            text = f"live({text}{argument})"
        return "\n".join([*lines, f"{self.name} = {text}"])


@dataclass(frozen=True)
class Case:
    """What a law is tried on.

    Attributes:
        initial: Collection -> its rows before any query runs.
        views: Queries, each reading collections and earlier views.
        history: What is committed then, epoch by epoch.
        has_objects: Whether rows are given to the engine as `Thing` instead of dicts.
    """

    initial: dict[str, tuple[Row, ...]]
    views: tuple[View, ...]
    history: tuple[Commit, ...]
    has_objects: bool = False

    def row(self, fields: Row) -> Any:
        """Return a new row as this case's collections hold it."""
        copied = deepcopy(fields)
        return Thing(**copied) if self.has_objects else copied

    def __str__(self) -> str:
        lines = [f"{name} = {list(rows)!r}" for name, rows in self.initial.items()]
        lines += [view.source() for view in self.views]
        lines += ["rows are things"] * self.has_objects
        lines += ["commit " + "; ".join(map(str, commit)) for commit in self.history]
        return "\n".join(lines)


class Model:
    """What a collection holds after its changes: rows by key, as a list of pairs.

    Inserting a present key replaces the row, updating a missing one inserts it, deleting a missing
    one does nothing.
    """

    def __init__(self, rows: tuple[Row, ...] = ()) -> None:
        self.entries: list[tuple[Any, Row]] = []
        for row in rows:
            self.put(row)

    def position(self, key: Any) -> int | None:
        found = (n for n, (known, _) in enumerate(self.entries) if same(known, key))
        return next(found, None)

    def put(self, row: Row) -> None:
        position = self.position(row["id"])
        if position is None:
            self.entries.append((row["id"], row))
        else:
            self.entries[position] = (self.entries[position][0], row)

    def delete(self, key: Any) -> None:
        position = self.position(key)
        if position is not None:
            del self.entries[position]

    def apply(self, op: Op) -> None:
        if op.verb == "delete":
            self.delete(op.value)
        else:
            self.put(op.value)
