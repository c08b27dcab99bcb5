"""Steps: the row-by-row part of a query (filter, select, map) as statements over one local row.

A chain of steps turns a row into another row, or into None where it is filtered out. Library expressions of neighbouring
steps become one Python expression inside one `try`; when a field is missing, `safe` does the same for that row alone.

Calls of user functions split a chain: they stand outside every `try`, run at most once for a row, and never again in a
fallback. A function inside an expression (`fn(f, x) > 3`) is called first and its result named, so it is called for every row
that passes the steps before, whatever branch of a `case` it stands in.

    row1 = row if row.role == 'user' else None          Test   (library)
    if row1 is not None:
        row2 = p1(row1)                                   CallMap (user function)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.evaluate import Evaluator, evaluator
from dataflow.query.compiler.layout import RECORD, UNKNOWN, Layout
from dataflow.query.scalar import Apply, Call, Param, Record, Scalar, children, contains
from dataflow.values.logic import truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dataflow.query.compiler.factory import Source
    from dataflow.query.compiler.lift import Lifter


@dataclass(frozen=True, slots=True)
class Test:
    """Keep rows for which a library condition is TRUE."""

    condition: Scalar


@dataclass(frozen=True, slots=True)
class Select:
    """Build a new row from a library expression."""

    row: Scalar


@dataclass(frozen=True, slots=True)
class Construct:
    """Make an object of a declared type from a selected row, its fields as keyword arguments."""

    into: Any
    layout: Layout


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Keep rows for which a user function answers something truthy."""

    function: Any


@dataclass(frozen=True, slots=True)
class CallMap:
    """Replace a row by what a user function returns."""

    function: Any


@dataclass(frozen=True, slots=True)
class Bind:
    """Know the row under an alias from here on."""

    alias: str


Step: TypeAlias = Test | Select | Construct | CallFilter | CallMap | Bind


def calls_user_code(steps: Iterable[Step]) -> bool:
    """Tell whether any step runs a function of the user."""
    return any(
        isinstance(step, Construct | CallFilter | CallMap)
        or (isinstance(step, Test) and contains(step.condition, Apply))
        or (isinstance(step, Select) and contains(step.row, Apply))
        for step in steps
    )


def builds_rows(steps: Iterable[Step]) -> bool:
    """Tell whether the chain's rows are new objects rather than its input's."""
    return any(isinstance(step, Select | Construct | CallMap) for step in steps)


INLINE_COLUMNS = 8  # up to so many, two selected rows are compared column by column without a call


def inequality(steps: Sequence[Step], before: str, row: str) -> str:
    """Return source that tells whether two rows made by a chain differ.

    Rows that are handed through come from nodes whose deltas are net: other objects are other rows. Columns of a select are
    compared where they stand, identical ones without a call; everything else by `equal`.
    """
    if not builds_rows(steps):
        return f"{before} is not {row}"
    last = next(step for step in reversed(steps) if not isinstance(step, Test | Bind))
    if isinstance(last, Select) and isinstance(last.row, Record):
        names = [name for name, _ in last.row.items]
        if len(names) <= INLINE_COLUMNS and None not in names:
            same = [
                f"({before}[{name!r}] is {row}[{name!r}] or equal({before}[{name!r}], {row}[{name!r}]))"
                for name in names
            ]
            return f"not ({' and '.join(same)})"
    return f"not equal({before}, {row})"


def output_layout(layout: Layout, steps: Iterable[Step]) -> Layout:
    """Return the layout of the rows that a chain makes."""
    for step in steps:
        if isinstance(step, Select):
            layout = replace(RECORD, collected=layout.collected)
        elif isinstance(step, Construct):
            layout = replace(step.layout, collected=layout.collected)
        elif isinstance(step, CallMap):
            layout = UNKNOWN
        elif isinstance(step, Bind):
            layout = layout.named(step.alias)
    return layout


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


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring library steps over one row: conditions, then perhaps a new row."""

    layout: Layout
    conditions: tuple[Scalar, ...]
    row: Scalar | None

    def applied(self) -> list[Scalar]:
        """Return the calls of user functions inside, innermost first, each once."""
        found: dict[Scalar, None] = {}
        for part in (*self.conditions, *(() if self.row is None else (self.row,))):
            collect_applied(part, found)
        return list(found)


def collect_applied(node: Scalar, found: dict[Scalar, None]) -> None:
    """Add every call of a user function below a node, operands before the calls they feed."""
    for child in children(node):
        collect_applied(child, found)
    if isinstance(node, Apply) or (isinstance(node, Call) and node.name == "apply"):
        found.setdefault(node)


def segments(layout: Layout, steps: Iterable[Step]) -> list[tuple[Segment | Step, Layout]]:
    """Split a chain into library segments and user calls, each with the layout of the row it starts from."""
    parts: list[tuple[Segment | Step, Layout]] = []
    conditions: list[Scalar] = []
    here = layout

    def close(row: Scalar | None) -> None:
        if conditions or row is not None:
            parts.append((Segment(here, tuple(conditions), row), here))
            conditions.clear()

    for step in steps:
        match step:
            case Test(condition=condition):
                if contains_call(
                    condition
                ):  # earlier conditions decide for which rows the function is called
                    close(None)
                conditions.append(condition)
            case Select(row=row):
                if contains_call(row):
                    close(None)
                close(row)
            case Bind():
                close(None)
            case _:
                close(None)
                parts.append((step, here))
        here = output_layout(here, (step,))
    close(None)
    return parts


def contains_call(node: Scalar) -> bool:
    """Tell whether an expression calls a user function."""
    found: dict[Scalar, None] = {}
    collect_applied(node, found)
    return bool(found)


class StepWriter:
    """Writes the statements of a chain.

    Args:
        source: receives the lines.
        prefix: makes local names unique when a chain is written twice in one function.
    """

    def __init__(self, source: Source, prefix: str = "") -> None:
        self._source = source
        self._prefix = prefix
        self._rows = 0
        self._fallbacks = 0
        self._calls = 0

    def write(
        self,
        parts: list[tuple[Segment | Step, Layout]],
        start: str,
        finish: Callable[[str], None],
    ) -> None:
        """Write code that computes the chain's row from local `start`; `finish` writes what follows for a row that passes."""
        if not parts:
            finish(start)
            return
        (part, layout), rest = parts[0], parts[1:]
        if isinstance(part, Segment):
            result = self._segment(part, start)
            if not part.conditions:
                self.write(rest, result, finish)
                return
            with self._source.block(f"if {result} is not None:"):
                self.write(rest, result, finish)
        elif isinstance(part, CallFilter):
            with self._source.block(f"if {_parameter(part.function)}({visible(layout, start)}):"):
                self.write(rest, start, finish)
        else:
            self.write(rest, self._call(part, layout, start), finish)

    def _local(self) -> str:
        self._rows += 1
        return f"{self._prefix}row{self._rows}"

    def _segment(self, part: Segment, start: str) -> str:
        names = self._apply(part, start)
        emit = Emitter(part.layout, start, names)
        made = start if part.row is None else emit.value(part.row)
        tests = " and ".join(emit.true(condition) for condition in part.conditions)
        result = self._local()
        with self._source.block("try:"):
            self._source.line(
                f"{result} = {made} if {tests} else None" if tests else f"{result} = {made}"
            )
        self._fallback(result, start, names)
        return result

    def _apply(self, part: Segment, start: str) -> dict[Scalar, str]:
        """Call the user functions of a segment, innermost first; return which local holds which result."""
        names: dict[Scalar, str] = {}
        for call in part.applied():
            assert isinstance(call, Call)
            function, *args = call.args
            emit = Emitter(part.layout, start, names)
            self._calls += 1
            arguments, result = (
                f"{self._prefix}args{self._calls}",
                f"{self._prefix}called{self._calls}",
            )
            with self._source.block("try:"):
                wrap = "fresh({})" if part.layout.collected else "{}"
                values = "".join(f"{wrap.format(emit.value(arg))}, " for arg in args)
                self._source.line(f"{arguments} = ({values.strip()})")
            self._fallback(arguments, start, names)
            self._source.line(f"{result} = {_parameter(function)}(*{arguments})")
            names[call] = result
        return names

    def _fallback(self, result: str, start: str, names: dict[Scalar, str]) -> None:
        called = "".join(f", {name}" for name in names.values())
        with self._source.block("except MISSING:"):
            self._source.line(f"{result} = safe[{self._fallbacks}]({start}{called})")
        self._fallbacks += 1

    def _call(self, part: Step, layout: Layout, start: str) -> str:
        result = self._local()
        if isinstance(part, Construct):
            self._source.line(f"{result} = {_parameter(part.into)}(**{start})")
        else:
            assert isinstance(part, CallMap)
            self._source.line(
                f"{result} = mapped({_parameter(part.function)}({visible(layout, start)}))"
            )
        return result


def _parameter(node: Any) -> str:
    assert isinstance(node, Param)
    return f"p{node.index}"


def visible(layout: Layout, row: str) -> str:
    """Return source for the row as user functions get it: joined rows become `{alias: row}`, collected lists copies."""
    if not layout.joined:
        return f"fresh({row})" if layout.collected else row
    rows = [
        f"{slot.alias!r}: " + (f"fresh({slot.row(row)})" if layout.collected else slot.row(row))
        for slot in layout.slots
    ]
    return "{" + ", ".join(rows) + "}"


class Fallbacks:
    """The safe counterparts of a chain's `try` blocks, in the order in which `StepWriter` writes them; built when first needed."""

    __slots__ = ("_built", "_layout", "_steps")

    def __init__(self, layout: Layout, steps: tuple[Step, ...]) -> None:
        self._layout = layout
        self._steps = steps
        self._built: list[Callable[..., Any]] | None = None

    def __getitem__(self, index: int) -> Callable[..., Any]:
        if self._built is None:
            parts = segments(self._layout, self._steps)
            self._built = [
                safe
                for part, _ in parts
                if isinstance(part, Segment)
                for safe in _safe_segment(part)
            ]
        return self._built[index]


def _safe_segment(part: Segment) -> list[Callable[..., Any]]:
    calls: list[Scalar] = part.applied()
    results: list[Any] = []  # of the calls so far, for the row being evaluated

    def called(node: Apply) -> Evaluator:
        position = calls.index(node)
        return lambda row: results[position]

    def safe(node: Scalar) -> Evaluator:
        return evaluator(node, part.layout, called)

    def arguments(args: tuple[Scalar, ...]) -> Callable[..., Any]:
        values = [safe(arg) for arg in args]

        def evaluate(row: Any, *known: Any) -> tuple[Any, ...]:
            results[:] = known
            return tuple([value(row) for value in values])

        return evaluate

    conditions = [safe(condition) for condition in part.conditions]
    made: Evaluator = (lambda row: row) if part.row is None else safe(part.row)

    def whole(row: Any, *known: Any) -> Any:
        results[:] = known
        return made(row) if all(truth(condition(row)) for condition in conditions) else None

    return [arguments(call.args) for call in calls if isinstance(call, Apply)] + [whole]
