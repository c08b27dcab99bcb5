"""Write steps: a chain of steps as Python statements over one local row.

try:
    row1 = row if row.role == 'user' else None      a segment; when a field is missing, `safe` does the same for this row alone
except MISSING:
    row1 = safe[0](row)
if row1 is not None:
    row2 = mapped(p1(row1))                         a call of a user function, outside every `try`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.compiler.emit import Emitter
from dataflow.query.compiler.segments import Segment
from dataflow.query.compiler.steps import (
    Bind,
    CallFilter,
    CallMap,
    Construct,
    Select,
    Step,
    Test,
    builds_rows,
)
from dataflow.query.scalar import Call, Param, Record, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataflow.query.compiler.factory import Source
    from dataflow.query.compiler.layout import Layout

INLINE_COLUMNS = 8  # up to so many, two selected rows are compared column by column without a call


def inequality(steps: Sequence[Step], before: str, row: str, same: str = "equal") -> str:
    """Return source that tells whether two rows made by a chain differ.

    Rows that are handed through come from nodes whose deltas are net: other objects are other rows. Columns of a select are
    compared where they stand, identical ones without a call, and the last one first, since what comes first seldom changes: ids and
    keys. Everything else is compared by `same`, a function of two values.
    """
    if not builds_rows(steps):
        return f"{before} is not {row}"
    last = next(step for step in reversed(steps) if not isinstance(step, Test | Bind))
    if isinstance(last, Select) and isinstance(last.row, Record):
        names = [name for name, _ in last.row.items]
        if len(names) <= INLINE_COLUMNS and None not in names:
            pairs = [(f"{before}[{name!r}]", f"{row}[{name!r}]") for name in reversed(names)]
            return f"not ({' and '.join(f'({a} is {b} or {same}({a}, {b}))' for a, b in pairs)})"
    return f"not {same}({before}, {row})"


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
