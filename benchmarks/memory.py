"""W5: bytes per row, of a source beyond the row objects it was given, and of an answer beyond its own row objects.

Counted in a fresh process per peer: by tracemalloc in Python, by the heap after a collection in Node, where the row objects of an answer
cannot be told from the rest and are included.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import summarized
from benchmarks.peers.node_process import NodePeer
from benchmarks.peers.peer import Unavailable
from benchmarks.peers.roster import FLOOR, OURS, ROSTER
from benchmarks.peers.views import local
from benchmarks.plan import SEED
from benchmarks.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan
    from benchmarks.questions import Question

ASKED: Final = ("filter", "join", "groupfk", "sorted")


def measure_memory(plan: Plan) -> Iterator[Measurement]:
    """Measure the largest size of the plan that every peer is asked at."""
    size = max(size for size in plan.sizes if size <= ROSTER["db-ivm"].limit)
    for question in QUESTIONS:
        if question.name not in ASKED or not plan.asks(question.name):
            continue
        found: dict[str, tuple[float, float]] = {}
        for peer in plan.peers:
            if (counted := _counted(question, peer, size)) is not None:
                found[peer] = counted
        for place, metric, unit in (
            (0, "source", "bytes per source row"),
            (1, "answer", "bytes per answer row"),
        ):
            for peer, figures in found.items():
                against = FLOOR if peer == OURS else OURS
                other = found.get(against)
                yield summarized(
                    [[figures[place]]],
                    workload="W5",
                    query=question.name,
                    size=size,
                    metric=metric,
                    unit=unit,
                    peer=peer,
                    against=against,
                    others=[[other[place]]] if other and other[place] > 0 else (),
                )


def _counted(question: Question, peer: str, size: int) -> tuple[float, float] | None:
    """Return bytes per row of the source and of the answer, or None of a peer that cannot tell."""
    if peer in (OURS, FLOOR):
        command = [sys.executable, "-m", "benchmarks.memory", question.name, peer, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        source, answer = json.loads(done.stdout)
        return source, answer
    try:
        made = ROSTER[peer].make(question)
    except Unavailable:
        return None
    with closing(made):
        if not isinstance(made, NodePeer):
            return None
        tables = question.traffic(size, SEED).tables()
        source_bytes, answer_bytes = made.memory(tables)
        return source_bytes / sum(map(len, tables.values())), answer_bytes / len(made.rows())


def main(name: str, peer: str, size: int) -> None:
    """Count in this process; print the two figures as JSON."""
    question = next(question for question in QUESTIONS if question.name == name)
    tables = question.traffic(size, SEED).tables()
    made = local(peer, question)
    gc.collect()
    tracemalloc.start()
    made.load(tables)
    source = _now()
    made.hydrate()
    answer = _now() - source
    given = {id(row) for rows in tables.values() for row in rows}
    tracemalloc.stop()
    rows = made.rows()
    answer -= sum(sys.getsizeof(row) for row in rows if id(row) not in given)
    print(json.dumps([source / sum(map(len, tables.values())), answer / len(rows)]))


def _now() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
