"""What the tables of refused constructs are written with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - the annotations of Sale are read
from typing import TYPE_CHECKING, Any, NamedTuple

from dataflow.errors import QueryError
from dataflow.query.aggregates import count
from dataflow.query.alias import Alias
from dataflow.query.builder import Query, query
from dataflow.query.recursion import recursive
from dataflow.query.windows import rank, row_number
from tests.dataflow.query.sources import ACTORS, EVENTS, MESSAGES, Table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Refused(NamedTuple):
    """A construct that is refused.

    Attributes:
        names: The clause, function or operator that the message names.
        build: Writes the construct.
        text: The message; its beginning where it ends in "...".
        hint: One of the notes, likewise.
        error: The class.
    """

    names: str
    build: Callable[[], object]
    text: str
    hint: str
    error: type[QueryError] = QueryError


@dataclass(frozen=True)
class Sale:
    id: int
    price: Decimal | None
    weight: float


message = MESSAGES.alias("message")
actor = ACTORS.alias("actor")
event = EVENTS.alias("event")
sale = Table("sales", Sale).alias("sale")
start = query(message)
groups = start.group_by(message.role)
totals = groups.select(role=message.role, n=count())
newest = start.order_by(message.seq)
left = start.join(actor, on=message.role == actor.role, how="left")
mine = start.where(message.role == actor.role)

# For calls that a type checker refuses, too.
anything: Any = start
grouped: Any = groups
x: Any = message.seq
row: Any = message
nothing: Any = None
false: Any = start is None


place = row_number().over(partition_by=message.role, order_by=message.seq.desc())
ranked = groups.select(role=message.role, place=rank().over(order_by=count()))
unfinished: Any = row_number()

other = EVENTS.alias("other")
seed = query(event).select(src=event.src, dst=event.dst)
Rows = Query[dict[str, Any]]
SoFar = Alias[dict[str, Any]]


def onward(path: SoFar) -> Rows:
    return query(path).join(other, on=path.dst == other.src).select(src=path.src, dst=other.dst)


def step(write: Callable[[SoFar], Query[Any]]) -> Callable[[], object]:
    """Return what writes a recursion with a step."""
    return lambda: recursive(seed, write)


def outward(how: Any) -> Callable[[], object]:
    """Return what writes a recursion whose step joins the result so far."""
    return step(
        lambda path: (
            query(other)
            .join(path, on=path.dst == other.src, how=how)
            .select(src=other.src, dst=other.dst)
        )
    )


def twice(value: Any) -> Any:
    return value


def added(total: int, value: int) -> int:
    return total + value


async def later(value: Any, *more: Any) -> Any:
    return value


async def many(value: Any) -> AsyncIterator[Any]:
    yield value


def steps(row: object) -> object:
    """Give values one by one, and run nothing when it is called."""
    yield row


class Later:
    async def __call__(self, value: Any) -> Any:
        return value


asynchronous: Any = later


@dataclass(frozen=True)
class Link:
    src: int
    dst: int


def anything_of(value: Any) -> Any:
    """Return a value that type checkers know nothing about."""
    return value
