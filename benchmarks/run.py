"""Running a plan, one workload after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from benchmarks.chat import measure_chat
from benchmarks.fan import measure_fan
from benchmarks.measure import measure
from benchmarks.measurement import WORKLOADS
from benchmarks.memory import measure_memory
from benchmarks.questions import QUESTIONS
from benchmarks.start import measure_start
from benchmarks.wire import measure_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan

QUERIES: Final = {
    **{question.name: (question.text, question.workloads) for question in QUESTIONS},
    "views": ("one more chunk with all views of a session", {"W3"}),
    "equality": ("rows of a bucket, N queries with one each", {"W4"}),
    "range": ("rows of a range, N queries with one each", {"W4"}),
    "mixed": ("half of N queries of either kind", {"W4"}),
}
"""What can be asked for by name, with its words and the workloads it belongs to."""

OTHERS: Final[dict[str, Callable[[Plan], Iterator[Measurement]]]] = {
    "W4": measure_fan,
    "W5": measure_memory,
    "W6": measure_wire,
    "W7": measure_start,
}


def run(plan: Plan) -> Iterator[Measurement]:
    """Measure what the plan says, telling on standard error what is going on."""
    for question in QUESTIONS:
        if plan.asks(question.name) and question.workloads & {*plan.workloads}:
            print(f"{question.name}: {question.text} …", file=sys.stderr)
            yield from measure(question, plan)
    if "W3" in plan.workloads and plan.asks("views"):
        print(f"views: {QUERIES['views'][0]} …", file=sys.stderr)
        yield from measure_chat(plan)
    for code, measure_other in OTHERS.items():
        if code in plan.workloads:
            print(f"{code} {WORKLOADS[code]} …", file=sys.stderr)
            yield from measure_other(plan)
