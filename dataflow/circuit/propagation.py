"""Propagation: the steps of one epoch, from the sources that changed to the last node that their change reaches.

Law     each node with a changed input steps once, after all its inputs
Way     rank by rank, each changed node waking the nodes that read it. When one source has changed and few nodes can be concerned,
        the graph follows the way found for it earlier (`way`), which wakes nobody and queues nothing; only where that ends
        before its time it is gone on with here
Edges   a node that raises goes out of order together with everything downstream; the others carry on. One that is out of order
        is tried again. An interrupt (KeyboardInterrupt) inside a step puts the nodes still to run out of order; what the others
        have become is told all the same
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from dataflow.circuit.failure import fail, recover
from dataflow.circuit.node import EMPTY
from dataflow.circuit.way import nodes_on_way, way_along

if TYPE_CHECKING:
    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.node import Delta, Ended, Node, SourceNode
    from dataflow.circuit.observer import Tracer


class Propagation:
    """Steps the nodes of a graph."""

    __slots__ = ("_buckets", "_led", "_wirings")

    def __init__(self) -> None:
        self._buckets: list[list[Node]] = []  # by rank: the nodes that wait for their step
        self._led: list[ReferenceType[SourceNode]] = []  # the sources that have a way
        self._wirings = 0

    def rewire(self, rank: int) -> None:
        """Take note that a node of a rank comes or goes: ways may lead elsewhere from now on."""
        self._forget_ways()
        while len(self._buckets) <= rank:
            self._buckets.append([])

    def run(
        self,
        changed: list[Node],
        failed: list[Node],
        errors: list[BaseException],
        tracer: Tracer | None,
    ) -> list[Announcement]:
        """Step every node that a change reaches; return what is to be told, in rank order.

        Args:
            changed: the sources that changed.
            failed: takes the nodes whose status has changed.
            errors: takes the interrupt that ended it before its time, if one did.
            tracer: is told of every step.
        """
        if tracer is not None:
            tracer.enter(changed)
        elif len(changed) == 1:
            self._find_way(changed[0])
        touched = changed.copy()
        self._run_woken(changed, 0, touched, failed, errors, tracer)
        return _announced(touched)

    def go_on(
        self, ended: Ended, failed: list[Node], errors: list[BaseException]
    ) -> list[Announcement]:
        """Go on rank by rank where a way ended before its time; otherwise as `run`."""
        nodes, place, error = ended
        node = nodes[place]
        touched = [each for each in nodes[: place or 1] if each.out]
        node.undo()
        is_failure = isinstance(error, Exception)
        if is_failure:
            failed += self._fail(node, error)
        waiting = 0
        for each in nodes[place + is_failure :]:
            if any(source.out for source in each.inputs):
                each.queued = True
                self._buckets[each.rank].append(each)
                waiting += 1
        if not is_failure:
            self._abandon(touched, node.rank, error, failed)
            errors.append(error)
        elif waiting:
            self._run_woken([], waiting, touched, failed, errors, None)
        return _announced(touched)

    def _find_way(self, source: Any) -> None:
        """See to it that the next change of a source finds its way."""
        if source.way_found == self._wirings:
            return
        source.way_found = self._wirings
        nodes = nodes_on_way(source)
        if nodes is not None:
            source.way = way_along(nodes)
            self._led.append(ref(source))

    def _forget_ways(self) -> None:
        """Let all ways go, which hold on to nodes that nobody else may need any more."""
        self._wirings += 1
        for led in self._led:
            source = led()
            if source is not None:
                source.way = None
        self._led.clear()

    def _fail(self, node: Node, error: BaseException) -> list[Node]:
        """Put a node and everything downstream out of order; return them all."""
        self._forget_ways()  # none leads there now
        return fail(node, error)

    def _run_woken(
        self,
        changed: list[Node],
        waiting: int,
        touched: list[Node],
        failed: list[Node],
        errors: list[BaseException],
        tracer: Tracer | None,
    ) -> None:
        """Step the nodes that are queued, and those that changed ones wake, rank by rank; add those with a delta to `touched`."""
        rank, buckets = 0, self._buckets
        try:
            waiting += self._wake_consumers(changed)
            while waiting:
                rank += 1
                bucket = buckets[rank]
                if bucket:
                    if tracer is not None:
                        tracer.step(bucket)
                    waiting += self._run_rank(bucket, touched, failed) - len(bucket)
                    bucket.clear()
        except BaseException as interrupt:  # noqa: BLE001 - raised when everybody has been told
            self._abandon(touched, rank, interrupt, failed)
            errors.append(interrupt)

    def _run_rank(self, bucket: list[Node], touched: list[Node], failed: list[Node]) -> int:
        """Step the nodes of one rank; return how many consumers that woke."""
        awake: list[Node] = []
        for node in bucket:
            if node.error is None:
                node.steps += 1
                try:
                    out = node.step()
                except Exception as error:  # noqa: BLE001 - whatever a user function raises becomes the node's status
                    node.undo()
                    failed += self._fail(node, error)
                    out = EMPTY
                except BaseException:
                    node.undo()
                    raise
            else:
                out = self._recovered(node, failed, awake)
            node.queued = False
            if out:
                node.out = out
                touched.append(node)
                if node.consumers:
                    awake.append(node)
        return self._wake_consumers(awake) if awake else 0

    def _recovered(self, node: Node, failed: list[Node], awake: list[Node]) -> Delta:
        """Try a failed node again; everything downstream has to run if it recovers, whatever its own delta."""
        try:
            recovered = recover(node)
        except Exception as error:  # noqa: BLE001 - as in a step
            failed += self._fail(node, error)
            return EMPTY
        if recovered is None:
            return EMPTY
        self._forget_ways()
        failed.append(node)
        if not recovered:
            awake.append(node)
        return recovered

    def _wake_consumers(self, nodes: list[Node]) -> int:
        """Queue the nodes that a change of some nodes may concern; return how many were not queued before."""
        woken = 0
        buckets = self._buckets
        for node in nodes:
            router = node.router
            for consumer in node.consumers if router is None else router.readers(node.out):
                if not consumer.queued:
                    consumer.queued = True
                    buckets[consumer.rank].append(consumer)
                    woken += 1
        return woken

    def _abandon(
        self, touched: list[Node], rank: int, interrupt: BaseException, failed: list[Node]
    ) -> None:
        """Leave an epoch in the middle of a rank: what has not run is out of order until restarted or reached again."""
        unaware = [node for source in touched for node in source.consumers if node.rank > rank]
        for bucket in self._buckets:
            unaware += [node for node in bucket if node.queued]
            bucket.clear()
        for node in dict.fromkeys(unaware):
            node.queued = False
            failed += self._fail(node, interrupt)


def _announced(touched: list[Node]) -> list[Announcement]:
    """Return what is to be told of nodes, and clear their deltas."""
    due: list[Announcement] = []
    for node in touched:
        if node.out and node.subscribers:
            due.append((node.rank, tuple(node.subscribers), node.out))
        node.out = EMPTY
    return due
