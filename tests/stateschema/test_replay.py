"""The replay command: outputs, errors, pace, and what the displays show."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from dataflow.collection.collection import mark_ready
from stateschema.__main__ import main
from stateschema.errors import Where
from stateschema.replay import command as replay_command
from stateschema.replay.display import Display
from stateschema.replay.plain import PlainDisplay
from stateschema.replay.player import Pace, Summary, play
from stateschema.replay.recording import Piece, count_messages, pieces
from stateschema.replay.screen import Screen
from stateschema.replay.wording import clean, one_line
from stateschema.session.schema import Session
from stateschema.session.session_views import SessionViews
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import attach, collections_of
from stateschema.streamdb.router import Router
from tests.stateschema.session_log import chunk, device, lines, said, session

SHOWN = ("messages", "pending_approvals", "presence", "session_stats")
BAD_LINES = [
    ('{"no json"', "line 4: is no JSON: EOF while parsing an object at line 1 column 10"),
    ('{"type": "chunk", "key": "m9:0"}', "line 4, field 'headers': is missing"),
    (
        '{"type": "chunk", "key": "m9:0", "value": {}, "headers": {"operation": "insert"}}',
        "line 4, field 'value.messageId': is missing (of chunk 'm9:0')",
    ),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(session()))
    return path


def command(*arguments: str) -> tuple[int, str, str]:
    """Run the command in this process; return exit code, standard output and standard error."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        try:
            code = main(["replay", *arguments])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    return code, out.getvalue(), error.getvalue()


def program(*arguments: str, stdin: str) -> tuple[int, str, str]:
    """Run the command as a process of its own, which reads standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "stateschema", "replay", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def with_bad_line(path: Path, bad: str) -> Path:
    events = session()
    path.write_text(lines(events[:3]) + bad + "\n" + lines(events[3:]))
    return path


class Clock:
    """A clock that stands still unless somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def played(display: Display, events: Sequence[dict[str, Any]], *, size: int = 1) -> Summary:
    """Play events into a display, without a command around it."""
    attached = attach(Session)
    mark_ready(collections_of(attached).values())
    with SessionViews(attached) as views:
        subscriptions = [
            views.named()[name].subscribe(partial(display.changed, name)) for name in SHOWN
        ]
        batch = Batch(messages=list(events), next_offset=Offset.START, up_to_date=True)
        summary = play(
            pieces([batch], size=size),
            Router(attached),
            pace=Pace(0),
            after_epoch=display.after_epoch,
        )
        for subscription in subscriptions:
            subscription.close()
    return summary


FIGURES = Summary(events=9, ignored=0, epochs=8, rows_touched=1234, seconds=1, p50=10.4, p99=99.6)


# -- the command ---------------------------------------------------------------------------------


def test_final_collections_are_printed_in_wire_form_whatever_the_batches(log: Path) -> None:
    outputs = [command(str(log), "--json", *more) for more in ([], ["--batch", "7"])]
    outputs.append(program("-", "--json", stdin=log.read_text()))
    outputs.append(program("-", "--json", stdin=json.dumps(session())))
    code, out, error = outputs[0]
    assert outputs == [(0, out, "")] * 4
    assert (code, error) == (0, "")
    printed = json.loads(out)
    chunks = [wire for wire in session() if wire["type"] == "chunk"]
    assert printed["chunks"] == [{"id": wire["key"], **wire["value"]} for wire in chunks]
    ada = {
        "actorId": "ada",
        "actorType": "user",
        "name": "Ada",
        "deviceIds": ["d"],
        "deviceCount": 1,
    }
    guide = {**ada, "actorId": "guide", "actorType": "agent", "name": "Guide"}
    assert printed["presence"] == [ada, guide]
    assert [row["id"] for row in printed["toolCalls"]] == ["m2"]
    assert [(row["id"], row["content"]) for row in printed["modelMessages"]] == [
        ("m1", "When does the ferry leave?"),
        ("m2", "The harbour is calm today and the ferry leaves at noon "),
        ("m4", "Thank you"),
    ]
    assert set(printed) == {
        "chunks",
        "messages",
        "toolCalls",
        "toolResults",
        "pendingApprovals",
        "latestApprovals",
        "activeGenerations",
        "modelMessages",
        "presence",
        "agents",
        "sessionStats",
        "sessionMeta",
    }


@pytest.mark.parametrize("name", ["model_messages", "modelMessages"])
def test_net_changes_of_a_view_are_printed_per_epoch(log: Path, name: str) -> None:
    def line(epoch: int, key: str, role: str, content: str) -> dict[str, Any]:
        value = {"id": key, "role": role, "content": content}
        return {"epoch": epoch, "changes": [{"op": "insert", "key": key, "value": value}]}

    code, out, error = command(str(log), "--view", name)
    assert [json.loads(text) for text in out.splitlines()] == [
        line(3, "m1", "user", "When does the ferry leave?"),
        line(23, "m2", "assistant", "The harbour is calm today and the ferry leaves at noon "),
        line(27, "m4", "user", "Thank you"),
    ]
    assert (code, error) == (0, "")


def test_batched_changes_are_net_and_a_delete_shows_the_row_that_went(log: Path) -> None:
    code, out, _ = command(str(log), "--view", "pending_approvals", "--batch", "24")
    (asked, answered) = [json.loads(text) for text in out.splitlines()]
    assert code == 0
    assert [asked["epoch"], answered["epoch"]] == [1, 2]
    (insert,), (delete,) = asked["changes"], answered["changes"]
    assert (insert["op"], delete["op"]) == ("insert", "delete")
    assert {**insert, "op": "delete"} == delete


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES)
def test_a_bad_line_stops_and_is_named(tmp_path: Path, bad: str, reason: str) -> None:
    path = with_bad_line(tmp_path / "log.jsonl", bad)
    assert command(str(path), "--json") == (1, "", f"error: bad event in {str(path)!r}, {reason}\n")
    expected = f"error: bad event in '<stdin>', {reason}\n"
    assert program("-", "--json", stdin=path.read_text()) == (1, "", expected)


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES)
def test_a_skipped_line_is_reported_and_changes_nothing(
    log: Path, tmp_path: Path, bad: str, reason: str
) -> None:
    path = with_bad_line(tmp_path / "bad.jsonl", bad)
    expected = f"skipped: bad event in {str(path)!r}, {reason}\n1 bad event skipped\n"
    _, out, _ = command(str(log), "--json")
    assert command(str(path), "--json", "--on-error", "skip") == (0, out, expected)


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    expected = f"error: log file {missing!r} does not exist\n"
    assert command(missing) == (1, "", expected)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--view", "mesages"], "there is no view 'mesages' (did you mean 'messages'?); views:"),
        (["--batch", "0"], "argument --batch: 0 is not positive"),
        (["--batch", "x"], "argument --batch: 'x' is no number"),
        (["--speed", "x"], "argument --speed: 'x' is no number"),
        (["--speed", "-1"], "argument --speed: -1 is no number of events per second"),
        (["--json", "--view", "messages"], "not allowed with argument"),
    ],
)
def test_wrong_arguments_are_explained(log: Path, arguments: list[str], complaint: str) -> None:
    code, out, error = command(str(log), *arguments)
    assert (code, out) == (2, "")
    assert complaint in error


def test_output_that_is_no_terminal_gets_plain_lines(log: Path) -> None:
    code, out, error = command(str(log))
    shown, _, table = out.partition("\n\n")
    assert (code, error) == (0, "")
    assert shown.splitlines() == PLAIN
    assert [line.split("  ")[0] for line in table.splitlines()] == [
        "events",
        "epochs",
        "rows touched",
        "µs per event, p50",
        "µs per event, p99",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_screen(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["replay", str(log), "--speed", "0"]) == 0
    drawn = Text.from_ansi(terminal.getvalue()).plain
    assert "╭─ conversation ─" in drawn
    assert re.search(r"│ events +│ +27 │\n", drawn)


def test_a_terminal_without_rich_is_told_and_gets_plain_lines(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(replay_command, "find_spec", lambda name: None)
    assert main(["replay", str(log)]) == 0
    message = "the live screen needs rich: pip install 'stateschema[cli]'\n"
    assert capsys.readouterr().err == message
    assert terminal.getvalue().partition("\n\n")[0].splitlines() == PLAIN


def test_a_reader_that_leaves_early_is_no_failure_to_talk_about(log: Path) -> None:
    command_line = [sys.executable, "-m", "stateschema", "replay", str(log), "--json"]
    with subprocess.Popen(
        command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_closed_standard_output_is_said_in_one_line(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["replay", str(log)]) == 1
    assert capsys.readouterr().err == "error: standard output is closed\n"


def odd_letters(path: Path) -> Path:
    """A message with a lone surrogate, and a letter few terminals lack."""
    delta = {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1", "delta": "a\ud800b é"}
    path.write_text(lines([chunk("m1", 0, delta, actor="x"), said("m2", "é", actor="x")]))
    return path


@pytest.mark.parametrize("arguments", [["--json"], ["--view", "messages"]])
def test_json_is_printed_whatever_letters_a_stream_holds(
    tmp_path: Path, arguments: list[str]
) -> None:
    path = odd_letters(tmp_path / "odd.jsonl")
    code, out, error = command(str(path), *arguments)
    assert (code, error) == (0, "")
    parsed = [json.loads(out)] if "--json" in arguments else map(json.loads, out.splitlines())
    assert out.encode().decode() == out
    assert any("a\ud800b é" in json.dumps(value, ensure_ascii=False) for value in parsed)


def test_a_terminal_need_not_know_all_letters(tmp_path: Path) -> None:
    path = odd_letters(tmp_path / "odd.jsonl")
    done = subprocess.run(
        [sys.executable, "-m", "stateschema", "replay", str(path)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[:2] == [b"10:20:00 x:", b"    ?"]


# -- the player ----------------------------------------------------------------------------------


def test_pieces_have_the_size_asked_for_and_keep_the_places() -> None:
    def batch(first: int, count: int) -> Batch:
        numbers = range(first, first + count)
        return Batch(
            messages=list(numbers),
            next_offset=Offset.START,
            up_to_date=False,
            source="log",
            lines=[10 * number for number in numbers],
        )

    cut = list(pieces([batch(0, 3), batch(3, 0), batch(3, 2)], size=2))
    assert [piece.messages for piece in cut] == [[0, 1], [2, 3], [4]]
    assert cut[1].places == [
        Where(source="log", line=20, index=2),
        Where(source="log", line=30, index=0),
    ]


def test_only_files_of_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    counts = []
    for text in ("1\n2\n3", "", "[1,\n2]"):
        path.write_text(text)
        counts.append(count_messages(str(path)))
    assert (counts, count_messages("-")) == ([3, 0, None], None)


def test_the_pace_holds_events_back() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock, sleep=clock.sleep)
    times = []
    for seen in (0, 1, 5):
        pace.wait_for(seen)
        times.append(clock.now)
    clock.now = 9.0
    pace.wait_for(6)
    Pace(0, clock=clock, sleep=clock.sleep).wait_for(1000)
    assert (times, clock.now) == ([0.0, 0.1, 0.5], 9.0)


def test_the_pace_waits_for_times_that_no_system_can_name() -> None:
    naps: list[float] = []

    class WokenError(Exception):
        pass

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise WokenError

    pace = Pace(1e-320, clock=Clock(), sleep=sleep)
    with pytest.raises(WokenError):
        pace.wait_for(1)
    assert naps == [3600.0] * 3


def test_the_summary_counts_and_measures() -> None:
    attached = attach(Session)
    router = Router(attached, on_error="skip")
    ticks = iter([0, 1_000, 2_000, 5_000, 9_000, 10_000])
    seen: list[int] = []
    unknown = {"type": "x", "key": "1", "value": 1, "headers": {"operation": "insert"}}
    recording = [
        Piece([device("ada", "online")], [Where()]),
        Piece([unknown, {}], [Where(), Where()]),
        Piece([device("ada", "offline")], [Where()]),
    ]
    summary = play(
        recording, router, pace=Pace(0), after_epoch=seen.append, clock=lambda: next(ticks)
    )
    assert summary == Summary(
        events=3, ignored=1, epochs=2, rows_touched=0, seconds=5e-6, p50=1.0, p99=1.5
    )
    assert seen == [1, 3, 4]


# -- the displays --------------------------------------------------------------------------------

PLAIN = [
    "+ Ada is here",
    "+ Guide is here",
    "10:10:00 ada:",
    "    When does the ferry leave?",
    '? guide asks: book_ferry({"to": "Oslo"})',
    "10:20:00 guide:",
    "    The harbour is calm today and the ferry leaves at noon ",
    '    ? book_ferry({"to": "Oslo"}) needs approval',
    "+ Bob is here",
    '    ⚙ book_ferry({"to": "Oslo"}) approval-responded, approved',
    "- Bob has left",
    "10:40:00 ada:",
    "    Thank you",
]


def test_plain_lines_tell_of_a_reset_and_end_with_the_figures() -> None:
    out = io.StringIO()
    display = PlainDisplay(out)
    reset = {"headers": {"control": "reset"}}
    played(display, [*session()[:3], reset, said("m5", "again", actor="ada")])
    display.finish(FIGURES, skipped=2)
    assert out.getvalue().splitlines() == [
        *PLAIN[:4],
        "- Ada has left",
        "- Guide has left",
        "- message of ada removed",
        "10:50:00 ada:",
        "    again",
        "",
        "events                        9",
        "epochs                        8",
        "rows touched              1,234",
        "µs per event, p50            10",
        "µs per event, p99           100",
        "bad, skipped                  2",
    ]


def frames(events: Sequence[dict[str, Any]], *, width: int = 80, height: int = 24) -> list[str]:
    """The frame after each event, and all that is on the terminal in the end."""
    terminal = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    paper = Console(file=io.StringIO(), width=width, height=height, record=True)
    screen = Screen(terminal, title="log.jsonl", total=len(events), clock=Clock())
    shown: list[str] = []
    after_epoch: Callable[[int], None] = screen.after_epoch

    def draw(seen: int) -> None:
        after_epoch(seen)
        paper.print(screen.frame())
        shown.append(paper.export_text(clear=True))

    screen.after_epoch = draw  # type: ignore[method-assign]  # look at each frame
    with screen:
        summary = played(screen, events)
        screen.finish(summary, skipped=0)
    return shown


def test_the_screen_grows_word_by_word() -> None:
    shown = frames(session(), height=17)
    assert shown[9].splitlines()[1:] == [
        "╭─ conversation ───────────────────────────────────────────────────────────────╮",
        "│ ada  10:10:00                                                                │",
        "│   When does the ferry leave?                                                 │",
        "│ guide  10:20:00  writing …                                                   │",
        "│   The harbour is calm today▌                                                 │",
        "│                                                                              │",
        "│                                                                              │",
        "│                                                                              │",
        "╰──────────────────────────────────────────────────────────────────────────────╯",
        "╭─ here now ───────────────────╮╭─ waiting for approval ───────────────────────╮",
        "│ ● Ada                        ││                                              │",
        "│ ● Guide                      ││                                              │",
        "│                              ││                                              │",
        "╰──────────────────────────────╯╰──────────────────────────────────────────────╯",
        " messages 2   tool calls 0   writing 1   tokens 0",
    ]
    assert shown[9].splitlines()[0].startswith("log.jsonl ━")
    assert shown[9].splitlines()[0].endswith(" 10/27 events")


def test_the_screen_shows_who_waits_for_approval() -> None:
    shown = frames(session(), height=17)
    asked, answered = shown[21], shown[24]
    row = '│ ● Ada                        ││ ? guide book_ferry({"to": "Oslo"})           │'
    assert row in asked
    assert '│   ? book_ferry({"to": "Oslo"}) needs approval' in asked
    assert (
        "│ ● Ada                        ││                                              │"
        in answered
    )
    assert '│   ⚙ book_ferry({"to": "Oslo"}) approval-responded, approved' in answered


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (200, 60)])
def test_no_frame_is_larger_than_the_terminal(width: int, height: int) -> None:
    text = [{"type": "TEXT_MESSAGE_CONTENT", "messageId": "m7", "delta": "word " * 400}] * 3
    flood = [chunk("m7", seq, event, actor="guide") for seq, event in enumerate(text)]
    crowd = [device(f"person{number}", "online") for number in range(9)]
    for frame in frames([*crowd, *flood, *session()], width=width, height=height):
        drawn = frame.splitlines()
        assert len(drawn) < max(height, 14)
        assert max(map(len, drawn)) <= width


def test_a_crowd_is_counted() -> None:
    shown = frames([device(f"person{number}", "online") for number in range(9)])
    assert [line[:24] for line in shown[-1].splitlines()[-5:-2]] == [
        "│ ● Person0             ",
        "│ ● Person1             ",
        "│ and 7 more            ",
    ]


def test_frames_are_drawn_at_most_so_many_times_a_second() -> None:
    clock = Clock()
    terminal = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    drawn: list[float] = []

    class Counted(Screen):
        def frame(self) -> Any:
            drawn.append(clock.now)
            return super().frame()

    with Counted(terminal, title="log", total=None, clock=clock) as screen:
        for seen in range(10):
            clock.now = seen / 50
            screen.after_epoch(seen)
    assert drawn == [0.0, 0.06, 0.12, 0.18]


def test_the_closing_table_stays_below_the_last_frame() -> None:
    console = Console(file=io.StringIO(), width=80, height=24, record=True)
    with Screen(console, title="log", total=9) as screen:
        screen.finish(FIGURES, skipped=0)
    assert console.export_text().splitlines()[-7:] == [
        "╭───────────────────┬───────╮",
        "│ events            │     9 │",
        "│ epochs            │     8 │",
        "│ rows touched      │ 1,234 │",
        "│ µs per event, p50 │    10 │",
        "│ µs per event, p99 │   100 │",
        "╰───────────────────┴───────╯",
    ]


def test_nothing_in_a_stream_steers_the_terminal() -> None:
    hostile = "a\x1b[2Jb\x07\x9bc\u202ed\r\ne\tf\ud800"
    assert clean(hostile) == "a�[2Jb��c�d\ne    f�"
    out = io.StringIO()
    events = [said("m1", hostile, actor="ad\x1bda"), device("bo\x1bb", "online")]
    played(PlainDisplay(out), events)
    text = out.getvalue() + "".join(frames(events))
    assert {char for char in text if ord(char) < 32} == {"\n"}


def test_long_values_are_cut() -> None:
    assert one_line("x" * 61) == "x" * 59 + "…"
    assert one_line(["ä", {"b": None}]) == '["ä", {"b": null}]'
