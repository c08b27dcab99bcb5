"""Edges: where an operator can be read, and how further operators are attached.

An edge is outside of all loops or inside of one. An operator that reads an edge inside a loop is inside of it too; what else
it reads is led in through the loop's entrances. Nothing leads out but the result of `iterate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.errors import QueryError
from dataflow.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.operators.loop import Loop
    from dataflow.operators.operator import Operator
    from dataflow.operators.schedule import Schedule

R = TypeVar("R")
S = TypeVar("S")


@frozen
class Edge(Generic[R]):
    """The deltas that an operator hands on.

    Attributes:
        schedule: of the circuit.
        operator: whose deltas they are.
        loop: the loop that the operator is inside of, or None.
    """

    schedule: Schedule
    operator: Operator[R]
    loop: Loop | None = None

    def read_from(self, schedule: Schedule, loop: Loop | None) -> Operator[R]:
        """Return the operator to read from inside a loop, or from outside of any.

        Raises:
            QueryError: it cannot be read from there.
        """
        name = self.operator.name
        if self.schedule is not schedule:
            raise QueryError(
                f"stream of {name!r} belongs to circuit {self.schedule.name!r}, not {schedule.name!r}"
            )
        if self.loop is not None and (self.loop is not loop or self.loop.is_built):
            error = QueryError(
                f"stream of {name!r} is inside a loop and cannot be read from outside"
            )
            error.add_note("what a loop finds leaves it as the stream that iterate returns")
            raise error
        return self.operator if loop is None or loop is self.loop else loop.enter(self.operator)


def attach(make: Callable[..., Operator[S]], *edges: Edge[Any]) -> Edge[S]:
    """Add the operator that `make` makes of the operators behind some edges, inside the loop that one of them is in."""
    schedule = edges[0].schedule
    loop = next((edge.loop for edge in edges if edge.loop is not None), None)
    operator = make(*[edge.read_from(schedule, loop) for edge in edges])
    (schedule if loop is None else loop).add(operator)
    return Edge(schedule, operator, loop)


def refuse_in_loop(method: str, *edges: Edge[Any]) -> None:
    """Raise a QueryError if an edge is inside a loop."""
    if any(edge.loop is not None for edge in edges):
        error = QueryError(f"{method} cannot depend on the variable of a loop")
        error.add_note(
            "inside a loop only map, flat_map, filter, concat, join, semijoin and distinct may depend on it;"
            f" apply {method} to the result of iterate, or to what enters the loop"
        )
        raise error
