"""The benchmark of optimistic mutations runs, and reports what it measured."""

from __future__ import annotations

import pytest  # noqa: TC002 - pytest resolves annotations of fixtures

from benchmarks.mutations import Result, main, markdown, measure


def test_a_line_has_the_ratio_of_the_medians() -> None:
    result = Result(
        what="mutation", where="other rows", rows=1_000, pending=10, alone=2.0, beside=3.0
    )
    assert markdown([result]).splitlines()[-1] == (
        "| mutation |   1,000 |      10 | other rows   |       2.00 |        3.00 |  1.50 |"
    )


def test_what_is_measured_took_time() -> None:
    found = measure("sync", "the same row", rows=50, pending=5, segments=1, count=5)
    assert found.alone > 0
    assert found.beside > 0


def test_the_command_line_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["mutation", "mutation", "sync"]
