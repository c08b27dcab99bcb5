"""A real chat history, replayed in the order it happened, with four answers kept live.

The package chitchat-dataset holds 258,145 messages that people wrote to each other in 2018. They
enter a collection a thousand at a time, and after each thousand all answers are up to date. In the
end a recount in plain Python has to say the same. The questions are functions of their sources, so
that they can be tested, and used elsewhere.

    python -m examples.chitchat [--limit N]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow import Collection, LiveQuery, Query, Source, count, last, live, query, substring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row: TypeAlias = dict[str, Any]

EPOCH = 1_000  # messages that become visible together
HOUR = len("2018-05-02T19")


@dataclass(frozen=True, slots=True)
class Message:
    """One message; a reply is the first one after somebody else's."""

    id: int
    conversation: str
    sender: str
    sent_at: str
    text: str
    is_reply: bool


def last_message(messages: Source[Message]) -> Query[Row]:
    message = messages.alias("message")
    newest = last(message.text, order_by=message.sent_at)
    return query(message).group_by(message.conversation).select(value=newest)


def messages_per_sender(messages: Source[Message]) -> Query[Row]:
    message = messages.alias("message")
    return query(message).group_by(message.sender).select(value=count())


def ten_busiest(senders: Source[Row]) -> Query[Row]:
    sender = senders.alias("sender")
    return query(sender).order_by(sender.value.desc()).limit(10)


def replies_per_hour(messages: Source[Message]) -> Query[Row]:
    message = messages.alias("message")
    hour = substring(message.sent_at, 0, HOUR)
    return query(message).where(message.is_reply).group_by(hour).select(value=count())


class Board:
    """The messages so far and the four answers, live."""

    def __init__(self) -> None:
        self.messages = Collection("messages", row=Message, key="id")
        senders = live(messages_per_sender(self.messages))
        self.views: dict[str, LiveQuery[Row]] = {
            "last message of each conversation": live(last_message(self.messages)),
            "messages per sender": senders,
            "ten busiest senders": live(ten_busiest(senders)),  # a live query over a live query
            "replies per hour": live(replies_per_hour(self.messages)),
        }
        self.changes: dict[str, list[Any]] = {name: [] for name in self.views}
        for name, view in self.views.items():
            view.subscribe(self.changes[name].extend)

    def answers(self) -> list[dict[str, Any]]:
        """Read the answers, key -> value; nothing is computed here."""
        return [{key: row["value"] for key, row in view.items()} for view in self.views.values()]


def recount(history: Sequence[Message]) -> list[dict[str, Any]]:
    """Answer the four questions from scratch, without the engine."""
    senders = Counter(message.sender for message in history)
    busiest = sorted(senders.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    hours = Counter(message.sent_at[:HOUR] for message in history if message.is_reply)
    newest = {message.conversation: message.text for message in history}
    return [newest, dict(senders), dict(busiest), dict(hours)]


def read_history(limit: int | None = None) -> list[Message]:
    """Read the data set, oldest message first."""
    data = json.loads(files("chitchat_dataset").joinpath("dataset.json").read_text("utf-8"))
    history: list[Message] = []
    for name, conversation in data.items():
        for turn, messages in enumerate(conversation["messages"]):
            for place, said in enumerate(messages):
                who, when, what = said["sender"], said["timestamp"], said["text"]
                is_reply = turn > 0 and place == 0
                history.append(Message(len(history), name, who, when, what, is_reply))
    return sorted(history, key=lambda message: (message.sent_at, message.id))[:limit]


def steps_of(history: Sequence[Message]) -> Iterable[int]:
    """Iterate over where the epochs begin, under a progress bar if rich is installed."""
    steps = range(0, len(history), EPOCH)
    try:
        from rich.progress import track
    except ImportError:
        return steps
    return track(steps, description="replaying")


def summary(board: Board, seconds: float) -> str:
    """Describe a replay in lines of 80 characters; rows touched are those of a whole plan."""
    lines = [f"{'answer':<35}{'rows':>15}{'changes':>15}{'rows touched':>15}", "-" * 80]
    for name, view in board.views.items():
        touched = view.statistics().rows_touched
        lines.append(f"{name:<35}{len(view):>15,}{len(board.changes[name]):>15,}{touched:>15,}")
    events, epochs = len(board.messages), -(-len(board.messages) // EPOCH)
    each = 1e6 * seconds / max(events, 1)
    lines += ["-" * 80, f"{events:,} events in {epochs:,} epochs, {each:.1f} us per event"]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.chitchat")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N messages")
    history = read_history(parser.parse_args(arguments).limit)
    board, start = Board(), perf_counter()
    for first in steps_of(history):
        with board.messages.sync() as write:
            for message in history[first : first + EPOCH]:
                write.insert(message)
    print(summary(board, perf_counter() - start))
    agree = board.answers() == recount(history)
    print("A recount in plain Python says", "the same." if agree else "something else!")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
