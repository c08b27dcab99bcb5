"""A ledger, views of it that a server derives, and what both have to say according to a model.

Entries belong to the writer that names them, so a model needs no order between writers. Accounts come
in pairs that always hold 100 together: a reader that sees half of an append sees another sum.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from dataflow import count, query, sum_
from dataflow.query.builder import Query
from stateschema.schema.entity import Entity, StateSchema
from stateschema.streamdb.views import View, Views

BASE, DERIVED = "ledger", "ledger/shown"
NEWEST = 20
PAIR = 100


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    writer: int
    n: int  # grows with each event of a writer
    text: str


class Account(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    pair: int
    n: int
    amount: int


class Ledger(StateSchema):
    entries = Entity(Entry, type="entry", key="id")
    accounts = Entity(Account, type="account", key="id")


class Total(TypedDict):
    writer: int
    entries: int
    sum: int


class Newest(TypedDict):
    id: str
    n: int
    writer: int
    orderKey: str


class Pair(TypedDict):
    pair: int
    amount: int


class Shown(StateSchema):
    totals = Entity(Total, type="total", key="writer")
    newest = Entity(Newest, type="newest", key="id")
    pairs = Entity(Pair, type="pair", key="pair")


def totals(ledger: Ledger) -> Query[Any]:
    """How much each writer has written."""
    entry = ledger.entries.alias("entry")
    selected = query(entry).group_by(entry.writer)
    return selected.select(writer=entry.writer, entries=count(), sum=sum_(entry.n))


def newest(ledger: Ledger) -> Query[Any]:
    """The entries with the highest numbers, in order."""
    entry = ledger.entries.alias("entry")
    ordered = query(entry).order_by(entry.n.desc(), entry.id).limit(NEWEST)
    return ordered.select(id=entry.id, n=entry.n, writer=entry.writer)


def pairs(ledger: Ledger) -> Query[Any]:
    """What each pair of accounts holds together."""
    account = ledger.accounts.alias("account")
    selected = query(account).group_by(account.pair)
    return selected.select(pair=account.pair, amount=sum_(account.amount))


VIEWS = Views(
    View(DERIVED, of=BASE, schema=Ledger, type="total", query=totals, key="writer"),
    View(DERIVED, of=BASE, schema=Ledger, type="newest", query=newest, key="id"),
    View(DERIVED, of=BASE, schema=Ledger, type="pair", query=pairs, key="pair"),
)


def shown_of(entries: Iterable[Entry], accounts: Iterable[Account]) -> dict[str, Any]:
    """What the views say of these rows, without the engine; `newest` in order."""
    entries = list(entries)
    writers = {entry.writer for entry in entries}
    by_writer = {
        writer: [entry.n for entry in entries if entry.writer == writer] for writer in writers
    }
    ordered = sorted(entries, key=lambda entry: (-entry.n, entry.id))[:NEWEST]
    amounts: dict[int, int] = {}
    for account in accounts:
        amounts[account.pair] = amounts.get(account.pair, 0) + account.amount
    return {
        "totals": {writer: (len(ns), sum(ns)) for writer, ns in by_writer.items()},
        "newest": [(entry.id, entry.n) for entry in ordered],
        "pairs": amounts,
    }


def told(shown: Shown) -> dict[str, Any]:
    """What a reader of the views has been told, in the same form."""
    listed = sorted(shown.newest.rows(), key=lambda row: row["orderKey"])
    return {
        "totals": {row["writer"]: (row["entries"], row["sum"]) for row in shown.totals.rows()},
        "newest": [(row["id"], row["n"]) for row in listed],
        "pairs": {row["pair"]: row["amount"] for row in shown.pairs.rows()},
    }
