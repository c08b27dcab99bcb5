"""Writing to the chat, as a user of the library would: at once, and taken back when the backend says no."""

import asyncio

from dataflow import TransactionError, action, live, query
from stateschema import new_txid
from stateschema.streamdb import StreamDB
from tests.usage.chat import Chat, Message


async def quickstart(db: StreamDB[Chat]) -> list[str]:
    """Insert a message, and return what was on the screen before and after the stream knew of it."""
    message = db.collections.messages.alias("message")
    newest = live(query(message).order_by(message.created_at.desc()).limit(20))
    tx = db.collections.messages.insert(
        Message(id="m1", role="user", content="Hello", created_at="2026-01-01T00:00:00Z")
    )
    screen = [f"{tx.state}: {newest['m1'].content}"]
    await tx
    return [*screen, f"{tx.state}: {newest['m1'].content}"]


async def post_to_backend(db: StreamDB[Chat], key: str, content: str, txid: str) -> None:
    """Stand in for a server that checks what it gets, and writes to the stream."""
    await asyncio.sleep(0)
    if not content:
        raise PermissionError("a message cannot be empty")
    row = db.collections.messages[key].model_copy(update={"content": content})
    await db.stream.append(Chat.messages.update(row, txid=txid))


def show(db: StreamDB[Chat], key: str, content: str) -> None:
    db.collections.messages.update(key, content=content)  # visible at once, in every derived result


@action(on_mutate=show)
async def edit(db: StreamDB[Chat], key: str, content: str) -> None:
    txid = new_txid()
    await post_to_backend(db, key, content, txid)
    await db.wait_txid(txid, timeout=10)


async def rename(db: StreamDB[Chat], content: str) -> list[str]:
    """Edit a message, and return what was on the screen."""
    messages = db.collections.messages
    tx = edit(db, "m1", content)
    screen = [messages["m1"].content]
    try:
        await tx
    except TransactionError as error:
        screen.append(f"rolled back: {error.__cause__}")
    return [*screen, tx.state, messages["m1"].content]
