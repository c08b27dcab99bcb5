"""Sources: what queries read, and what everything readable looks like to its users.

`Source` is the common face of collections and live results, which subclass it further up. A
function that builds a query takes `Source[Row]`, so that it accepts a collection and a derived one
alike.

A source is a Mapping of keys to rows: iteration, `in`, `len` and `[]` speak of keys, and `==`
compares contents, so that a source is unhashable; inside a query it is known by identity
(`ir.SourceRef`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dataflow.query import ir
from dataflow.query.alias import Alias
from dataflow.query.traps import QueryPart

R_co = TypeVar("R_co", covariant=True)


class Source(QueryPart, Mapping[Any, R_co]):
    """A keyed set of rows that can be read, queried and followed."""

    __slots__ = ()

    _part = "a source"
    _instead = "name a field of it: source.alias('x').field"

    @property
    @abstractmethod
    def name(self) -> str:
        """Label for plans and errors; need not be unique."""

    @property
    @abstractmethod
    def row_type(self) -> Any:
        """Declared type of the rows; None if rows speak for themselves."""

    @property
    @abstractmethod
    def key_field(self) -> str | None:
        """The field that is the key; None if the key is computed."""

    @abstractmethod
    def rows(self) -> list[R_co]:
        """Return the rows in order, as a new list."""

    @abstractmethod
    def subscribe(
        self,
        fn: Callable[[list[Any]], object],
        *,
        initial: bool = False,
        where: Callable[[R_co], object] | None = None,
        every: float | None = None,
        clock: Any = None,
    ) -> Any:
        """Call `fn` with the changes of each epoch, until the returned subscription is closed.

        Args:
            fn: Gets a non-empty list of changes.
            initial: Deliver the current rows first, as inserts.
            where: Deliver only rows for which it answers something truthy.
            every: Gather changes for so many seconds, and deliver them as one net change per key.
            clock: What has `call_later(seconds, callback)`; by default the running asyncio loop.
        """

    @abstractmethod
    def changes(
        self, *, initial: bool = False, every: float | None = None, clock: Any = None
    ) -> Any:
        """Subscribe at once and return the changes as an asynchronous iterator, a list per epoch.

        Args:
            initial: Yield the current rows first, as inserts; an empty list if there are none.
            every: Gather changes for so many seconds before each list.
            clock: What counts them, as for `subscribe`.
        """

    def alias(self, name: str | None = None) -> Alias[R_co]:
        """Return this source under a name that the columns of a query refer to.

        Args:
            name: Unique within a query; by default the name of the source.
        """
        return Alias(ir.Scan(ir.SourceRef(self), self.name if name is None else name))
