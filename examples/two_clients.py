"""Two people in one room: optimistic messages, a server that may refuse them, and rollback.

    python -m examples.two_clients

Each half of the screen is a client of its own, with its own StreamDB on the one stream of the room. What
is sent shows at once in the half it was typed in, dimmed, and in the other half when the server has let
it pass. The server takes no spam: such a message vanishes again, and its text goes back to be mended.

```text
input ─▶ send ─▶ overlay of this client ─▶ its list        at once
          └────▶ Backend.post ─▶ stream ─▶ both lists      when the server has said yes
                        └─ refused ─▶ TransactionError ─▶ the overlay is dropped
```
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict
from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input, Static

from dataflow import (
    Query,
    Source,
    Splice,
    TransactionError,
    action,
    apply_splices,
    facts,
    live,
    query,
)
from stateschema import Entity, StateSchema, new_txid
from stateschema.stream import MemoryStream
from stateschema.streamdb import StreamDB

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.binding import BindingType

NAMES = ("Ada", "Ben")


class Message(BaseModel):
    """What somebody said."""

    model_config = ConfigDict(frozen=True)

    id: str
    author: str
    text: str
    sent_at: str


class Room(StateSchema):
    """The state of a room."""

    messages = Entity(Message, type="message", key="id")


def conversation(messages: Source[Message]) -> Query[dict[str, Any]]:
    """Return the messages in the order they were sent, each with whether it is still pending."""
    message = messages.alias("message")
    return (
        query(message)
        .select(
            id=message.id,
            author=message.author,
            text=message.text,
            sent_at=message.sent_at,
            pending=facts(message).pending,
        )
        .order_by(message.sent_at, message.id)
    )


class RefusedMessageError(Exception):
    """The server did not take a message."""


async def think() -> None:
    """Take the time that servers take."""
    await asyncio.sleep(1.0)


class Backend:
    """The server of a room: what it lets pass becomes an event of the stream.

    Args:
        stream: Where events go.
        pause: Awaited before each answer.
    """

    def __init__(
        self, stream: MemoryStream, *, pause: Callable[[], Awaitable[None]] = think
    ) -> None:
        self._stream = stream
        self._pause = pause

    async def post(self, message: Message, *, txid: str) -> None:
        """Take a message, or raise RefusedMessageError."""
        await self._pause()
        if "spam" in message.text.lower():
            raise RefusedMessageError("no spam in here")
        await self._stream.append(Room.messages.insert(message, txid=txid))


def show(db: StreamDB[Room], backend: Backend, message: Message) -> None:
    """Show a message before anybody else knows of it."""
    db.collections.messages.insert(message)


@action(on_mutate=show)
async def send(db: StreamDB[Room], backend: Backend, message: Message) -> None:
    """Send a message, and wait until it has come back on the stream."""
    txid = new_txid()
    await backend.post(message, txid=txid)
    await db.wait_txid(txid)


class Client(Vertical):
    """One half of the screen: a person, the room as this person sees it, and an input."""

    def __init__(self, name: str, stream: MemoryStream, backend: Backend) -> None:
        super().__init__(id=name)
        self._person = name
        self._backend = backend
        self._db = StreamDB(Room, stream=stream)
        self._rows: list[dict[str, Any]] = []
        self._list = Static(classes="list")
        self._status = Static(classes="status")

    def compose(self) -> ComposeResult:
        """Lay out the half."""
        yield Static(self._person, classes="person")
        yield self._list
        yield self._status
        yield Input(placeholder=f"say something as {self._person}, or some spam")

    async def on_mount(self) -> None:
        """Open the database and follow the conversation."""
        await self._db.preload()
        shown = live(conversation(self._db.collections.messages))
        self._subscription = shown.subscribe_ordered(self._splice, initial=True)

    async def on_unmount(self) -> None:
        """Close what was opened."""
        self._subscription.close()
        await self._db.close()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send what was typed."""
        if text := event.value.strip():
            event.input.clear()
            self._status.update("")
            self.run_worker(self._send(text, event.input))

    async def _send(self, text: str, box: Input) -> None:
        now = datetime.now(UTC).isoformat()
        message = Message(id=new_txid(), author=self._person, text=text, sent_at=now)
        try:
            await send(self._db, self._backend, message)
        except TransactionError as error:
            self._status.update(Text(f"taken back: {error.__cause__}", style="bold red"))
            if not box.value:
                box.value = text

    def _splice(self, splices: list[Splice[dict[str, Any]]]) -> None:
        apply_splices(self._rows, splices)
        lines = Text("\n").join(map(_line, self._rows))
        self._list.update(lines)

    @property
    def lines(self) -> list[str]:
        """What the list shows, as plain text."""
        return [_line(row).plain for row in self._rows]


def _line(row: dict[str, Any]) -> Text:
    line = Text.assemble((row["author"], "bold"), "  ", row["text"])
    if row["pending"]:
        line.append("  ...")
        line.stylize("dim")
    return line


class TwoClients(App[None]):
    """The screen.

    Args:
        pause: What the server awaits before each answer.
    """

    CSS = """
    Client { border: round $primary; padding: 0 1; }
    .person { text-style: bold; }
    .list { height: 1fr; }
    .status { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "quit", "Quit")]

    def __init__(self, *, pause: Callable[[], Awaitable[None]] = think) -> None:
        super().__init__()
        stream = MemoryStream("room")
        self._client = partial(Client, stream=stream, backend=Backend(stream, pause=pause))

    def compose(self) -> ComposeResult:
        """Put the clients side by side."""
        yield Horizontal(*map(self._client, NAMES))
        yield Footer()


if __name__ == "__main__":
    TwoClients().run()
