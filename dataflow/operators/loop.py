"""Loops: the operators between the variable of an `iterate` and the result of its step.

Inside a loop relations are sets: what enters from outside passes a `distinct` first, and what comes out is one again. The
weights in between count derivations. They are never negative there, so a loss of one derivation is never hidden by a gain of
another as long as the two are not fed in the same round; `iterate` rests on that.

For the same reason operators that look at whether *any* derivation is left have no place inside: they would hide all but the
last loss. `distinct` inside a loop does nothing, and `semijoin` is a join that keeps the left row; as the result is a set,
they mean the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.operators.distinct import Distinct
from dataflow.operators.operator import Inlet, Operator

if TYPE_CHECKING:
    from dataflow.operators.schedule import Schedule


class Loop:
    """The body of one `iterate` while it is built.

    Attributes:
        variable: the rows found so far.
        body: the operators that depend on the variable, in rank order.
        entrances: relation outside -> (its set, where that enters the body).
        is_built: whether the step function has returned.
    """

    __slots__ = ("_schedule", "body", "entrances", "is_built", "variable")

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.variable: Inlet[Any] = Inlet(label="variable")
        self.body: list[Operator[Any]] = []
        self.entrances: dict[Operator[Any], tuple[Distinct[Any], Inlet[Any]]] = {}
        self.is_built: bool = False
        schedule.christen(self.variable)

    def add(self, operator: Operator[Any]) -> None:
        """Add an operator that depends on the variable."""
        self._schedule.christen(operator)
        self.body.append(operator)

    def enter(self, operator: Operator[Any]) -> Inlet[Any]:
        """Return the place where a relation from outside enters, as a set."""
        if operator not in self.entrances:
            relation: Distinct[Any] = Distinct(operator)
            inlet: Inlet[Any] = Inlet(label="entrance")
            self._schedule.add(relation)
            self._schedule.christen(inlet)
            self.entrances[operator] = relation, inlet
        return self.entrances[operator][1]
