"""A process that writes rows optimistically which others write too: `python -m tests.dataflow.io.rivals <folder> <name>`.

The truth is a SQLite file: a mutation writes the fields it changed there, and everybody reads the rows from it. Prints a line when
it has made its writes, goes on when it reads one, and prints the rows it shows in the end.
"""

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from dataflow import Collection, Transaction
from dataflow.io.sqlite_query import sqlite_query

KEYS = 5
ROUNDS = 20


def make_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "truth.db")) as truth, truth:
        truth.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, by TEXT)")
        truth.executemany("INSERT INTO items VALUES (?, 0, 0, '')", [(key,) for key in range(KEYS)])


async def write(folder: Path, name: str) -> None:
    async def save(transaction: Transaction) -> None:
        with closing(sqlite3.connect(folder / "truth.db", timeout=30)) as truth, truth:
            for mutation in transaction.mutations:
                for field, value in mutation.changes.items():
                    truth.execute(
                        f"UPDATE items SET {field} = ? WHERE id = ?", (value, mutation.key)
                    )
        await source.refetch()

    items: Collection[dict[str, Any]] = Collection("items", key="id", ready=False, on_update=save)
    source = sqlite_query(items, folder / "truth.db", "SELECT * FROM items")
    async with source:
        field = "x" if name == "left" else "y"
        pending = []
        for n in range(ROUNDS):
            values = {field: n, "by": f"{name} {n}"}
            pending.append(items.update(n % KEYS, values))
            assert {**items[n % KEYS], **values} == items[n % KEYS]
            await asyncio.sleep(0)
        for transaction in pending:
            await transaction
        sys.stdout.write("written\n")
        sys.stdout.flush()
        sys.stdin.readline()  # the others are done, too
        await source.refetch()
        sys.stdout.write(json.dumps(items.rows()) + "\n")


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2]))
