"""Incremental group-by.

Law         rows == {key: aggregates of the rows of that key, recomputed}, after every epoch
Delta rule  take `old` out of its group and `new` into its own; build the row of each touched group once, at the end
State       one list of cells per group (`accumulate`, `cells`), and the group's row. O(groups), plus what ordered aggregates hold
Cost        O(delta) plus each aggregate's own, one comparison for an update of nothing that is read; `collect` is O(group) per touched group by definition
Edges       nulls group together; a group without rows vanishes, but a group-by without keys always has its one row;
            inputs are evaluated before any cell is changed; user functions run only when rows are built
Source      Gupta & Mumick, "Maintenance of Materialized Views", 1995 (counting); engine notes in ARCHITECTURE.md

The steps that follow directly (having, select) are part of the same generated function when they are library expressions.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dataflow.circuit.node import Delta, undo_changes
from dataflow.frozen import replace
from dataflow.query.compiler.accumulate import Cells, column_keys
from dataflow.query.compiler.cells import NAMES
from dataflow.query.compiler.columns import write_columns, write_normal_columns
from dataflow.query.compiler.factory import SHAPES_KEPT, Factory, Source, factory
from dataflow.query.compiler.fallbacks import Fallbacks
from dataflow.query.compiler.inside import Reader
from dataflow.query.compiler.keys import safe_values, write_inputs
from dataflow.query.compiler.layout import CELLS, Layout
from dataflow.query.compiler.lift import Lifter
from dataflow.query.compiler.segments import segments
from dataflow.query.compiler.steps import Step, builds_rows, lift_steps
from dataflow.query.compiler.write_steps import StepWriter, inequality
from dataflow.query.scalar import Aggregate, Param, RowOf, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.circuit.node import Node
    from dataflow.values.order import Direction


class Group(Reader):
    """Group-by with aggregates, followed by library steps over the group's cells.

    Args:
        layout: of the input's rows.
        keys: group-key expressions; none means one global group.
        aggregates: in the order of their cells, after the keys.
        steps: having and select over the cells.
        narrow: whether there may be updates that change nothing that is read of a row.
    """

    __slots__ = (
        "_apply",
        "_changes",
        "_flush",
        "_group_of",
        "_groups",
        "_is_global",
        "_is_joined",
        "_load",
    )

    def __init__(
        self,
        upstream: Node,
        layout: Layout,
        keys: tuple[Scalar, ...],
        aggregates: tuple[Aggregate, ...],
        steps: tuple[Step, ...],
        *,
        narrow: bool = False,
    ) -> None:
        super().__init__(upstream, label="group by" if keys else "aggregate")
        self._is_global = not keys
        self._is_joined = layout.joined
        self._groups: dict[Any, list[Any]] = {}
        self._changes: Delta = []
        self.rows = {}

        shape = (layout, keys, aggregates, steps, narrow)
        kept = not any(aggregate.options for aggregate in aggregates)  # else they may hold anything
        prepared = (_prepared if kept else _prepare)(*shape)
        self.source = self._sources(prepared.made.source)
        self._apply, self._load, self._flush, self._group_of = prepared.made.make(
            *prepared.values,
            prepared.safe,
            Fallbacks(CELLS, steps),
            *column_keys(prepared.directions),
            **NAMES,
        )

    def step(self) -> Delta:
        groups = self._groups
        changes: Delta = []
        self._changes = changes
        dirty: dict[Any, list[Any]] = {}
        self._apply(self._delta(), groups, dirty)
        self._flush(dirty, groups, self.rows, changes)
        self.touched += len(dirty)
        return changes

    def hydrate(self) -> None:
        groups: dict[Any, list[Any]] = {}
        rows: dict[Any, Any] = {}
        in_parts = partial(self._columns, joined=self._is_joined)
        self._load(self._upstream.scan, in_parts, groups, is_global=self._is_global)
        self._flush(dict(groups), groups, rows, deque(maxlen=0))  # nobody hears of it
        self._groups, self.rows = groups, rows

    def reaches(self, key: Any) -> bool:
        group_of = self._group_of
        touched = (
            group_of(row) for _, old, new in self._delta() for row in (old, new) if row is not None
        )
        return key in touched  # which finds NaN

    def undo(self) -> None:
        assert self.rows is not None
        undo_changes(self.rows, self._changes)
        self._changes = []


class _Prepared(NamedTuple):
    """What a group of known text is made of: its factory, the values of that, and the safe evaluation of its inputs."""

    made: Factory
    values: list[Any]
    safe: Callable[[Any], tuple[Any, ...]]
    directions: list[Direction]


def _prepare(
    layout: Layout,
    keys: tuple[Scalar, ...],
    aggregates: tuple[Aggregate, ...],
    steps: tuple[Step, ...],
    narrow: bool,  # noqa: FBT001 - the parts of a shape have no names
) -> _Prepared:
    plain = Cells(inputs=list(keys))
    for aggregate in aggregates:
        plain.aggregate(_unlifted(aggregate))
    lifter = Lifter()
    shape = (
        layout,
        tuple(lifter.lift(key) for key in keys),
        tuple(_lift(aggregate, lifter) for aggregate in aggregates),
        lift_steps(steps, lifter),
        narrow,
    )
    made = factory(("group", shape), lambda: _write(*shape, len(lifter.values)), label="group")
    safe = safe_values(layout, tuple(plain.inputs))
    return _Prepared(made, lifter.values, safe, plain.directions)


_prepared = lru_cache(maxsize=SHAPES_KEPT)(_prepare)


def _unlifted(aggregate: Aggregate) -> Aggregate:
    """Return an aggregate whose expressions are as written; its options, which are no expressions, do not matter."""
    return replace(aggregate, options=tuple(Param(0, "other") for _ in aggregate.options))


def _lift(aggregate: Aggregate, lifter: Lifter) -> Aggregate:
    options = tuple(lifter.parameter(option) for option in aggregate.options)
    where = None if aggregate.where is None else lifter.lift(aggregate.where)
    args = tuple(lifter.lift(arg) for arg in aggregate.args)
    return Aggregate(aggregate.kind, args, where, lifter.lift_order(aggregate.order_by), options)


def _write(
    layout: Layout,
    keys: tuple[Scalar, ...],
    aggregates: tuple[Aggregate, ...],
    steps: tuple[Step, ...],
    narrow: bool,  # noqa: FBT001 - the parts of a shape have no names
    parameters: int,
) -> str:
    cells = Cells(inputs=list(keys))
    for aggregate in aggregates:
        cells.aggregate(aggregate)
    source = Source()
    names = "".join(f"p{index}, " for index in range(parameters))
    orders = "".join(f"order{index}, " for index in range(len(cells.directions)))
    with source.block(f"def make({names}safe_values, safe, {orders}*, {', '.join(NAMES)}):"):
        _write_apply(source, layout, cells, len(keys), narrow=narrow)
        _write_load(source, layout, cells, len(keys))
        _write_flush(source, cells, len(keys), steps)
        _write_group_of(source, layout, cells.inputs[: len(keys)])
        source.line("return apply, load, flush, group_of")
    return str(source)


def _write_group(source: Source, keys: int) -> None:
    """Write code that sets `group` to the normal form of the keys, which are the first inputs."""
    if keys == 1:
        source.line("group = x0 if x0.__class__ in PLAIN else normal(x0)")
    else:
        parts = "".join(f"normal(x{index}), " for index in range(keys))
        source.line(f"group = ({parts.strip()})")


def _write_group_of(source: Source, layout: Layout, keys: list[Scalar]) -> None:
    with source.block("def group_of(row):"):
        write_inputs(source, layout, keys, "row")
        _write_group(source, len(keys))
        source.line("return group")


def _write_add(source: Source, cells: Cells) -> None:
    source.line("cells[0] += 1")
    for line in cells.add:
        source.line(line)


def _write_find(source: Source, cells: Cells, keys: int) -> None:
    """Write code that sets `cells` to those of the group of a row that comes, new ones if it is the first there."""
    _write_group(source, keys)
    source.line("cells = groups.get(group)")
    with source.block("if cells is None:"):
        source.line(f"cells = groups[group] = [{', '.join(cells.initial)}]")


def _write_apply(source: Source, layout: Layout, cells: Cells, keys: int, *, narrow: bool) -> None:
    inputs = range(len(cells.inputs))
    with (
        source.block("def apply(delta, groups, dirty):"),
        source.block("for key, old, new in delta:"),
    ):
        source.line("stays = old is not None and new is not None")
        if cells.inputs:
            with source.block("if old is not None:"):
                write_inputs(source, layout, cells.inputs, "old")
            with source.block("if new is not None:"):
                write_inputs(source, layout, cells.inputs, "new", "y")
        if narrow:
            alike = "".join(f" and {_alike(index, cells.inputs[index])}" for index in inputs)
            with source.block(f"if stays{alike}:"):
                source.line("continue")
        with source.block("if old is not None:"):
            _write_group(source, keys)
            source.line("cells = groups[group]")
            source.line("cells[0] -= 1")
            for line in cells.remove:
                source.line(line)
            source.line("dirty[group] = cells")
        with source.block("if new is not None:"):
            same = "".join(f" and x{index} is y{index}" for index in range(keys))
            source.line(f"stays = stays{same}")
            for index in inputs:
                source.line(f"x{index} = y{index}")
            with source.block("if not stays:"):
                _write_find(source, cells, keys)
                source.line("dirty[group] = cells")
            _write_add(source, cells)


def _alike(index: int, node: Scalar) -> str:
    """Return source that tells whether what a row contributes is as before; a row as a whole is another one if it is another object."""
    same = f"x{index} is y{index}"
    return same if isinstance(node, RowOf) else f"({same} or alike(x{index}, y{index}))"


def _write_load(source: Source, layout: Layout, cells: Cells, keys: int) -> None:
    with source.block("def load(scan, in_parts, groups, *, is_global):"):
        with source.block("if is_global:"):
            source.line(f"groups[()] = [{', '.join(cells.initial)}]")
        if cells.load is None:
            with source.block("for key, new in scan():"):
                write_inputs(source, layout, cells.inputs, "new")
                _write_find(source, cells, keys)
                _write_add(source, cells)
            return
        write_columns(source, layout, cells.inputs, "in_parts()")
        if keys:
            _write_names(source, keys)
            _write_group_values(source, cells)
        else:
            source.line("cells = groups[()]")
            for local in cells.loaded:
                source.line(f"cls{local[1:]} = only_class(xs{local[1:]})")
            source.line("cells[0] = number")
            for line in cells.load:
                source.line(line)


def _write_names(source: Source, keys: int) -> None:
    """Write code that sets `names` to the groups of all rows."""
    write_normal_columns(source, keys)
    parts = ", ".join(f"keys{index}" for index in range(keys))
    source.line("names = keys0" if keys == 1 else f"names = zip({parts})")


def _write_group_values(source: Source, cells: Cells) -> None:
    """Write code that collects what each group is made of, and then fills its cells at once."""
    loaded = [int(local[1:]) for local in cells.loaded]
    if not loaded:
        with source.block("for group, number in Counter(names).items():"):
            source.line("groups[group] = [number]")
        return
    source.line("collected = defaultdict(list)")
    lists = _lists(loaded)
    one = len(loaded) == 1
    with source.block(f"for group, value in zip(names, {lists if one else f'zip({lists})'}):"):
        source.line("collected[group].append(value)")
    for index in loaded:
        source.line(f"cls{index} = only_class(xs{index})")
    with source.block(f"for group, {lists if one else 'parts'} in collected.items():"):
        if not one:
            source.line(f"{lists} = map(list, zip(*parts))")
        source.line(f"cells = groups[group] = [{', '.join(cells.initial)}]")
        source.line(f"cells[0] = len(xs{loaded[0]})")
        for line in cells.load or ():
            source.line(line)


def _lists(indexes: Iterable[int]) -> str:
    return ", ".join(f"xs{index}" for index in indexes)


def _write_flush(source: Source, cells: Cells, keys: int, steps: tuple[Step, ...]) -> None:
    parts = ["group"] if keys == 1 else [f"group[{index}]" for index in range(keys)]
    exposed = [
        f"{part} if {part}.__class__ in SEEN_AS_THEY_ARE else expose({part})" for part in parts
    ]
    values = "".join(f"{value}, " for value in (*exposed, *cells.results))
    with source.block("def flush(dirty, groups, rows, changes):"):
        source.line("group = None")
        with source.block("try:"), source.block("for group, cells in dirty.items():"):
            source.line("row = None")
            with source.block("if cells[0]:" if keys else "if True:"):
                source.line(f"cell = ({values.strip()})")
                StepWriter(source).write(
                    segments(CELLS, steps), "cell", lambda row: source.line(f"row = {row}")
                )
            if keys:
                with source.block("else:"):
                    source.line("del groups[group]")
            source.line("before = rows.get(group)")
            with source.block("if row is None:"), source.block("if before is not None:"):
                source.line("del rows[group]")
                source.line("changes.append((group, before, None))")
            with source.block("elif before is None:"):
                source.line("rows[group] = row")
                source.line("changes.append((group, None, row))")
            changed = (
                inequality(steps, "before", "row")
                if builds_rows(steps)
                else "not equal(before, row)"
            )
            with source.block(f"elif {changed}:"):
                source.line("rows[group] = row")
                source.line("changes.append((group, before, row))")
        with source.block("except Exception as error:"):
            source.line("raise StepError(group) from error")
