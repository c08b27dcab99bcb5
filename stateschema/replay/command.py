"""The command `python -m stateschema replay`: arguments, outputs, exit codes.

```text
default       the live screen on a terminal; plain lines elsewhere, and without rich
--json        the final collections as one JSON object, wire name -> rows in wire form
--view NAME   a JSON line per batch that changed the view: {"epoch": n, "changes": [...]}, each
              change {"op", "key", "value"}; of a deleted row the value is the row that went
```

Messages about errors and skipped events go to standard error. Exit codes: 0 played to the end; 1 a
bad event, an unreadable file, a failed view; 2 wrong arguments.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Any, TypeVar

from pydantic.alias_generators import to_snake

from dataflow.collection.collection import mark_ready
from dataflow.collection.readable import Readable
from stateschema.errors import EventError, StateSchemaError
from stateschema.replay.board import SHOWN_VIEWS
from stateschema.replay.display import Display
from stateschema.replay.json_display import ChangeLines, FinalCollections
from stateschema.replay.plain import PlainDisplay
from stateschema.replay.player import Pace, play
from stateschema.replay.recording import count_messages, pieces
from stateschema.session.schema import Session
from stateschema.session.session_views import SessionCollections, SessionViews
from stateschema.stream.replay import read_log
from stateschema.streamdb.attach import attach, collections_of
from stateschema.streamdb.router import Router

SCREEN_SPEED = 120.0  # events per second, unless told otherwise: fast, and can be followed

Views = Mapping[str, Readable[Any]]
N = TypeVar("N", int, float)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("file", help="JSON lines or one JSON array of events; - for standard input")
    parser.add_argument(
        "--speed",
        type=_at_least_zero,
        metavar="N",
        help=f"events per second, 0 for no limit (default: {SCREEN_SPEED:g} on the screen, else 0)",
    )
    parser.add_argument(
        "--batch", type=_positive, default=1, metavar="N", help="events per epoch (default: 1)"
    )
    parser.add_argument(
        "--on-error",
        choices=("raise", "skip"),
        default="raise",
        help="what a malformed line or event does (default: raise)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the final collections as JSON")
    output.add_argument("--view", metavar="NAME", help="print the net changes of a view, per epoch")
    parser.set_defaults(run=partial(replay, parser))


def replay(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code. Wrong arguments raise SystemExit(2)."""
    if sys.stdout is None:  # closed by whoever started the process
        sys.stderr.write("error: standard output is closed\n")
        return 1
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal need not know all letters
    try:
        return _replay(parser, arguments)
    except (StateSchemaError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # whoever read the output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _replay(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    skips = _Skips()
    skipping = arguments.on_error == "skip"
    attached = attach(Session)
    mark_ready(collections_of(attached).values())
    with ExitStack() as stack:
        # Pyright does not see an attached schema as something with sources.
        sources = SessionCollections(attached.chunks, attached.presence, attached.agents)
        session = stack.enter_context(SessionViews(sources))
        views: Views = {"chunks": attached.chunks, **session.named()}
        shown = SHOWN_VIEWS if arguments.view is None else (_find(parser, arguments.view, views),)
        display, speed = _display(arguments, views, stack)
        for name in shown:
            stack.enter_context(views[name].subscribe(partial(display.changed, name)))
        batches = read_log(arguments.file, on_malformed=skips if skipping else None)
        summary = play(
            pieces(batches, size=arguments.batch),
            Router(attached, on_error=arguments.on_error, on_skip=skips),
            pace=Pace(speed),
            after_epoch=display.after_epoch,
        )
        failed = {name: view.error for name, view in views.items() if view.error is not None}
        if not failed:
            display.finish(summary, skipped=skips.count)
    sys.stdout.flush()
    skips.report()
    for name, error in failed.items():
        sys.stderr.write(f"error: view {name!r} failed: {error!r}\n")
    return 1 if failed else 0


def _display(
    arguments: argparse.Namespace, views: Views, stack: ExitStack
) -> tuple[Display, float]:
    """Return what to show the replay on, and how many events per second it gets."""
    speed: float = arguments.speed or 0.0
    if arguments.json:
        return FinalCollections(sys.stdout, views), speed
    if arguments.view is not None:
        return ChangeLines(sys.stdout), speed
    if not sys.stdout.isatty():
        return PlainDisplay(sys.stdout), speed
    if find_spec("rich") is None:
        sys.stderr.write("the live screen needs rich: pip install 'stateschema[cli]'\n")
        return PlainDisplay(sys.stdout), speed
    from rich.console import Console

    from stateschema.replay.screen import Screen

    title, total = os.path.basename(arguments.file), count_messages(arguments.file)
    screen = stack.enter_context(Screen(Console(), title=title, total=total))
    return screen, SCREEN_SPEED if arguments.speed is None else speed


class _Skips:
    """Tells of each event left out, and in the end of how many."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: EventError) -> None:
        self.count += 1
        sys.stderr.write(f"skipped: {error}\n")  # looked up anew: a live screen takes it over

    def report(self) -> None:
        if self.count:
            sys.stderr.write(f"{self.count} bad event{'s'[: self.count > 1]} skipped\n")


def _find(parser: argparse.ArgumentParser, name: str, views: Views) -> str:
    """Return the Python name of a view that is given by its Python or its wire name."""
    found = to_snake(name)
    if found not in views:
        near = get_close_matches(found, views, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        parser.error(f"there is no view {name!r}{hint}; views: {', '.join(views)}")
    return found


def _positive(text: str) -> int:
    number = _number(int, text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _number(kind: Callable[[str], N], text: str) -> N:
    try:
        return kind(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error


def _at_least_zero(text: str) -> float:
    number = _number(float, text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of events per second")
    return number
