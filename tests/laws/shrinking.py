"""Make a failing case smaller by leaving things out, as long as it fails in the same way.

Greedy: commits, views, changes, initial rows, clauses, fields of rows, round after round until
nothing more can go. A case is plain data and knows what may be left out, so this needs no help from
Hypothesis, and takes a failure found by counting through seeds just as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from tests.cases import Case, Commit, Row

T = TypeVar("T")

ATTEMPTS = 2_000


@dataclass(frozen=True)
class Failure:
    """How a case fails: `kind` is what shrinking must preserve, `detail` is for the reader."""

    kind: str
    detail: str


Check = Callable[[Case], Failure | None]


def assert_holds(case: Case, check: Check) -> None:
    """Assert that a check finds nothing; otherwise show the smallest case it fails on.

    Raises:
        AssertionError: The check fails.
    """
    failure = check(case)
    if failure is None:
        return
    is_refused = failure.kind.startswith(
        "refused"
    )  # anything smaller is refused for its own reasons
    small = case if is_refused else shrink(case, failure.kind, check)
    last = check(small) or failure
    raise AssertionError(f"{last.kind}: {last.detail}\n\n{small}")


def shrink(case: Case, kind: str, check: Check) -> Case:
    """Return the smallest case found that fails in the same way."""
    attempts = 0
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(case):
            attempts += 1
            if attempts > ATTEMPTS:
                return case
            failure = check(smaller)
            if failure is not None and failure.kind == kind:
                case, improved = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Yield cases with one thing less, big things first."""
    size = len(case.history)
    while size:
        for start in range(0, len(case.history), size):
            history = case.history[:start] + case.history[start + size :]
            yield replace(case, history=history)
        size //= 2
    for n in reversed(range(len(case.views))):
        yield replace(case, views=case.views[:n] + case.views[n + 1 :])
    for name in case.initial:
        for rows in _without_one(case.initial[name]):
            yield replace(case, initial=case.initial | {name: rows})
    for n, commit in enumerate(case.history):
        for fewer in _without_one(commit):
            if fewer:
                yield _with_commit(case, n, fewer)
    yield from _with_fewer_clauses(case)
    yield from _with_smaller_rows(case)


def _without_one(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    for n in range(len(items)):
        yield items[:n] + items[n + 1 :]


def _with_commit(case: Case, n: int, commit: Commit) -> Case:
    return replace(case, history=(*case.history[:n], commit, *case.history[n + 1 :]))


def _with_fewer_clauses(case: Case) -> Iterator[Case]:
    for n, view in enumerate(case.views):
        for at in range(1, len(view.clauses)):
            clauses = view.clauses[:at] + view.clauses[at + 1 :]
            views = (*case.views[:n], replace(view, clauses=clauses), *case.views[n + 1 :])
            yield replace(case, views=views)


def _with_smaller_rows(case: Case) -> Iterator[Case]:
    for name, rows in case.initial.items():
        for n, row in enumerate(rows):
            for smaller in _with_fewer_fields(row):
                changed = (*rows[:n], smaller, *rows[n + 1 :])
                yield replace(case, initial=case.initial | {name: changed})
    for n, commit in enumerate(case.history):
        for at, op in enumerate(commit):
            if op.verb == "delete":
                continue
            for smaller in _with_fewer_fields(op.value):
                yield _with_commit(
                    case, n, (*commit[:at], replace(op, value=smaller), *commit[at + 1 :])
                )


def _with_fewer_fields(row: Row) -> Iterator[Row]:
    for name in row:
        if name != "id":
            yield {other: value for other, value in row.items() if other != name}
