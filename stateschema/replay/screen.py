"""The screen: a session as it grows, live in a terminal.

```text
 session.jsonl ━━━━━━━━━━━━━━━━━━━━━━━╸━━━━━━━━━━━ 812/1290 events
╭─ conversation ───────────────────────────────────────────────────╮
│ the end of it: as many lines as fit                              │
╰──────────────────────────────────────────────────────────────────╯
╭─ here now ─────────────────╮╭─ waiting for approval ─────────────╮
╰────────────────────────────╯╰────────────────────────────────────╯
 figures
```

Drawn from the board alone, at most `FRAMES` times a second, never inside of an epoch. The last
frame stays on the terminal, followed by the closing table.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from dataflow.collection.changes import Change
from stateschema.replay.board import Board
from stateschema.replay.player import Summary
from stateschema.replay.wording import (
    Kind,
    actor_name,
    clean,
    phrases,
    question,
    speaker,
    summary_rows,
    time_of_day,
)
from stateschema.session.message import Message

FRAMES = 20  # per second
SIDE_ROWS = 3  # lines in each of the two small panels
AROUND = SIDE_ROWS + 7  # lines outside of the conversation: frames, progress, figures, prompt

_STYLES: dict[Kind, str] = {
    "text": "default",
    "thinking": "italic dim",
    "call": "cyan",
    "question": "bold yellow",
    "result": "green",
    "other": "dim",
    "error": "bold red",
}
_COLORS = {"user": "bright_blue", "assistant": "bright_magenta", "system": "bright_black"}


class Screen:
    """Draws a replay on a terminal; a context manager.

    Args:
        console: The terminal.
        title: What is replayed.
        total: How many messages there are, if that is known.
        clock: Seconds, for the frame rate.
    """

    def __init__(
        self,
        console: Console,
        *,
        title: str,
        total: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._board = Board()
        self._clock = clock
        self._drawn_at = float("-inf")
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("events"),
            console=console,
            auto_refresh=False,
            expand=True,
        )
        self._task = self._progress.add_task(clean(title), total=total)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def changed(self, view: str, changes: Sequence[Change[Any]]) -> None:
        """Take in the changes of a view."""
        self._board.changed(view, changes)

    def after_epoch(self, seen: int) -> None:
        """Draw, if it is time for a frame."""
        self._progress.update(self._task, completed=seen)
        now = self._clock()
        if now - self._drawn_at >= 1 / FRAMES:
            self._drawn_at = now
            self._live.update(self.frame(), refresh=True)

    def finish(self, summary: Summary, *, skipped: int) -> None:
        """Draw the last frame, and below it the closing table."""
        done = summary.events + skipped
        self._progress.update(self._task, completed=done, total=done)
        self._live.update(self.frame(), refresh=True)
        self._live.stop()
        self._console.print(closing_table(summary, skipped=skipped))

    def __enter__(self) -> "Screen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def frame(self) -> RenderableType:
        """Return the whole screen as it is now."""
        width, height = self._console.size
        lines = max(3, height - AROUND)
        side = Table.grid(expand=True)
        side.add_column(ratio=2)
        side.add_column(ratio=3)
        side.add_row(
            _panel("here now", self._actors()), _panel("waiting for approval", self._questions())
        )
        conversation = self._conversation(lines, width - 4)
        return Group(
            self._progress,
            Panel(Group(*conversation), title="conversation", title_align="left", height=lines + 2),
            side,
            self._figures(),
        )

    def _conversation(self, lines: int, width: int) -> list[Text]:
        """Return the last lines of the conversation, laid out from its end."""
        shown: list[Text] = []
        for message in reversed(self._board.latest_messages(lines)):
            shown = [*self._laid_out(message, lines, width), *shown]
            if len(shown) >= lines:
                break
        return shown[-lines:]

    def _laid_out(self, message: Message, lines: int, width: int) -> list[Text]:
        head = Text(speaker(message), style=f"bold {_COLORS.get(message.role, 'default')}")
        head.append(f"  {time_of_day(message.created_at)}", style="bright_black")
        if not message.is_complete:
            head.append("  writing …", style="yellow")
        body = Text()
        for phrase in phrases(message):
            # What is far above the upper edge needs no layout, however long the message is.
            end = phrase.text.rstrip()[-lines * width :]
            body.append(f"{end}\n", style=_STYLES[phrase.kind])
        body.rstrip()
        if not message.is_complete:
            body.append("▌", style="yellow")
        wrapped = body.wrap(self._console, width - 2)
        return [head, *(Text("  ").append_text(line) for line in wrapped)]

    def _actors(self) -> list[Text]:
        return [
            Text("● ", style="green").append(actor_name(actor), style="default")
            for actor in self._board.actors()
        ]

    def _questions(self) -> list[Text]:
        return [
            Text("? ", style="bold yellow")
            .append(speaker(message), style="bold")
            .append(f" {question(call)}", style="default")
            for message, call in self._board.questions()
        ]

    def _figures(self) -> Text:
        stats = self._board.stats()
        if stats is None:
            return Text()
        figures = {
            "messages": stats.message_count,
            "tool calls": stats.tool_call_count,
            "writing": stats.active_generation_count,
            "tokens": stats.total_tokens,
        }
        line = Text(no_wrap=True, overflow="ellipsis")
        for name, number in figures.items():
            line.append(f"   {name} " if line else f" {name} ", style="bright_black")
            line.append(f"{number:,}", style="bold")
        return line


def closing_table(summary: Summary, *, skipped: int) -> Table:
    """Return the figures of a replay as a table."""
    table = Table(show_header=False, box=box.ROUNDED)
    table.add_column(style="bright_black")
    table.add_column(justify="right", style="bold")
    for label, value in summary_rows(summary, skipped=skipped):
        table.add_row(label, value)
    return table


def _panel(title: str, lines: list[Text]) -> Panel:
    """Return a panel of fixed height; what does not fit is counted on the last line."""
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    if len(lines) > SIDE_ROWS:
        more = Text(f"and {len(lines) - SIDE_ROWS + 1} more", style="bright_black")
        lines = [*lines[: SIDE_ROWS - 1], more]
    return Panel(Group(*lines), title=title, title_align="left", height=SIDE_ROWS + 2)
