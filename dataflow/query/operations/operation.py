"""What the library knows about one scalar operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable


@frozen
class Operation:
    """A scalar operation.

    Attributes:
        name: What `scalar.Call` carries.
        function: From evaluated arguments to the value; None of a lazy operation.
        least: The smallest number of arguments.
        most: The largest number of arguments; None if there is no limit.
        doc: One line on what it computes.
    """

    name: str
    function: Callable[..., Any] | None
    least: int
    most: int | None
    doc: str

    @property
    def lazy(self) -> bool:
        """Whether evaluating some arguments depends on the values of others."""
        return self.function is None
