"""Failure and recovery of nodes.

Law     a node that raises keeps the rows of its last good epoch, and so does everything downstream; siblings and sources
        never notice. In the epoch that changes what it failed on it is built anew, and its delta is the net difference.
Cost    failure: O(nodes downstream); recovery: one hydration of each of them
Logs    the first failure of a node as an error, with its traceback; its recovery as info
State   the error, without its frames, whose text it gets as a note: through their callers frames hold whatever was going on,
        the result that failed included, which then nothing would ever release
Edges   a failure that names no place (two rows with one key, an interrupted step) is looked at again in every epoch that
        reaches the node. So is one below a node that was out of order, too, and keeps no rows to tell what has changed meanwhile
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

from dataflow.circuit.commit import Commit
from dataflow.circuit.node import EMPTY, Delta, Node, SourceNode, StepError
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Iterable

logger: logging.Logger = logging.getLogger("dataflow")


def fail(node: Node, error: BaseException) -> list[Node]:
    """Put a node and everything downstream out of order; return them all."""
    node.failed_at = (error.key,) if isinstance(error, StepError) else None
    cause = error.__cause__ if isinstance(error, StepError) and error.__cause__ else error
    if node.error is None:
        logger.error("%s failed, with everything that reads it", node.label, exc_info=cause)
    _leave_frames(cause)
    affected = list(downstream(node))
    for each in affected:
        if each is node or each.failed_at is None:  # else it has a failure of its own
            each.error = cause
    return affected


def _leave_frames(error: BaseException) -> None:
    """Take the frames from an error and those behind it, and note where they were."""
    note = "".join(["raised at\n", *traceback.format_tb(error.__traceback__)])
    if error.__traceback__ is not None and note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    found: list[BaseException] = [error]
    for each in found:
        each.__traceback__ = None
        found += [
            other
            for other in (each.__cause__, each.__context__)
            if other is not None and other.__traceback__ is not None
        ]


def notify(nodes: Iterable[Node]) -> None:
    """Tell those who watch nodes that a status has changed."""
    for node in nodes:
        for watcher in tuple(node.watchers):
            watcher.status_changed()


def recover(node: Node) -> Delta | None:
    """Rebuild a failed node if what it failed on may be gone; return the net difference of its rows, None if it has to wait.

    Raises:
        Exception: what the user function raised this time.
    """
    if any(source.error is not None for source in node.inputs):
        return None
    if node.failed_at is not None and not node.reaches(*node.failed_at):
        return None
    before = node.rows
    rebuild(node)
    logger.info("%s recovered", node.label)
    if before is None or node.rows is None:
        for consumer in node.consumers:
            consumer.failed_at = None  # whether that has changed meanwhile, nobody knows
        return EMPTY
    return difference(before, node.rows)


def rebuild(node: Node) -> None:
    """Hydrate a node; if that raises, it keeps its old rows."""
    rows = node.rows
    try:
        node.hydrate()
    except BaseException:
        node.rows = rows
        raise
    node.error = None
    node.failed_at = None


def downstream(node: Node) -> Iterable[Node]:
    """Return a node and everything that reads it, directly or not."""
    seen = {node: None}
    for current in (pending := [node]):
        for consumer in current.consumers:
            if consumer not in seen:
                seen[consumer] = None
                pending.append(consumer)
    return seen


def difference(before: dict[Any, Any], after: dict[Any, Any]) -> Delta:
    """Return the net delta between two states of a relation."""
    delta: Delta = [
        (key, row, after.get(key))
        for key, row in before.items()
        if key not in after or not equal(row, after[key])
    ]
    delta.extend((key, None, row) for key, row in after.items() if key not in before)
    return delta


class Restart(Commit):
    """Tries the failed nodes of a plan again, though nothing they read has changed."""

    __slots__ = ("_last",)

    def __init__(self, last: Node) -> None:
        self._last = last

    def apply(self) -> list[Node]:
        """Return a stand-in for a changed source, whose consumers are the nodes that failed first."""
        trigger = SourceNode(label="restart")
        for node in _first_failures(self._last):
            node.failed_at = None
            trigger.consumers[node] = None
        return [trigger]


def _first_failures(last: Node) -> list[Node]:
    """Return the failed nodes upstream of a node that have no failed input themselves."""
    seen = {last: None}
    for node in (pending := [last]):
        for source in node.inputs:
            if source.error is not None and source not in seen:
                seen[source] = None
                pending.append(source)
    return [
        node for node in seen if node.error is not None and not any(s.error for s in node.inputs)
    ]
