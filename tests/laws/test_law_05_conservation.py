"""Law 5: a quantity moved between two sides keeps its total, at every epoch a reader can see.

A bank in two collections. Money moves between accounts, and accounts between the collections; three
levels of live queries sum it up. Whoever looks at any level - after an epoch, or from inside any
subscriber while the epoch is delivered - finds the total unmoved. And a ledger: what all payers paid
is what all payees got, while transfers are booked, corrected and cancelled.

And the bank again, with transfers that are pending, confirmed and rejected, while callbacks misbehave: they pay from inside a
delivery, close subscriptions of others, and raise.

The oracle is one number.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import given

from dataflow.circuit.graph import current_graph
from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.collection.transaction import Transaction
from dataflow.live.live import LiveQuery, live
from dataflow.query.aggregates import sum_
from dataflow.query.builder import query
from dataflow.query.functions import coalesce
from tests.strategies import seeds

OWNERS = ("ann", "bob", "cy")
Row = dict[str, Any]


def put(collection: Collection[Row], *rows: Row) -> None:
    with collection.sync() as write:
        for row in rows:
            write.upsert(row)


@dataclass
class Bank:
    """Accounts in two collections, and three levels of sums over them."""

    money: int
    current: Collection[Row] = field(default_factory=lambda: Collection("current", key="id"))
    savings: Collection[Row] = field(default_factory=lambda: Collection("savings", key="id"))
    faults: list[str] = field(default_factory=list)
    transfers: list[Transaction] = field(default_factory=list)
    answered: int = 0  # the last epoch in which a callback wrote: what it read is old news then

    def __post_init__(self) -> None:
        share, rest = divmod(self.money, 6)
        rows: list[Row] = [{"id": n, "owner": OWNERS[n % 3], "balance": share} for n in range(6)]
        rows[0]["balance"] += rest
        put(self.current, *rows[:4])
        put(self.savings, *rows[4:])
        self.by_owner = [self.sums(self.current), self.sums(self.savings)]
        self.together = self.joined(*self.by_owner)
        one = self.together.alias("one")
        self.total = live(query(one).select(total=sum_(one.balance)))

    @staticmethod
    def sums(accounts: Collection[Row]) -> LiveQuery[Any]:
        a = accounts.alias("a")
        return live(query(a).group_by(a.owner).select(owner=a.owner, balance=sum_(a.balance)))

    @staticmethod
    def joined(left: LiveQuery[Any], right: LiveQuery[Any]) -> LiveQuery[Any]:
        owners = Collection[Row]("owners", key="id")
        put(owners, *[{"id": owner} for owner in OWNERS])
        owner, one, other = owners.alias("owner"), left.alias("one"), right.alias("other")
        both = (
            query(owner)
            .join(one, on=owner.id == one.owner, how="left")
            .join(other, on=owner.id == other.owner, how="left")
        )
        return live(
            both.select(
                owner=owner.id, balance=coalesce(one.balance, 0) + coalesce(other.balance, 0)
            )
        )

    def levels(self) -> dict[str, Any]:
        """Return the total as each level shows it."""
        return {
            "accounts": sum(
                row["balance"] for c in (self.current, self.savings) for row in c.rows()
            ),
            "sums": sum(row["balance"] for level in self.by_owner for row in level.rows()),
            "together": sum(row["balance"] for row in self.together.rows()),
            "total": [row["total"] for row in self.total.rows()],
        }

    def check(self, who: str) -> None:
        levels = self.levels()
        total = self.money
        if levels != {"accounts": total, "sums": total, "together": total, "total": [total]}:
            self.faults.append(f"{who} saw {levels} instead of {total}")

    def watch(self) -> list[Any]:
        """Check from inside a subscriber of every level."""
        sources = (self.current, self.savings, *self.by_owner, self.together, self.total)
        return [
            source.subscribe(partial(self.check_delivery, f"subscriber of {source.name}"))
            for source in sources
        ]

    def check_delivery(self, who: str, changes: list[Any]) -> None:
        assert changes
        self.check(who)

    def holder(self, number: int) -> Collection[Row]:
        return self.current if number in self.current else self.savings

    def settled(self) -> list[int]:
        """Return the accounts that no transfer is pending on."""
        pending = {m.key for transfer in self.transfers for m in transfer.mutations}
        return [number for number in range(6) if number not in pending]

    def intend(self, rng: random.Random) -> None:
        """Move money between two accounts optimistically; what is pending belongs to one transfer alone."""
        if len(accounts := self.settled()) < 2:
            return
        payer, payee = rng.sample(accounts, 2)
        amount = rng.randint(1, 50)
        transfer = Transaction(mutation_fn=partial(self.persist, rejected=rng.random() < 0.5))
        self.transfers.append(transfer)
        with transfer:
            for number, change in ((payer, -amount), (payee, amount)):
                holder = self.holder(number)
                holder.update(number, balance=holder[number]["balance"] + change)

    def persist(self, transfer: Transaction, *, rejected: bool) -> None:
        if rejected:
            raise PermissionError("rejected")
        with batch():
            for mutation in transfer.mutations:
                put(mutation.collection, mutation.value)

    def settle(self, rng: random.Random) -> None:
        """Commit a pending transfer, or take it back."""
        if self.transfers:
            transfer = self.transfers.pop(rng.randrange(len(self.transfers)))
            if rng.random() < 0.3:
                transfer.rollback()
            else:
                transfer.commit()
                assert transfer.error is None or isinstance(transfer.error, PermissionError)

    def pay(self, rng: random.Random) -> None:
        """Move money between two accounts, both in one epoch."""
        if len(accounts := self.settled()) < 2:
            return
        payer, payee = rng.sample(accounts, 2)
        amount = rng.randint(-50, 50)
        with batch():
            for number, change in ((payer, -amount), (payee, amount)):
                row = self.holder(number)[number]
                put(self.holder(number), {**row, "balance": row["balance"] + change})

    def move(self, rng: random.Random) -> None:
        """Move an account to the other collection, or to another owner."""
        if not (accounts := self.settled()):
            return
        number = rng.choice(accounts)
        source = self.holder(number)
        row = source[number]
        if rng.random() < 0.5:
            put(source, {**row, "owner": rng.choice(OWNERS)})
            return
        target = self.savings if source is self.current else self.current
        with batch():
            with source.sync() as write:
                write.delete(number)
            put(target, dict(row))


def faults_of(seed: int) -> list[str]:
    """Run a bank for a while; return what any reader found wrong."""
    rng = random.Random(seed)
    bank = Bank(money=rng.randint(0, 10_000))
    subscriptions = bank.watch()
    for _ in range(25):
        rng.choice((bank.pay, bank.pay, bank.move))(rng)
        bank.check("a reader")
        if bank.faults:
            break
    for subscription in subscriptions:
        subscription.close()
    return bank.faults


@given(seeds())
def test_money_is_neither_made_nor_lost_at_any_level_at_any_epoch(seed: int) -> None:
    assert faults_of(seed) == []


class Mischief(Exception):  # noqa: N818 - it is what it is called
    """Raised by a subscriber."""


@dataclass
class Meddler:
    """A subscriber that does what subscribers should not, now and then."""

    bank: Bank
    rng: random.Random
    subscriptions: list[Any]
    payments: int = 3

    def __call__(self, changes: list[Any]) -> None:
        self.bank.check("a meddler")
        epoch = current_graph().epoch
        match self.rng.randrange(8):
            case 0 if self.payments and self.bank.answered != epoch:
                self.payments -= 1
                self.bank.answered = epoch
                self.rng.choice((self.bank.pay, self.bank.intend, self.bank.move))(self.rng)
                self.bank.check("a meddler that paid")
            case 1 if len(self.subscriptions) > 4:
                self.subscriptions.pop(self.rng.randrange(len(self.subscriptions))).close()
            case 2:
                raise Mischief
            case _:
                pass


def faults_of_meddling(seed: int) -> list[str]:
    """Run a bank whose subscribers meddle; return what any reader found wrong."""
    rng = random.Random(seed)
    bank = Bank(money=rng.randint(0, 10_000))
    subscriptions = bank.watch()
    for source in (bank.current, bank.savings, *bank.by_owner, bank.together, bank.total):
        subscriptions.append(source.subscribe(Meddler(bank, rng, subscriptions)))
    for _ in range(25):
        try:
            rng.choice((bank.pay, bank.move, bank.intend, bank.settle, bank.settle))(rng)
        except* Mischief:
            pass
        bank.check("a reader")
    for subscription in subscriptions:
        subscription.close()
    while bank.transfers:
        bank.settle(rng)
    bank.check("a reader at the end")
    return bank.faults


@given(seeds())
def test_misbehaving_callbacks_and_pending_transfers_show_nobody_half_a_world(seed: int) -> None:
    assert faults_of_meddling(seed) == []


@given(seeds())
def test_what_payers_paid_is_what_payees_got(seed: int) -> None:
    rng = random.Random(seed)
    transfers = Collection[Row]("transfers", key="id")
    accounts = Collection[Row]("accounts", key="id")
    put(accounts, *[{"id": owner} for owner in OWNERS])
    t, u, account = transfers.alias("t"), transfers.alias("u"), accounts.alias("account")
    paid = query(t).group_by(t.payer).select(who=t.payer, amount=sum_(t.amount)).alias("paid")
    got = query(u).group_by(u.payee).select(who=u.payee, amount=sum_(u.amount)).alias("got")
    balances = live(
        query(account)
        .join(paid, on=account.id == paid.who, how="left")
        .join(got, on=account.id == got.who, how="left")
        .select(id=account.id, balance=coalesce(got.amount, 0) - coalesce(paid.amount, 0))
    )
    balance = balances.alias("balance")
    total = live(query(balance).select(total=sum_(balance.balance)))
    seen: list[Any] = []
    with balances.subscribe(lambda _: seen.extend(total.rows())):
        for _ in range(25):
            with transfers.sync() as write:
                for _ in range(rng.randint(1, 3)):
                    key = rng.randrange(6)
                    if rng.random() < 0.3:
                        write.delete(key)
                        continue
                    payer, payee = rng.choices(OWNERS, k=2)
                    amount = rng.choice((1, 5, 0.25, -3, 12.5))
                    row = {"id": key, "payer": payer, "payee": payee, "amount": amount}
                    write.upsert(row)
            assert total.rows() == [{"total": 0}]
    assert all(row == {"total": 0} for row in seen)
