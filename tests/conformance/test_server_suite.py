"""The published conformance suite of the protocol, against our server, on every store.

The suite has 338 tests; the six of the optional subscriptions are switched off by its own switch. All
others must pass, in one run, none skipped or tried again.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.conformance.node import node_folder, run_node
from tests.conformance.server import serving

TESTS = 338
SUBSCRIPTIONS = 6
LONG_POLL_SECONDS = 0.5
STORES = {"memory": "memory:", "sqlite": "sqlite:///{folder}/streams.db"}

Report: TypeAlias = dict[str, Any]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """Run the suite on both stores at once: most of its time it sleeps, to see streams expire."""
    node = node_folder()
    folders = {store: tmp_path_factory.mktemp(store) for store in STORES}
    with ThreadPoolExecutor() as pool:
        running = {store: pool.submit(run_suite, node, store, folders[store]) for store in STORES}
        return {store: run.result() for store, run in running.items()}


@pytest.mark.parametrize("store", STORES)
def test_every_test_but_those_of_subscriptions_passes(
    reports: dict[str, Report], store: str
) -> None:
    report = reports[store]
    assert failures(report) == []
    assert totals(report) == {
        "numTotalTests": TESTS,
        "numPassedTests": TESTS - SUBSCRIPTIONS,
        "numFailedTests": 0,
        "numPendingTests": SUBSCRIPTIONS,
        "numTodoTests": 0,
    }


def run_suite(node: Path, store: str, folder: Path) -> Report:
    results = folder / "results.json"
    url = STORES[store].format(folder=folder)
    with serving(url, "--long-poll-timeout", str(LONG_POLL_SECONDS)) as server:
        run = run_node(
            node,
            *("npx", "vitest", "run", "conformance.test.mjs", "--testTimeout", "30000"),
            *("--retry", "0", "--reporter=json", f"--outputFile={results}"),
            STREAMS_URL=server.url,
            LONG_POLL_MS=str(int(LONG_POLL_SECONDS * 1000)),
        )
    assert results.exists(), run.stdout + run.stderr
    report: Report = json.loads(results.read_text())
    return report


def totals(report: Report) -> dict[str, int]:
    names = ("Total", "Passed", "Failed", "Pending", "Todo")
    return {f"num{name}Tests": report[f"num{name}Tests"] for name in names}


def failures(report: Report) -> list[tuple[str, str]]:
    return [
        (test["fullName"], "\n".join(test["failureMessages"]))
        for file in report["testResults"]
        for test in file["assertionResults"]
        if test["status"] == "failed"
    ]
