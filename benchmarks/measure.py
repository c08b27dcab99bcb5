"""Measuring questions on tables (W1, W2, W3): all peers in alternating segments of one run, so that all meet the same weather.

Every peer lives in a process of its own, told what to do by a pipe, with the clock inside. In one process a garbage
collection that one peer sets off would walk over the rows of its rivals and of the traffic, too. What goes there arrives as
fresh objects, so that none warms the cache for its rivals.

A segment is the next part of one history of changes. Every peer applies all of it, and times its commits one by one; who begins
goes round. Reported are medians over segments, and ratios within segments with the range they had. Garbage collection stays on.
Reading the clock costs about 0.05 us in Python, 0.1 on Node. A peer too slow for its allowance is timed on fewer commits, and ends
in the same state all the same.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

from benchmarks.answers import DisagreementError, recount, same_answer, same_news
from benchmarks.measurement import summarized
from benchmarks.peers.peer import Unavailable
from benchmarks.peers.roster import FLOOR, OURS, ROSTER
from benchmarks.plan import BULK, ENOUGH, SEED
from benchmarks.traffic import history

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measurement import Measurement
    from benchmarks.peers.peer import Peer
    from benchmarks.plan import Plan
    from benchmarks.questions import Question

AGREE_TWICE: Final = 100_000
"""Rows above which answers are compared in the end only, not after hydrating as well: reading them takes long."""

Segments = dict[str, list[list[float]]]
"""Of each peer, the values of each segment."""


def measure(question: Question, plan: Plan) -> Iterator[Measurement]:
    """Measure a question at each size."""
    if not question.workloads & {*plan.workloads}:
        return
    own = question.sizes and [size for size in question.sizes if size <= plan.most]
    for size in own or plan.sizes:
        with ExitStack() as stack:
            yield from _Bench(question, size, plan, stack).run()


class _Bench:
    """A question at one size, put to all peers."""

    def __init__(self, question: Question, size: int, plan: Plan, stack: ExitStack) -> None:
        self._question, self._size, self._plan = question, size, plan
        self._traffic = question.traffic(size, SEED)
        self._peers: dict[str, Peer] = {}
        for name in plan.peers:
            if size > ROSTER[name].limit:
                continue
            try:
                peer = ROSTER[name].make(question)
            except Unavailable as reason:
                print(f"  without {name}: {reason}", file=sys.stderr)
                continue
            self._peers[name] = stack.enter_context(closing(peer))

    def run(self) -> Iterator[Measurement]:
        """Load, hydrate and change; report each when the answers agree."""
        kinds, is_first = self._question.kinds, "W1" in self._plan.workloads
        loads = self._bulk("load", again="load" in kinds and is_first)
        hydrates = self._bulk("hydrate", again="hydrate" in kinds and is_first)
        bulk = [("load", loads), ("hydrate", hydrates)] if is_first else []
        is_changed = self._question.workload in self._plan.workloads
        if self._size <= AGREE_TWICE or not is_changed:
            yield from self._report_bulk(bulk, self._agree())
            bulk = []
        if not is_changed:
            return
        changed = {
            size: self._commits(size, count)
            for size, count in self._plan.commits
            if (size == 1 if "batch" not in kinds else size <= max(self._size, 100))
        }
        checksum = self._agree()
        self._recount(checksum)
        yield from self._report_bulk(bulk, checksum)
        for size, (segments, altered) in changed.items():
            metric = "change" if size == 1 else f"batch {size:,}"
            workload, unit = self._question.workload, "us per change"
            yield from self._report(workload, metric, unit, segments, checksum, altered)

    def _bulk(self, kind: str, *, again: bool) -> Segments:
        """Load or hydrate, and do it again for every segment.

        Who takes long is let off; then the first time counts, which for others only warms up.
        """
        found: Segments = {name: [] for name in self._peers}
        spent = dict.fromkeys(self._peers, 0)
        segments = min(self._plan.segments, ENOUGH) + 1 if again else 1
        for segment in range(segments):
            for name in self._turns(segment):
                if segment and spent[name] > BULK * self._allowance(name):
                    continue
                peer = self._peers[name]
                time = peer.load(self._traffic.tables()) if kind == "load" else peer.hydrate()
                spent[name] += time
                found[name].append([time / (1_000 * self._size)])
        for values in found.values():
            del values[: len(values) > 1]
        return found

    def _commits(self, size: int, count: int) -> tuple[Segments, float]:
        """Apply the next changes of the traffic, so many in each commit; return times, and the share that altered the answer."""
        found: Segments = {name: [] for name in self._peers}
        calls = self._calls()
        segments = self._plan.segments_of(self._size)
        for segment in range(segments + 1):  # the first one warms up
            drawn = history(self._traffic, batches=count, size=size)
            for name in self._turns(segment):
                times = self._peers[name].commits(drawn, self._allowance(name))
                if segment:
                    found[name].append([time / (1_000 * size) for time in times])
        return found, (self._calls() - calls) / (count * (segments + 1))

    def _calls(self) -> int:
        """Return how often our subscriber was called."""
        heard = self._peers[OURS].heard()
        return 0 if heard is None else heard[0]

    def _allowance(self, name: str) -> int:
        """Return the peer's allowance; ours and the floor are always measured in full, and hear of every commit alone."""
        return sys.maxsize if name in (OURS, FLOOR) else self._plan.allowance

    def _turns(self, segment: int) -> list[str]:
        """Return the peers in the order of a segment."""
        names = list(self._peers)
        first = segment % len(names)
        return names[first:] + names[:first]

    def _agree(self) -> int:
        """Return the checksum of the answer. A peer with another one has no times worth telling and is out of the run.

        Raises:
            DisagreementError: if ours and the floor differ.
        """
        sure = {name: peer for name, peer in self._peers.items() if name in (OURS, FLOOR)}
        checksum = same_answer(self._question, sure)
        same_news(self._question, sure)
        for name in [name for name in self._peers if name not in sure]:
            try:
                same_answer(self._question, {OURS: sure[OURS], name: self._peers[name]})
            except DisagreementError as wrong:
                print(f"  without {name} from here: {wrong}", file=sys.stderr)
                del self._peers[name]  # which is closed in the end, as all are
        return checksum

    def _recount(self, checksum: int) -> None:
        """Compare the answer with one computed from the tables as they are in the end.

        Raises:
            DisagreementError: if they differ.
        """
        counted = recount(self._question, self._traffic.tables())
        if counted not in (None, checksum):
            raise DisagreementError(f"{self._question.name}: a recount gives another answer")

    def _report_bulk(
        self, bulk: Sequence[tuple[str, Segments]], checksum: int
    ) -> Iterator[Measurement]:
        for kind, found in bulk:
            if kind in self._question.kinds:
                yield from self._report("W1", kind, "us per row", found, checksum, None)

    def _report(
        self,
        workload: str,
        metric: str,
        unit: str,
        found: Segments,
        checksum: int,
        altered: float | None,
    ) -> Iterator[Measurement]:
        for name, segments in found.items():
            if name not in self._peers:
                continue
            against = FLOOR if name == OURS else OURS
            yield summarized(
                segments,
                workload=workload,
                query=self._question.name,
                size=self._size,
                metric=metric,
                unit=unit,
                peer=name,
                against=against,
                others=found.get(against, ()),
                altered=altered,
                checksum=checksum,
            )
