"""Factories: generated source compiled once per shape, instantiated once per query.

    shape (hashable) -> source text -> factory `make(p0, p1, …)` -> functions bound to one query's constants and state

Compiling costs a few hundred microseconds, instantiating a few. The source is registered with `linecache`, so tracebacks
through generated code show their lines, and every factory keeps it for `explain(query, code=True)`.
"""

from __future__ import annotations

import linecache
from collections import Counter, defaultdict
from contextlib import contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import EMPTY, StepError
from dataflow.frozen import frozen
from dataflow.query.compiler.bulk_order import plain_entries
from dataflow.query.compiler.emit import OPERATION_NAMES
from dataflow.query.compiler.evaluate import field, item, spread
from dataflow.query.compiler.runtime import fresh, in_columns, mapped, null_if_unset
from dataflow.values.equality import equal
from dataflow.values.identity import alike
from dataflow.values.logic import and_, or_
from dataflow.values.normal import PLAIN, SEEN_AS_THEY_ARE, expose, normal
from dataflow.values.null import ABSENT
from dataflow.values.order import row_sort_key, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from types import CodeType

MISSING = (LookupError, AttributeError, TypeError, ValueError, ArithmeticError)
"""What reading a field or computing with it can raise; such a row goes to the safe evaluator."""


_NAMES: dict[str, Any] = {
    **OPERATION_NAMES,
    "ABSENT": ABSENT,
    "Counter": Counter,
    "EMPTY": EMPTY,
    "MISSING": MISSING,
    "NO_ROWS": {},
    "PLAIN": PLAIN,
    "SEEN_AS_THEY_ARE": SEEN_AS_THEY_ARE,
    "StepError": StepError,
    "alike": alike,
    "and_": and_,
    "defaultdict": defaultdict,
    "equal": equal,
    "expose": expose,
    "field": field,
    "flat": chain.from_iterable,
    "fresh": fresh,
    "in_columns": in_columns,
    "item": item,
    "mapped": mapped,
    "normal": normal,
    "null_if_unset": null_if_unset,
    "or_": or_,
    "plain_entries": plain_entries,
    "row_sort_key": row_sort_key,
    "sort_key": sort_key,
    "spread": spread,
}


@frozen
class Factory:
    """A compiled shape: call `make` with parameters and state; `source` is what was compiled, `filename` its name in tracebacks."""

    make: Callable[..., Any]
    source: str
    filename: str


class Source:
    """Python source under construction, one line at a time."""

    __slots__ = ("_indent", "_lines")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = 0

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def line(self, text: str) -> None:
        """Add a line at the current depth."""
        self._lines.append("    " * self._indent + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Add a header line; what is added inside the `with` is indented under it."""
        self.line(header)
        self._indent += 1
        yield
        self._indent -= 1


SHAPES_KEPT = 1_000  # more are forgotten, oldest first: running queries keep their functions, a later one compiles anew

_factories: dict[Hashable, Factory] = {}
_numbers = count()


def factory(shape: Hashable, write: Callable[[], str], *, label: str) -> Factory:
    """Return the factory of a shape, compiling what `write` returns when it is the first of its shape.

    Args:
        shape: everything the source depends on.
        write: returns source that defines a function `make`.
        label: what the code is, for file names in tracebacks.
    """
    found = _factories.get(shape)
    if found is None:
        text = write()
        filename = f"<dataflow {label} {next(_numbers)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        code: CodeType = compile(text, filename, "exec")
        names = dict(_NAMES)
        exec(code, names)
        found = _factories[shape] = Factory(names["make"], text, filename)
        if len(_factories) > SHAPES_KEPT:
            oldest = _factories.pop(next(iter(_factories)))
            linecache.cache.pop(oldest.filename, None)
    return found
