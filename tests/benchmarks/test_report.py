"""Reports: tables for people, lines for `compare`, and its verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.compare import compare
from benchmarks.measurement import WORKLOADS, Measurement
from benchmarks.records import environment, read, write
from benchmarks.report import NOTES, markdown

CHANGE = Measurement(
    workload="W2",
    query="filter",
    size=1_000,
    metric="change",
    unit="us per change",
    peer="ours",
    p50=1.5,
    p99=9.0,
    low=1.25,
    high=1.75,
    segments=5,
    against="floor",
    ratio=3.0,
    ratio_low=2.75,
    ratio_high=3.25,
    altered=0.61,
    checksum=7,
)
FLOOR = replace(CHANGE, peer="floor", p50=0.5, p99=2.25, against="ours", ratio=0.33)
NODE = replace(CHANGE, peer="db-ivm", p50=1234.5, segments=3, against="ours", ratio=823.0)
BYTES = replace(
    CHANGE, workload="W5", metric="source", unit="bytes per row", p50=150.0, p99=None, low=149.0,
    high=151.0, against=None, ratio=None, ratio_low=None, ratio_high=None, altered=None,
)  # fmt: skip


def test_each_workload_and_metric_has_its_tables() -> None:
    assert markdown([CHANGE, FLOOR, NODE, BYTES]) == (
        "## W2 change: single changes, batches of 100 and of 10,000\n\n"
        f"{NOTES['W2']}\n\n"
        "### One change at a time (us per change)\n\n"
        "| query  |     N | ours |  p99 | floor |  p99 | ours / floor |   range | altered |\n"
        "| ------ | ----: | ---: | ---: | ----: | ---: | -----------: | ------: | ------: |\n"
        "| filter | 1,000 | 1.50 | 9.00 |  0.50 | 2.25 |         3.00 | 2.8–3.2 |     61% |\n\n"
        "Everybody else, and as a multiple of ours (below ×1 is faster than ours):\n\n"
        "| query  |     N |           db-ivm |\n"
        "| ------ | ----: | ---------------: |\n"
        "| filter | 1,000 | 1,234 ×823.0 n=3 |\n\n"
        "## W5 memory: bytes per row\n\n"
        f"{NOTES['W5']}\n\n"
        "### Source (bytes per row)\n\n"
        "| query  |     N |  ours |\n"
        "| ------ | ----: | ----: |\n"
        "| filter | 1,000 | 150.0 |"
    )


def test_every_workload_says_what_is_better() -> None:
    assert NOTES.keys() == WORKLOADS.keys()
    assert all("less is better" in note.lower() for note in NOTES.values())


def test_a_size_that_says_nothing_has_no_column() -> None:
    (start,) = (
        table for table in markdown([replace(BYTES, size=0)]).split("\n\n") if table[0] == "|"
    )
    assert start.splitlines()[0] == "| query  |  ours |"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return written(tmp_path / "base.json", CHANGE, FLOOR, BYTES)


def written(path: Path, *measurements: Measurement) -> Path:
    write(path, measurements, environment("python -m benchmarks"))
    return path


def test_lines_hold_the_measurements_and_where_they_were_made(base: Path) -> None:
    measured, around = read(base)
    assert measured == [CHANGE, FLOOR, BYTES]
    assert around.keys() == {
        "command",
        "date",
        "code",
        "versions",
        "machine",
        "seed",
    }
    assert around["command"] == "python -m benchmarks"
    assert around["machine"].keys() == {"system", "processor", "cpus", "load"}
    assert around["versions"]["@tanstack/db"] == "0.15.2"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.json"
    with pytest.raises(SystemExit, match=r"there is no file .*missing\.json"):
        read(path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text('{"kind": "change"}\n', "utf-8")
    with pytest.raises(SystemExit, match="written by another version: no 'workload'"):
        read(path)


@pytest.mark.parametrize(
    ("low", "ratio", "high", "verdict"),
    [
        (3.8, 3.9, 4.2, "slower"),
        (3.4, 3.6, 3.8, "same"),  # apart, but by less than a quarter
        (3.0, 3.9, 4.2, "same"),  # the ranges overlap
        (2.0, 2.2, 2.5, "faster"),
    ],
)
def test_a_verdict_needs_ranges_apart_and_a_quarter(
    base: Path, tmp_path: Path, low: float, ratio: float, high: float, verdict: str
) -> None:
    head = replace(CHANGE, ratio=ratio, ratio_low=low, ratio_high=high)
    path = written(tmp_path / "head.json", head)
    text, slower = compare(base, path)
    assert text.splitlines()[-1].split("|")[-2].strip() == verdict
    assert slower == (verdict == "slower")
    assert main(["compare", str(base), str(path)]) == int(slower)


@pytest.mark.parametrize(("unit", "verdict"), [("bytes per row", "slower"), ("events/s", "faster")])
def test_without_a_floor_the_figures_themselves_decide(
    tmp_path: Path, unit: str, verdict: str
) -> None:
    before = written(tmp_path / "before.json", replace(BYTES, unit=unit))
    head = replace(BYTES, unit=unit, low=290.0, p50=300.0, high=310.0)
    text, _ = compare(before, written(tmp_path / "head.json", head))
    assert text.splitlines()[-1].split("|")[-2].strip() == verdict


def test_other_work_is_not_compared(base: Path, tmp_path: Path) -> None:
    head = replace(CHANGE, ratio=9.0, ratio_low=9.0, ratio_high=9.0, checksum=8)
    text, slower = compare(base, written(tmp_path / "head.json", head))
    assert (text.splitlines()[-1].split("|")[-2].strip(), slower) == ("other work", False)


def test_runs_without_a_common_measurement_cannot_be_compared(base: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.json", replace(CHANGE, query="join"))
    with pytest.raises(SystemExit, match="no measurement in common"):
        main(["compare", str(base), str(other)])


def test_a_run_prints_tables_and_writes_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.json"
    assert (
        main(["filter", "W2", "--quick", "--rows", "50", "--peers", "floor", "--json", str(path)])
        == 0
    )
    measured, around = read(path)
    assert [(found.query, found.size, found.metric, found.peer) for found in measured] == [
        ("filter", 50, metric, peer)
        for metric in ("change", "batch 100")
        for peer in ("ours", "floor")
    ]
    assert around["command"].startswith("python -m benchmarks filter W2 --quick --rows 50")
    assert "### One change at a time (us per change)\n\n| query " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["filtre"], "no benchmark 'filtre'; there are W1, "),
        (["filter", "--peers", "sqlit"], "no peer 'sqlit'; there are ours, floor, sqlite"),
    ],
)
def test_an_unknown_name_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert complaint in capsys.readouterr().err


def test_results_are_written_with_their_command_and_a_plot(base: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert main(["report", str(base), "--to", str(tmp_path)]) == 0
    text = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert text.startswith("# Results\n")
    assert f"- `python -m benchmarks`, {read(base)[1]['date']}" in text
    assert text.index("## What we hold ourselves to") < text.index("## How it is measured")
    assert markdown([CHANGE, FLOOR, BYTES]) in text
    assert "<svg" in (tmp_path / "results.svg").read_text("utf-8")


def test_the_plot_is_of_the_largest_size_that_most_peers_were_asked_at(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    few = {1_000: 5, 10_000: 5, 100_000: 4, 1_000_000: 2}
    peers = ("ours", "floor", "sqlite", "db-ivm", "duckdb")
    measured = [
        replace(CHANGE, size=size, peer=peer) for size in few for peer in peers[: few[size]]
    ]
    path = written(tmp_path / "sizes.json", *measured)
    assert main(["report", str(path), "--to", str(tmp_path)]) == 0
    text = (tmp_path / "results.svg").read_text("utf-8")
    assert "<!-- One change at a time, 100,000 rows -->" in text
