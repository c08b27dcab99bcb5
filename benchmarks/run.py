"""Running a plan, one workload after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.measure import measure
from benchmarks.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan


def run(plan: Plan) -> Iterator[Measurement]:
    """Measure what the plan says, telling on standard error what is going on."""
    for question in QUESTIONS:
        if plan.asks(question.name) and {"W1", question.workload} & {*plan.workloads}:
            print(f"{question.name}: {question.text} …", file=sys.stderr)
            yield from measure(question, plan)
