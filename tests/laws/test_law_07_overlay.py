"""Law 7: visible is synced ⊕ pending.

A state machine draws what clients and servers do to one collection, in any order: mutate, commit, confirm by sync, reject, roll
back, sync from elsewhere, truncate, subscribe, close. After every step the collection and five queries over it show exactly what a
model computes, every transaction is in the state the model says, and no step has delivered more than one batch to anyone.

The model is dicts and lists. It keeps every operation as it was made and merges none of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataflow import (
    Change,
    Collection,
    CollectionError,
    Transaction,
    TransactionError,
    count,
    facts,
    live,
    query,
    sum_,
)
from dataflow.collection import layers
from dataflow.collection import transaction as transaction_module

Row = dict[str, Any]
KEYS = ("a", "b", "c")
FIELDS = {"x": st.integers(0, 2), "y": st.integers(0, 2)}


WHICH = st.integers(0, 2)
STEPS = st.tuples(
    st.sampled_from(("write", "write", "write", "delete", "insert", "update")),
    st.sampled_from(KEYS),
    st.fixed_dictionaries({}, optional=FIELDS).map(lambda fields: fields or {"x": 1}),
)


# -- the model: what should be seen ------------------------------------------------------------------------------------


@dataclass
class ModelTransaction:
    state: str = "pending"
    stays: bool = False  # completed while the collection was local, or by the collection itself
    steps: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)


@dataclass
class Model:
    """Synced rows, and transactions in the order in which they were made."""

    synced: dict[str, Row] = field(default_factory=dict)
    transactions: list[ModelTransaction] = field(default_factory=list)

    def row(self, key: str) -> Row | None:
        row = self.synced.get(key)
        for transaction in self.transactions:
            if transaction.state in ("pending", "persisting") or self.is_held(transaction):
                row = self.over(row, key, transaction)
        return row

    @staticmethod
    def is_held(transaction: ModelTransaction) -> bool:
        return transaction.state == "completed" and transaction.stays

    def over(self, row: Row | None, key: str, transaction: ModelTransaction) -> Row | None:
        for kind, fields in transaction.steps.get(key, ()):
            row = self.after(row, kind, fields)
        return row

    def accept(self) -> None:
        """Make synced what stays of completed transactions, as soon as nothing open lies beneath it."""
        for key in KEYS:
            for transaction in self.transactions:
                if transaction.state == "failed" or not transaction.steps.get(key):
                    continue
                if transaction.state != "completed":
                    break
                if transaction.stays:
                    row = self.over(self.synced.get(key), key, transaction)
                    self.synced.pop(key, None)
                    if row is not None:
                        self.synced[key] = row
                    transaction.steps[key] = []

    @staticmethod
    def after(row: Row | None, kind: str, fields: Row) -> Row | None:
        if kind == "insert":
            return fields
        return None if row is None or kind == "delete" else {**row, **fields}

    def visible(self) -> dict[str, Row]:
        return {key: row for key in KEYS if (row := self.row(key)) is not None}

    def pending(self, key: str) -> bool:
        open_ones = [t for t in self.transactions if t.state in ("pending", "persisting")]
        return any(transaction.steps.get(key) for transaction in open_ones)

    def mutate(self, transaction: ModelTransaction, kind: str, key: str, fields: Row) -> bool:
        """Make a step if the row allows it; an insert that is deleted again never was."""
        row = self.row(key)
        steps = transaction.steps.setdefault(key, [])
        if (row is None) != (kind == "insert"):
            return False
        if kind == "update" and steps and steps[-1][0] == "delete":
            return False  # the row that is seen is a later transaction's
        was_there = transaction.steps.setdefault(f"{key} was there", [])
        if not steps:
            was_there[:] = [("", {})] if row is not None else []
        if kind == "delete" and not was_there and steps:
            steps.clear()
        else:
            steps.append((kind, fields))
        return True

    def fail(self, transaction: ModelTransaction) -> None:
        transaction.state = "failed"
        for other in self.transactions:
            shared = [key for key in KEYS if transaction.steps.get(key) and other.steps.get(key)]
            if other.state == "pending" and shared:
                self.fail(other)
        self.accept()


def derived(rows: dict[str, Row]) -> list[Any]:
    """Return what the five queries should say."""
    values = list(rows.values())
    totals = {x: [row["y"] for row in values if row["x"] == x] for x in {r["x"] for r in values}}
    first = sorted(values, key=lambda row: (-row["y"], row["id"]))[:2]
    return [
        {key: row for key, row in rows.items() if row["x"] >= 1},
        {x: {"x": x, "n": len(ys), "y": sum(ys)} for x, ys in totals.items()},
        first,
        {
            (one["id"], other["id"]): {"one": one["id"], "other": other["id"]}
            for one in values
            for other in values
            if one["x"] == other["y"]
        },
        {key: row["x"] * 10 + row["y"] for key, row in rows.items()},
    ]


# -- the machine -------------------------------------------------------------------------------------------------------


class Overlay(RuleBasedStateMachine):
    """What clients and servers do, to the collection and to the model."""

    local = False
    """Whether nobody has synced rows so far, so that what is completed stays."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = Model()
        self.rows = Collection("rows", key="id")
        if not self.local:
            with self.rows.sync():
                pass  # from now on what is completed has to come by sync
        self.answers: dict[int, asyncio.Future[None]] = {}
        self.made: list[tuple[Transaction, ModelTransaction]] = []
        one, other = self.rows.alias("one"), self.rows.alias("other")
        grouped = query(one).group_by(one.x)
        self.queries = [
            live(query(one).where(one.x >= 1)),
            live(grouped.select(x=one.x, n=count(), y=sum_(one.y))),
            live(query(one).order_by(one.y.desc()).limit(2)),
            live(query(one).join(other, on=one.x == other.y).select(one=one.id, other=other.id)),
            live(query(one).map(lambda row: row["x"] * 10 + row["y"])),
        ]
        self.facts = live(query(one).select(pending=facts(one).pending, key=facts(one).key))
        self.subscribers: list[tuple[Any, Any, dict[Any, Any], list[Any]]] = []
        for source in (self.rows, *self.queries):
            self.watch(source)

    def teardown(self) -> None:
        for transaction, model in self.made:
            if model.state in ("pending", "persisting"):
                transaction.rollback()
                self.model.fail(model)
            assert (transaction.error is None) == (transaction.state == "completed")
        assert dict(self.rows) == self.model.synced
        self.runner.close()

    def watch(self, source: Any) -> None:
        batches: list[Any] = []
        subscription = source.subscribe(batches.append)
        self.subscribers.append((source, subscription, dict(source), batches))

    def let(self, action: Any) -> None:
        """Do something where an event loop runs, and let what it started run as far as it goes."""

        async def act() -> None:
            action()
            for _ in range(5):
                await asyncio.sleep(0)

        self.runner.run(act())

    async def answered(self, transaction: Transaction) -> None:
        answer = self.answers[transaction.number] = asyncio.get_running_loop().create_future()
        await answer

    def nth(self, state: str, which: int) -> tuple[Transaction, ModelTransaction] | None:
        """Return one of the transactions in a state, if there are any."""
        found = [each for each in self.made if each[1].state == state]
        return found[which % len(found)] if found else None

    def begun(self, which: int) -> tuple[Transaction, ModelTransaction]:
        """Return one of up to three pending transactions."""
        pending = [each for each in self.made if each[1].state == "pending"]
        if which < len(pending):
            return pending[which]
        model = ModelTransaction()
        self.made.append((Transaction(mutation_fn=self.answered), model))
        self.model.transactions.append(self.made[-1][1])
        return self.made[-1]

    @rule(which=WHICH, steps=st.lists(STEPS, min_size=1, max_size=3))
    def mutate(self, which: int, steps: list[tuple[str, str, Row]]) -> None:
        transaction, model = self.begun(which)

        def act() -> None:
            with transaction.mutate():
                for kind, key, fields in steps:
                    self.step(model, kind, key, fields)

        self.let(act)
        self.model.accept()

    @rule(step=STEPS)
    def mutate_alone(self, step: tuple[str, str, Row]) -> None:
        """Mutate without transaction, which a collection without handlers confirms by itself."""
        model = ModelTransaction(stays=True)
        self.model.transactions.append(model)
        self.step(model, *step)
        model.state = "completed"
        self.model.accept()

    def step(self, model: ModelTransaction, kind: str, key: str, fields: Row) -> None:
        if kind == "write":
            kind = "insert" if self.model.row(key) is None else "update"
        row = {"id": key, "x": 0, "y": 0, **fields} if kind == "insert" else fields
        if self.model.mutate(model, kind, key, row):
            self.do(kind, key, row)
        else:
            with pytest.raises(CollectionError):
                self.do(kind, key, row)

    def do(self, kind: str, key: str, row: Row) -> None:
        match kind:
            case "insert":
                self.rows.insert(row)
            case "update":
                self.rows.update(key, row)
            case _:
                self.rows.delete(key)

    @rule(which=WHICH)
    def commit(self, which: int) -> None:
        if found := self.nth("pending", which):
            transaction, model = found
            self.let(transaction.commit)
            does_something = any(model.steps.get(key) for key in KEYS)
            model.state = "persisting" if does_something else "completed"

    @rule(which=WHICH, told_first=st.booleans())
    def confirm(self, which: int, told_first: bool) -> None:
        if found := self.nth("persisting", which):
            transaction, model = found
            if told_first and not self.local:
                told = [
                    (m.key, None if m.op == "delete" else m.value) for m in transaction.mutations
                ]
                self.sync(dict(told))
                self.agrees()
            self.let(lambda: self.answers[transaction.number].set_result(None))
            model.state, model.stays = "completed", self.local
            self.model.accept()

    @rule(which=WHICH)
    def reject(self, which: int) -> None:
        if found := self.nth("persisting", which):
            transaction, model = found
            error = ValueError("rejected")
            self.let(lambda: self.answers[transaction.number].set_exception(error))
            self.model.fail(model)
            assert transaction.error is error

    @rule(which=WHICH, state=st.sampled_from(("pending", "persisting")))
    def roll_back(self, which: int, state: str) -> None:
        if found := self.nth(state, which):
            transaction, model = found
            transaction.rollback()
            self.model.fail(model)

    @rule(state=st.sampled_from(("completed", "failed")))
    def touch_what_is_settled(self, state: str) -> None:
        if found := self.nth(state, 0):
            transaction, _ = found
            with pytest.raises(TransactionError):
                transaction.__enter__()
            with pytest.raises(TransactionError):
                transaction.commit()
            if state == "completed":
                with pytest.raises(TransactionError):
                    transaction.rollback()

    @precondition(lambda self: not self.local)
    @rule(
        rows=st.dictionaries(
            st.sampled_from(KEYS), st.none() | st.fixed_dictionaries(FIELDS), min_size=1
        )
    )
    def sync_from_elsewhere(self, rows: dict[str, Row | None]) -> None:
        self.sync({key: None if row is None else {"id": key, **row} for key, row in rows.items()})

    def sync(self, rows: dict[str, Row | None]) -> None:
        with self.rows.sync() as write:
            for key, row in rows.items():
                if row is None:
                    write.delete(key)
                    self.model.synced.pop(key, None)
                else:
                    write.upsert(row)
                    self.model.synced[key] = row

    @precondition(lambda self: not self.local)
    @rule(kept=st.sampled_from((None, *KEYS)))
    def truncate(self, kept: str | None) -> None:
        row = None if kept is None else {"id": kept, "x": 1, "y": 1}
        with self.rows.sync() as write:
            write.truncate()
            if row is not None:
                write.insert(row)
        self.model.synced = {} if kept is None or row is None else {kept: row}

    @rule(which=st.integers(0, 5))
    def subscribe(self, which: int) -> None:
        self.watch((self.rows, *self.queries)[which])

    @precondition(lambda self: len(self.subscribers) > 3)
    @rule(which=st.integers(0, 3))
    def close(self, which: int) -> None:
        _, subscription, _, _ = self.subscribers.pop(which)
        subscription.close()

    @invariant()
    def agrees(self) -> None:
        visible = self.model.visible()
        assert dict(self.rows) == visible
        shown = [q.rows() if i == 2 else dict(q) for i, q in enumerate(self.queries)]
        assert shown == derived(visible)
        known = {key: {"pending": self.model.pending(key), "key": key} for key in visible}
        assert dict(self.facts) == known
        assert [t.state for t, _ in self.made] == [model.state for _, model in self.made]
        if self.rows.overlay is not None:
            self.rows.overlay._check()
        for source, _, rows, batches in self.subscribers:
            assert len(batches) <= 1, "one step, one batch"
            for change in batches.pop() if batches else []:
                fold(rows, change)
            assert rows == dict(source)


def fold(rows: dict[Any, Any], change: Change[Any]) -> None:
    assert rows.get(change.key) == change.old or change.op == "delete"
    if change.op == "delete":
        assert rows.pop(change.key) == change.value
    else:
        rows[change.key] = change.value


class LocalOverlay(Overlay):
    """What happens to a collection that is the truth itself."""

    local = True


class OnceLocalOverlay(LocalOverlay):
    """What happens to a collection that is the truth itself, until somebody syncs rows."""

    @precondition(lambda self: self.local)
    @rule()
    def begin_to_sync(self) -> None:
        with self.rows.sync():
            pass
        self.local = False


def run(machine: type[Overlay] = Overlay, **options: Any) -> None:
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=40, **options))


@pytest.mark.parametrize("machine", [Overlay, LocalOverlay, OnceLocalOverlay])
def test_visible_is_synced_under_pending(machine: type[Overlay]) -> None:
    run(machine, max_examples=settings().max_examples // 2)


WRONG = {
    "under": lambda row, operation, replace: row,
    "overlay": lambda row, operations, replace: row,
    "merge": lambda earlier, later, *, was_there, replace: later,
}


# What the machine says about it, be it that the collection refused too little or too much.
FOUND = (AssertionError, AttributeError, CollectionError, ExceptionGroup, pytest.fail.Exception)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_overlay_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = transaction_module if name == "merge" else layers
    monkeypatch.setattr(module, name, WRONG[name])
    with pytest.raises(FOUND):
        run(phases=[Phase.generate], derandomize=True, database=None, max_examples=50)
