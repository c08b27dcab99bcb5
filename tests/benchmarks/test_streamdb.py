"""The benchmark of StreamDB: quick runs reach all peers, whose answers are equal; figures say what was measured."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.peers.peer import Unavailable
from benchmarks.streamdb.__main__ import main
from benchmarks.streamdb.figures import Figure, Figures, table
from benchmarks.streamdb.tasks import History, Load, checksum
from stateschema.state import MaterializedState


def measured(folder: Path, *names: str) -> dict[str, set[str]]:
    """Run benchmarks quickly; give the peers of each metric."""
    try:
        assert main([*names, "--quick", "--json", str(folder / "found.json")]) == 0
    except Unavailable as error:
        pytest.skip(str(error))
    lines = [json.loads(line) for line in (folder / "found.json").read_text("utf-8").splitlines()]
    assert all(min(line["medians"].values()) > 0 for line in lines)
    assert len({line["checksum"] for line in lines}) == len(names)
    return {line["metric"]: set(line["medians"]) for line in lines}


def test_a_derived_view_is_measured_at_its_remote_readers(tmp_path: Path) -> None:
    assert measured(tmp_path, "latency", "fanout") == {
        "append to visible, p50 ms": {"ours"},
        "append to visible, p99 ms": {"ours"},
        "fan-out to 20, p50 ms": {"ours"},
        "fan-out to 20, p99 ms": {"ours"},
        "fan-out to 20, changes/s": {"ours"},
    }


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs node and npm")
def test_ours_and_the_typescript_client_have_equal_answers(tmp_path: Path) -> None:
    ways = {"published", "computed"}
    assert measured(tmp_path, "preload", "following") == {
        "preload of 300, events/s": {"ours", "typescript"},
        "preload of 300, events/s of processor": {"ours", "typescript"},
        "TypeScript, view of 300: up to date, ms": ways,
        "TypeScript, view of 300: up to date, ms of processor": ways,
        "TypeScript, view of 300: change, ms": ways,
        "TypeScript, view of 300: change, ms of processor": ways,
    }


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["preloads"])
    assert "there is no benchmark preloads" in capsys.readouterr().err


def test_a_peer_with_another_answer_is_refused() -> None:
    figures = Figures()
    figures.add("a", {"x": 1.0}, checksum="same")
    figures.add("b", {"x": 1.0}, checksum="same")
    figures.add("a", {"x": 1.0}, checksum="of the next round")
    with pytest.raises(RuntimeError, match="b has another answer than the others: x"):
        figures.add("b", {"x": 1.0}, checksum="other")


def test_figures_are_medians_and_the_ratios_within_rounds() -> None:
    rounds = [{"a": 10.0, "b": 5.0}, {"a": 30.0, "b": 10.0}, {"a": 20.0, "b": 20.0}]
    figure = Figure("x/s", rounds, "sum")
    assert json.loads(figure.line({"seed": 1})) == {
        "metric": "x/s",
        "medians": {"a": 20.0, "b": 10.0},
        "ratio": 2.0,
        "rounds": rounds,
        "checksum": "sum",
        "seed": 1,
    }
    assert table([figure, Figure("alone", [{"a": 1.0}])]) == [
        "| metric | ours | other | ours / other | range |",
        "|---|---:|---:|---:|---:|",
        "| x/s | 20.00 | 10.00 | 2.00 | 1.00 to 3.00 |",
        "| alone | 1.00 |  |  |  |",
    ]


def test_changes_come_with_what_the_view_says_of_them() -> None:
    history, state = History(), MaterializedState()
    state.apply_batch(history.events(200))
    for event, row in history.changes(20):
        state.apply_batch([event])
        efforts = [
            value["effort"]
            for value in state.get_type("task").values()
            if value["owner"] == row["owner"]
        ]
        assert row == Load(owner=row["owner"], n=len(efforts), effort=sum(efforts))


def test_checksums_do_not_see_the_order_of_rows() -> None:
    rows = [{"a": 1, "b": 2}, {"a": 2, "b": 2}]
    turned = [{"b": 2, "a": 2}, {"b": 2, "a": 1}]
    assert checksum({"v": rows}) == checksum({"v": turned}) != checksum({"v": rows[:1]})
