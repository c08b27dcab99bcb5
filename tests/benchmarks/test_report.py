"""Reports: a table for people, lines for `compare`, and its verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.compare import compare
from benchmarks.measure import Measurement, Timing
from benchmarks.report import json_lines, markdown, read_json_lines

CHANGE = Measurement(
    kind="change",
    workload="filter",
    size=1_000,
    ours=Timing(p50=1.5, p99=9),
    floor=Timing(p50=0.5, p99=2.25),
    ratio=3.0,
    ratio_low=2.75,
    ratio_high=3.25,
    segments=5,
    altered=0.61,
    checksum=7,
)
HYDRATE = replace(CHANGE, kind="hydrate", size=100_000, altered=None)


def test_each_kind_has_its_table() -> None:
    assert markdown([CHANGE, HYDRATE]) == (
        "### One change (us)\n\n"
        "| query  |     N | ours p50 |  p99 | floor p50 |  p99 | ratio |   range | alter the result |\n"
        "| ------ | ----: | -------: | ---: | --------: | ---: | ----: | ------: | ---------------: |\n"
        "| filter | 1,000 |     1.50 | 9.00 |      0.50 | 2.25 |  3.00 | 2.8–3.2 |              61% |\n\n"
        "### Starting a query on loaded tables (us per row)\n\n"
        "| query  |       N | ours p50 |  p99 | floor p50 |  p99 | ratio |   range | alter the result |\n"
        "| ------ | ------: | -------: | ---: | --------: | ---: | ----: | ------: | ---------------: |\n"
        "| filter | 100,000 |     1.50 | 9.00 |      0.50 | 2.25 |  3.00 | 2.8–3.2 |                  |"
    )


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return written(tmp_path / "base.json", CHANGE, HYDRATE)


def written(path: Path, *measurements: Measurement) -> Path:
    path.write_text(json_lines(measurements), "utf-8")
    return path


def test_a_line_names_the_measurement_and_where_it_was_made(base: Path) -> None:
    change, hydrate = read_json_lines(base)
    assert (change["kind"], change["size"], change["ours"]) == (
        "change",
        1_000,
        {"p50": 1.5, "p99": 9},
    )
    assert hydrate["altered"] is None
    assert change["versions"].keys() == {"python", "stateschema", "sortedcontainers", "numpy"}
    assert change["machine"].keys() == {"system", "processor", "cpus", "load"}


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


def test_other_work_is_not_compared(base: Path, tmp_path: Path) -> None:
    head = replace(CHANGE, ratio=9.0, ratio_low=9.0, ratio_high=9.0, checksum=8)
    text, slower = compare(base, written(tmp_path / "head.json", head))
    assert (text.splitlines()[-1].split("|")[-2].strip(), slower) == ("other work", False)


def test_runs_without_a_common_measurement_cannot_be_compared(base: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.json", replace(CHANGE, workload="join"))
    with pytest.raises(SystemExit, match="no measurement in common"):
        main(["compare", str(base), str(other)])


def test_a_run_prints_tables_and_writes_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.json"
    assert main(["fold", "--quick", "--json", str(path)]) == 0
    assert [(line["workload"], line["size"]) for line in read_json_lines(path)] == [
        ("fold", 10),
        ("fold", 1_000),
        ("fold", 20_000),
    ]
    assert capsys.readouterr().out.startswith("### One change (us)\n\n| query |")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["filtre"])
    assert "no benchmark 'filtre'; there are filter, join" in capsys.readouterr().err
