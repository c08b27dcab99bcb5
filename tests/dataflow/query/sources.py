"""A source that is nothing but its description: building a query reads no rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from dataflow.query.source import Source

R = TypeVar("R")


@dataclass(frozen=True)
class Message:
    id: str
    role: str
    content: str
    seq: int
    meta: dict[str, Any]
    pending: bool = False


@dataclass(frozen=True)
class Actor:
    id: str
    name: str
    role: str


class Table(Source[R]):
    def __init__(
        self, name: str, row_type: type[R] | None = None, rows: dict[Any, R] | None = None
    ):
        self._name = name
        self._row_type = row_type
        self._rows = rows or {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def row_type(self) -> Any:
        return self._row_type

    @property
    def key_field(self) -> str | None:
        return "id"

    def __getitem__(self, key: Any) -> R:
        return self._rows[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[R]:
        return list(self._rows.values())

    def subscribe(
        self,
        fn: Callable[[list[Any]], object],
        *,
        initial: bool = False,
        where: Callable[[R], object] | None = None,
        every: float | None = None,
        clock: Any = None,
    ) -> NoReturn:
        raise NotImplementedError

    def changes(
        self, *, initial: bool = False, every: float | None = None, clock: Any = None
    ) -> NoReturn:
        raise NotImplementedError


MESSAGES = Table("messages", Message)
ACTORS = Table("actors", Actor)
EVENTS: Table[dict[str, Any]] = Table("events")
