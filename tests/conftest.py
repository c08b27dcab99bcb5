"""Run modes of the suite.

Three Hypothesis profiles differ only in how long they look:

    dev   50 examples per property, fresh seeds    the default
    ci    300 examples, derandomized               when CI=true
    soak  1000 examples, fresh seeds               with --soak, which also runs tests marked `soak`

A soak takes its time where faults were found: 20,000 cases of the query language, 10,000 histories of
messages, 10,000 of the views over them. With thousands of examples for every other property as well
it would take hours; a thousand keep it below one.

A property test never sets its own `max_examples`: an expensive one takes a share of the profile's
count, for instance `settings(max_examples=settings().max_examples // 5)`.

Random cases tell what they covered to the `tally` of the session; the table is printed at its end.

A test that cannot run because a tool is missing skips with a reason that starts with "needs " (or
uses `pytest.importorskip`). Under CI=true such a skip is a failure: there, everything is installed,
and a check that silently stopped running is worse than none.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.coverage_table import Tally

ON_CI = os.environ.get("CI", "").lower() == "true"
MISSING_TOOL = re.compile(r"(?:Skipped: )?(?:needs |could not import )")

# A clock decides "too slow", and the machine is shared.
_BASE = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _BASE, max_examples=50)
settings.register_profile("ci", _BASE, max_examples=300, derandomize=True)
settings.register_profile("soak", _BASE, max_examples=1000)
settings.load_profile("ci" if ON_CI else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="full counts: minutes, not seconds")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--soak"):
        settings.load_profile("soak")


TALLY: pytest.StashKey[Tally] = pytest.StashKey()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """What the random cases of this session covered."""
    from tests.coverage_table import Tally  # the engine is not for every session to load

    return pytestconfig.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    tally = config.stash.get(TALLY, None)
    if tally is not None:
        terminalreporter.section("coverage of the query language by random cases")
        for line in tally.lines():
            terminalreporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="full counts only: run with --soak"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_tool_is_missing(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_tool_is_missing(report)
    return report


def _fail_if_tool_is_missing(report: pytest.TestReport | pytest.CollectReport) -> None:
    # A skip is reported as (path, line, reason); an xfail, also "skipped", has another shape.
    if ON_CI and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if MISSING_TOOL.match(reason):
            report.outcome = "failed"
            report.longrepr = f"a tool is missing although CI=true: {reason}"
