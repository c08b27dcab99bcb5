"""What the benchmarks work on: a stream of tasks, three views of it, and a seeded history of events."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from typing_extensions import TypedDict

from dataflow import count, query, sum_
from stateschema.schema.entity import Entity, StateSchema
from stateschema.streamdb.views import View, Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataflow.query.builder import Query
    from stateschema.events import ChangeEvent

BASE, DERIVED = "tasks", "tasks/load"
OWNERS = 100
TOP = 50
SEED = 7


class Task(BaseModel):
    """A row of the base stream."""

    id: str
    owner: str
    title: str
    effort: int
    done: bool


class Tasks(StateSchema):
    """The base stream."""

    tasks = Entity(Task, type="task", key="id")


class Load(TypedDict):
    """A row of the published view."""

    owner: str
    n: int
    effort: int


class Loads(StateSchema):
    """The stream of the published view."""

    loads = Entity(Load, type="load", key="owner")


def open_tasks(db: Tasks) -> Query[Any]:
    """What is still to be done."""
    task = db.tasks.alias("task")
    return query(task).where(~task.done).select(id=task.id, title=task.title)


def load(db: Tasks) -> Query[Any]:
    """How much each owner has."""
    task = db.tasks.alias("task")
    grouped = query(task).group_by(task.owner)
    return grouped.select(owner=task.owner, n=count(), effort=sum_(task.effort))


def top(db: Tasks) -> Query[Any]:
    """The largest tasks."""
    task = db.tasks.alias("task")
    ordered = query(task).order_by(task.effort.desc(), task.id).limit(TOP)
    return ordered.select(id=task.id, effort=task.effort)


QUERIES: dict[str, Callable[[Tasks], Query[Any]]] = {"open": open_tasks, "load": load, "top": top}
VIEWS = Views(View(DERIVED, of=BASE, schema=Tasks, type="load", query=load, key="owner"))


class History:
    """Events of tasks, one after the other; the same ones every time."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self._rows: list[Task] = []
        self._txid = 0

    def events(self, number: int) -> list[ChangeEvent]:
        """Return the next events: half of them new tasks, half changes of known ones."""
        return [self._event() for _ in range(number)]

    def changes(self, number: int) -> list[tuple[ChangeEvent, Load]]:
        """Return new tasks, each with what the view says of its owner afterwards."""
        made = []
        for _ in range(number):
            event = self._new()
            owner = self._rows[-1].owner
            efforts = [row.effort for row in self._rows if row.owner == owner]
            made.append((event, Load(owner=owner, n=len(efforts), effort=sum(efforts))))
        return made

    def _event(self) -> ChangeEvent:
        if not self._rows or self._random.random() < 0.5:
            return self._new()
        place = self._random.randrange(len(self._rows))
        changed = {"done": self._random.random() < 0.5, "effort": self._random.randrange(1, 100)}
        row = self._rows[place] = self._rows[place].model_copy(update=changed)
        return Tasks.tasks.update(row, txid=self._next_txid())

    def _new(self) -> ChangeEvent:
        row = Task(
            id=f"task-{len(self._rows)}",
            owner=f"owner {self._random.randrange(OWNERS)}",
            title=f"something to do, number {len(self._rows)}",
            effort=self._random.randrange(1, 100),
            done=False,
        )
        self._rows.append(row)
        return Tasks.tasks.insert(row, txid=self._next_txid())

    def _next_txid(self) -> str:
        self._txid += 1
        return f"t{self._txid}"


def checksum(views: Mapping[str, Iterable[Mapping[str, object]]]) -> str:
    """Return a text that is equal where views have equal rows, whatever their order."""
    rows = {
        name: sorted(json.dumps(row, sort_keys=True) for row in rows)
        for name, rows in views.items()
    }
    return sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:12]
