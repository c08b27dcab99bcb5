"""Steps: the row-by-row part of a query (filter, select, map), one after the other.

A chain of steps turns a row into another row, or into None where it is filtered out. Its *shape* is the chain with constants and
functions lifted out (`lift`); `segments` splits it into library code and calls of user functions, `write_steps` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dataflow.frozen import frozen, replace
from dataflow.query.compiler.layout import RECORD, UNKNOWN, Layout
from dataflow.query.scalar import Apply, RowOf, Scalar, contains

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.query.compiler.lift import Lifter


@frozen
class Test:
    """Keep rows for which a library condition is TRUE."""

    condition: Scalar


@frozen
class Select:
    """Build a new row from a library expression."""

    row: Scalar


@frozen
class Construct:
    """Make an object of a declared type from a selected row, its fields as keyword arguments."""

    into: Any
    layout: Layout


@frozen
class CallFilter:
    """Keep rows for which a user function answers something truthy."""

    function: Any


@frozen
class CallMap:
    """Replace a row by what a user function returns."""

    function: Any


@frozen
class Bind:
    """Know the row under an alias from here on."""

    alias: str


Step: TypeAlias = Test | Select | Construct | CallFilter | CallMap | Bind


_CALLS: Final = frozenset((Construct, CallFilter, CallMap))
_BUILDERS: Final = frozenset((Select, Construct, CallMap))


def calls_user_code(steps: Iterable[Step]) -> bool:
    """Tell whether any step runs a function of the user."""
    for step in steps:
        if isinstance(step, Test):
            calls = contains(step.condition, Apply)
        else:
            calls = (
                contains(step.row, Apply) if isinstance(step, Select) else step.__class__ in _CALLS
            )
        if calls:
            return True
    return False


def builds_rows(steps: Iterable[Step]) -> bool:
    """Tell whether the chain's rows are new objects rather than its input's."""
    return not _BUILDERS.isdisjoint([step.__class__ for step in steps])


def output_layout(layout: Layout, steps: Iterable[Step]) -> Layout:
    """Return the layout of the rows that a chain makes."""
    for step in steps:
        if isinstance(step, Select):
            layout = _selected(layout, step.row)
        elif isinstance(step, Construct):
            layout = replace(step.layout, collected=layout.collected)
        elif isinstance(step, CallMap):
            layout = UNKNOWN
        elif isinstance(step, Bind):
            layout = layout.named(step.alias)
    return layout


def _selected(layout: Layout, row: Scalar) -> Layout:
    """Return the layout of a selected row: a dict, or the row of an alias as it is."""
    if isinstance(row, RowOf) and row.alias:
        slot = replace(layout.slot(row.alias), alias="", index=None)
        return Layout((slot,), layout.collected)
    return replace(RECORD, collected=True) if layout.collected else RECORD


def lift_steps(steps: Iterable[Step], lifter: Lifter) -> tuple[Step, ...]:
    """Return the shape of a chain."""
    lifted: list[Step] = []
    for step in steps:
        match step:
            case Test(condition=condition):
                lifted.append(Test(lifter.lift(condition)))
            case Select(row=row):
                lifted.append(Select(lifter.lift(row)))
            case Construct(into=function, layout=layout):
                lifted.append(Construct(lifter.parameter(function), layout))
            case CallFilter(function=function):
                lifted.append(CallFilter(lifter.parameter(function)))
            case CallMap(function=function):
                lifted.append(CallMap(lifter.parameter(function)))
            case Bind():
                lifted.append(step)
    return tuple(lifted)
