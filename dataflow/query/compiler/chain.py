"""Chain: filters, selects and maps over one input, fused into one generated function.

Law         integrate(chain(d)) == {key: steps(row)} over the input's rows, after every epoch
Delta rule  (key, old, new) -> (key, steps(old), steps(new)); stored: nothing when both are equal, stateless: when they are alike
State       stored: key -> output row; stateless: none. O(output)
Cost        O(delta)
Edges       a chain that calls user functions is stored, so that they never see an old row again; one that does not may be
            stateless, and then computes the old output anew. So it cannot keep 1 where 1.0 has come to stand: what it left out
            now, it would take out later, of a group that never took it in
Source      Neumann, VLDB 2011 (fusing operators into one loop)

Over a join that runs inside, a chain takes the pairs one by one as the join makes them, and reads what the join reads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, Pairs, SourceNode, undo_changes
from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.factory import SHAPES_KEPT, Factory, Source, factory
from dataflow.query.compiler.fallbacks import Fallbacks
from dataflow.query.compiler.inside import Reader
from dataflow.query.compiler.layout import Layout
from dataflow.query.compiler.lift import Lifter
from dataflow.query.compiler.route import route_of
from dataflow.query.compiler.segments import Segment, segments
from dataflow.query.compiler.steps import (
    Select,
    Step,
    builds_rows,
    calls_user_code,
    lift_steps,
)
from dataflow.query.compiler.write_steps import StepWriter, inequality

if TYPE_CHECKING:
    from dataflow.circuit.router import Route


class Chain(Reader):
    """A stateless chain: keeps nothing, evaluates old and new."""

    __slots__ = ("_convert", "_step")

    def __init__(self, upstream: Node, layout: Layout, steps: tuple[Step, ...]) -> None:
        super().__init__(upstream, label="select" if builds_rows(steps) else "filter")
        self.route = _route_below(upstream, layout, steps)
        made, functions = _instantiate(layout, steps, stored=False)
        self.source: str = self._sources(made.source)
        self._step, self._convert = functions

    def step(self) -> Delta:
        changes: Delta = self._step(self._delta())
        return changes

    def scan(self) -> Pairs:
        pairs: Pairs = self._convert(self._upstream.scan())
        return pairs

    def ordered_keys(self) -> Any:
        return None

    def hydrate(self) -> None:
        """Do nothing: there is no state."""


class StoredChain(Reader):
    """A chain that keeps its output, as a live result or because user functions must not run twice."""

    __slots__ = ("_changes", "_load", "_step")

    def __init__(self, upstream: Node, layout: Layout, steps: tuple[Step, ...]) -> None:
        super().__init__(upstream, label="select" if builds_rows(steps) else "filter")
        self.route = _route_below(upstream, layout, steps)
        made, functions = _instantiate(layout, steps, stored=True, net=upstream.rows is not None)
        self.source: str = self._sources(made.source)
        self._step, self._load = functions
        self._changes: Delta = []
        self.rows = {}

    def step(self) -> Delta:
        changes: Delta = []
        self._changes = changes
        self._step(self._delta(), self.rows, changes)
        return changes

    def hydrate(self) -> None:
        self.rows = self._load(self._upstream.scan)

    def undo(self) -> None:
        assert self.rows is not None
        undo_changes(self.rows, self._changes)
        self._changes = []

    def ordered_keys(self) -> Any:
        keys = self._upstream.ordered_keys()
        rows = self.rows
        assert rows is not None
        return None if keys is None else (key for key in keys if key in rows)


def _route_below(upstream: Node, layout: Layout, steps: tuple[Step, ...]) -> Route | None:
    """Return the route of a chain: only sources route what they hand on."""
    return route_of(layout, steps) if isinstance(upstream, SourceNode) else None


def _instantiate(
    layout: Layout, steps: tuple[Step, ...], *, stored: bool, net: bool = True
) -> tuple[Factory, Any]:
    """Return the functions of a chain; `net` tells that rows handed to it anew are never equal to those before."""
    kept = {step.__class__ for step in steps} == {Select} and not calls_user_code(steps)
    return (_of_selects if kept else _functions)(layout, steps, stored, net)


def _functions(
    layout: Layout,
    steps: tuple[Step, ...],
    stored: bool,  # noqa: FBT001 - part of the key of a cache
    net: bool,  # noqa: FBT001 - as above
) -> tuple[Factory, Any]:
    lifter = Lifter()
    shape = lift_steps(steps, lifter)

    def write() -> str:
        return _write(layout, shape, len(lifter.values), stored=stored, net=net)

    made = factory(("chain", layout, shape, stored, net), write, label="chain")
    return made, made.make(*lifter.values, Fallbacks(layout, steps))


# Those of selects serve every chain that selects the same; constants of conditions are hardly ever the same again, and functions
# of users may hold on to anything.
_of_selects = lru_cache(maxsize=SHAPES_KEPT)(_functions)


def _write(
    layout: Layout, steps: tuple[Step, ...], parameters: int, *, stored: bool, net: bool
) -> str:
    source = Source()
    parts = segments(layout, steps)
    names = "".join(f"p{index}, " for index in range(parameters))
    with source.block(f"def make({names}safe):"):
        if stored:
            unequal = inequality(steps, "before", "row")
            if not net and not builds_rows(steps):
                unequal += " and not equal(before, row)"
            _write_stored_step(source, parts, unequal)
            _write_load(source, parts)
            source.line("return step, load")
        else:
            unlike = inequality(steps, "before", "after", "alike")
            _write_stateless_step(source, parts, unlike if builds_rows(steps) else None)
            _write_convert(source, parts)
            source.line("return step, convert")
    return str(source)


Parts = list[tuple[Segment | Step, Layout]]


def _assign(source: Source, parts: Parts, start: str, target: str, prefix: str = "") -> None:
    """Write code that sets `target` to the chain's row for local `start`, or to None."""
    source.line(f"{target} = None")
    with source.block(f"if {start} is not None:"):
        StepWriter(source, prefix).write(parts, start, lambda row: source.line(f"{target} = {row}"))


def _write_stored_step(source: Source, parts: Parts, unequal: str) -> None:
    with source.block("def step(delta, rows, changes):"):
        source.line("key = None")
        with source.block("try:"), source.block("for key, old, new in delta:"):
            _assign(source, parts, "new", "row")
            source.line("before = rows.get(key)")
            with source.block("if row is None:"), source.block("if before is not None:"):
                source.line("del rows[key]")
                source.line("changes.append((key, before, None))")
            with source.block("elif before is None:"):
                source.line("rows[key] = row")
                source.line("changes.append((key, None, row))")
            with source.block(f"elif {unequal}:"):
                source.line("rows[key] = row")
                source.line("changes.append((key, before, row))")
        with source.block("except Exception as error:"):
            source.line("raise StepError(key) from error")


def _write_stateless_step(source: Source, parts: Parts, unlike: str | None) -> None:
    with source.block("def step(delta):"):
        source.line("changes = []")
        with source.block("for key, old, new in delta:"):
            _assign(source, parts, "old", "before", "old_")
            _assign(source, parts, "new", "after", "new_")
            if unlike is None:
                changed = "before is not None or after is not None"
            else:
                changed = f"after is not None if before is None else after is None or {unlike}"
            with source.block(f"if {changed}:"):
                source.line("changes.append((key, before, after))")
        source.line("return changes")


def _write_load(source: Source, parts: Parts) -> None:
    with source.block("def load(scan):"):
        if (
            len(parts) == 1
            and isinstance(segment := parts[0][0], Segment)
            and not segment.applied()
        ):
            _write_bulk_load(source, segment)
        source.line("rows = {}")
        source.line("key = None")
        with source.block("try:"), source.block("for key, new in scan():"):
            writer = StepWriter(source)
            writer.write(parts, "new", lambda row: source.line(f"rows[key] = {row}"))
        with source.block("except Exception as error:"):
            source.line("raise StepError(key) from error")
        source.line("return rows")


def _write_bulk_load(source: Source, segment: Segment) -> None:
    """Write the load of a chain of library steps as one comprehension, tried first."""
    emit = Emitter(segment.layout, "new")
    made = "new" if segment.row is None else emit.value(segment.row)
    tests = " and ".join(emit.true(condition) for condition in segment.conditions)
    where = f" if {tests}" if tests else ""
    with source.block("try:"):
        source.line(f"return {{key: {made} for key, new in scan(){where}}}")
    with source.block("except MISSING:"):
        source.line("pass  # some row lacks a field: go through them one by one")


def _write_convert(source: Source, parts: Parts) -> None:
    with source.block("def convert(pairs):"), source.block("for key, new in pairs:"):
        StepWriter(source).write(parts, "new", lambda row: source.line(f"yield key, {row}"))
