"""Scenario for `killing`: calls of an outbox to a server that is a SQLite file and looks at idempotency keys."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from dataflow import Collection
from dataflow.io.outbox import Outbox
from dataflow.io.outbox_action import Delivery, OutboxAction
from dataflow.io.sqlite_file import Connect
from tests.dataflow.io.killing import connect
from tests.dataflow.io.waiting import settle

CALLS = 2


def make_server(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "server.db")) as server, server:
        server.execute("CREATE TABLE requests (number INTEGER)")
        server.execute("CREATE TABLE effects (key TEXT UNIQUE, number INTEGER)")


def app(folder: Path, connect: Connect) -> tuple[Outbox, OutboxAction[[int]]]:
    todos = Collection("todos", key="id")
    with todos.sync() as write:
        write.truncate()  # the truth is elsewhere
    outbox = Outbox(folder / "outbox.db", connect=connect)

    def show(number: int) -> None:
        todos.insert({"id": number})

    @outbox.action("add", on_mutate=show)
    async def add(delivery: Delivery, number: int) -> None:
        with closing(connect(folder / "server.db", isolation_level=None)) as server:
            server.execute("PRAGMA synchronous = OFF")  # no power cut is played here
            server.execute("BEGIN IMMEDIATE")
            server.execute("INSERT INTO requests VALUES (?)", (number,))
            values = (delivery.idempotency_key, number)
            server.execute("INSERT OR IGNORE INTO effects VALUES (?, ?)", values)
            server.execute("COMMIT")

    return outbox, add


def run(folder: Path) -> None:
    make_server(folder)

    async def scenario() -> None:
        outbox, add = app(folder, connect)
        returned = os.open(folder / "returned", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        async with outbox:
            for number in range(CALLS):
                add(number)
                os.write(returned, f"{number} ".encode())
                await settle()

    asyncio.run(scenario())


def left(folder: Path) -> dict[str, Any]:
    """Start again, let everything be sent, and ask the server."""

    async def again() -> None:
        outbox, _ = app(folder, sqlite3.connect)
        async with outbox:
            while outbox.waiting:
                await settle()

    asyncio.run(again())
    returned = folder / "returned"
    answers: dict[str, Any] = {
        "returned": [int(n) for n in returned.read_text().split()] if returned.exists() else []
    }
    with closing(sqlite3.connect(folder / "server.db")) as server:
        for table in ("requests", "effects"):
            sql = f"SELECT number FROM {table} ORDER BY rowid"
            answers[table] = [number for (number,) in server.execute(sql)]
    return answers
