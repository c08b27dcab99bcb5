"""Tracing: one report per epoch, for logs, metrics and spans.

Law     rows touched of all reports add up to what the nodes have counted; an epoch in which nothing happened has no report
Cost    with a hook, O(nodes that ran) per epoch; without one, a test for None per epoch and rank
Edges   the engine reads no clock: each hook brings its own, read before the commit is applied and after the last delivery.
        A hook is called when the epoch is over; what it raises surfaces like what a subscriber raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataflow.circuit.graph import Graph, current_graph
from dataflow.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.node import Node


@dataclass(frozen=True, slots=True)
class Epoch:
    """What happened in one epoch.

    Attributes:
        number: counts the epochs of the graph.
        name: the sources that changed, in order; "" when results were only started or moved.
        rows_in: rows that changed in sources.
        rows_touched: rows that the nodes of queries read or wrote.
        rows_out: rows that subscribers were told of, each as often as it was told.
        duration: seconds by the hook's clock, deliveries included.
    """

    number: int
    name: str
    rows_in: int
    rows_touched: int
    rows_out: int
    duration: float


class EpochTrace(Closing):
    """A hook that is called after every epoch; `close()` it, or use it as a context manager.

    Attributes:
        clock: returns seconds.
    """

    __slots__ = ("_call", "_graph", "clock")

    def __init__(
        self, graph: Graph, call: Callable[[Epoch], object], clock: Callable[[], float]
    ) -> None:
        self._graph = graph
        self._call = call
        self.clock: Callable[[], float] = clock
        tracer = graph.tracer
        if not isinstance(tracer, EpochCounter):
            tracer = graph.tracer = EpochCounter()
        tracer.hooks[self] = None

    def report(self, epoch: Epoch) -> None:
        """Call the hook."""
        self._call(epoch)

    def close(self) -> None:
        """Stop; closing twice is allowed."""
        self._graph.check_thread("a trace")
        tracer = self._graph.tracer
        if isinstance(tracer, EpochCounter):
            tracer.hooks.pop(self, None)
            if not tracer.hooks:
                self._graph.tracer = None


class EpochCounter:
    """Counts an epoch for all hooks of a graph.

    Attributes:
        hooks: who is called.
    """

    __slots__ = ("_begun", "_name", "_rows_in", "_stepped", "hooks")

    def __init__(self) -> None:
        self.hooks: dict[EpochTrace, None] = {}
        self._begun: list[tuple[EpochTrace, float]] = []
        self._name = ""
        self._rows_in = 0
        self._stepped: list[tuple[Node, int]] = []

    def begin(self) -> None:
        """Read the clocks."""
        self._begun = [(hook, hook.clock()) for hook in self.hooks]
        self._stepped = []

    def enter(self, changed: list[Node]) -> None:
        """Note what changed in sources."""
        self._name = ", ".join(node.label for node in changed if node.out)
        self._rows_in = sum(len(node.out) for node in changed)

    def step(self, nodes: list[Node]) -> None:
        """Note nodes that are about to run."""
        self._stepped += [(node, node.touched) for node in nodes]

    def end(self, number: int, due: list[Announcement], errors: list[BaseException]) -> None:
        """Report the epoch to the hooks that saw it begin."""
        touched = sum(node.touched - before for node, before in self._stepped)
        told = sum(len(delta) * len(subscribers) for _, subscribers, delta in due)
        for hook, start in self._begun:
            duration = hook.clock() - start
            try:
                hook.report(Epoch(number, self._name, self._rows_in, touched, told, duration))
            except Exception as error:  # noqa: BLE001 - one hook must not starve the next
                errors.append(error)


def trace_epochs(call: Callable[[Epoch], Any], *, clock: Callable[[], float]) -> EpochTrace:
    """Call a hook after every epoch of this thread's collections and queries.

    Args:
        call: gets an `Epoch`.
        clock: returns seconds, such as `time.perf_counter`.

    Returns:
        A handle to close.
    """
    return EpochTrace(current_graph(), call, clock)
