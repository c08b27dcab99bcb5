"""The benchmark of the stream server: its loads reach a server, and its table says what it measured."""

import asyncio
from typing import Any

import pytest

from benchmarks.streams.__main__ import table
from benchmarks.streams.loads import Figures, catch_up, deliveries, long_polls
from tests.conformance.server import serving


@pytest.mark.parametrize(
    ("load", "figures"),
    [
        (lambda port: long_polls(port, 1), {"long-poll ms, p50", "long-poll ms, p99"}),
        (
            lambda port: deliveries(port, 1, readers=50),
            {"delivery ms, 50 readers, p50", "delivery ms, 50 readers, p99"},
        ),
        (lambda port: catch_up(port, 1), {"catch-up MiB/s"}),
    ],
    ids=["long polls", "deliveries", "catch-up"],
)
def test_a_load_reaches_a_server_and_gives_its_figures(load: Any, figures: set[str]) -> None:
    async def run(port: int) -> Figures:
        found: Figures = await load(port)
        return found

    with serving("memory:") as server:
        found = asyncio.run(run(int(server.url.rpartition(":")[2])))
    assert set(found) == figures
    assert min(found.values()) > 0


def test_the_table_gives_medians_and_the_ratios_within_rounds() -> None:
    rounds = [{"a": 10.0, "b": 5.0}, {"a": 30.0, "b": 10.0}, {"a": 20.0, "b": 20.0}]
    assert table({"x/s": rounds}, ["a", "b"]) == [
        "| load | a | b | ratio | range |",
        "|---|---:|---:|---:|---:|",
        "| x/s | 20.00 | 10.00 | 2.00 | 1.00 to 3.00 |",
    ]
