"""Transactions: states, blocks, settling, cascades, and what is told to whom."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from dataflow import (
    Change,
    Collection,
    CollectionError,
    Mutation,
    Transaction,
    TransactionError,
    batch,
    live,
    query,
    sum_,
)

Row = dict[str, Any]
Todos = Collection[Row]


@pytest.fixture
def todos() -> Todos:
    """Two synced rows."""
    made = Collection("todos", key="id")
    with made.sync() as write:
        write.insert({"id": 1, "text": "write", "done": False})
        write.insert({"id": 2, "text": "read", "done": False})
    return made


def recorded(source: Any) -> list[list[Change[Row]]]:
    seen: list[list[Change[Row]]] = []
    source.subscribe(seen.append)
    return seen


def nothing(transaction: Transaction) -> None:
    """Persist nothing."""


def refuse(transaction: Transaction) -> None:
    raise ValueError("the server said no")


# -- states ------------------------------------------------------------------------------------------------------------


def test_a_transaction_is_pending_then_persisting_then_completed(todos: Todos) -> None:
    states = []
    tx = Transaction(mutation_fn=lambda tx: states.append(tx.state))
    states.append(tx.state)
    with tx:
        todos.update(1, done=True)
    states.append(tx.state)
    assert tx.commit() is tx
    assert [*states, tx.state] == ["pending", "pending", "persisting", "completed"]
    assert tx.error is None


def test_the_overlay_goes_when_the_mutation_function_returns(todos: Todos) -> None:
    tx = Transaction(mutation_fn=nothing)
    with tx.mutate():
        todos.update(1, text="mine")
        todos.delete(2)
    assert dict(todos) == {1: {"id": 1, "text": "mine", "done": False}}
    tx.commit()
    assert dict(todos) == {
        1: {"id": 1, "text": "write", "done": False},
        2: {"id": 2, "text": "read", "done": False},
    }


def test_what_the_mutation_function_syncs_stays(todos: Todos) -> None:
    def save(tx: Transaction) -> None:
        with todos.sync() as write:
            for mutation in tx.mutations:
                write.update(mutation.value)

    tx = Transaction(mutation_fn=save)
    with tx:
        todos.update(1, done=True)
    seen = recorded(todos)
    tx.commit()
    assert todos[1] == {"id": 1, "text": "write", "done": True}
    assert seen == []


def test_a_mutation_function_that_raises_rolls_back(todos: Todos) -> None:
    tx = Transaction(mutation_fn=refuse)
    with tx:
        todos.update(1, done=True)
        todos.insert({"id": 3})
    tx.commit()
    assert tx.state == "failed"
    assert isinstance(tx.error, ValueError)
    assert todos.rows() == [
        {"id": 1, "text": "write", "done": False},
        {"id": 2, "text": "read", "done": False},
    ]


def test_a_transaction_without_mutations_is_completed_without_a_call() -> None:
    called: list[Transaction] = []
    tx = Transaction(mutation_fn=called.append)
    assert tx.commit().state == "completed"
    assert called == []


def test_an_interrupt_of_the_mutation_function_rolls_back_and_passes(todos: Todos) -> None:
    def interrupted(tx: Transaction) -> None:
        raise KeyboardInterrupt

    tx = Transaction(mutation_fn=interrupted)
    with tx:
        todos.delete(1)
    with pytest.raises(KeyboardInterrupt):
        tx.commit()
    assert (tx.state, type(tx.error), 1 in todos) == ("failed", KeyboardInterrupt, True)


def test_a_settled_transaction_takes_no_more_mutations(todos: Todos) -> None:
    tx = Transaction(mutation_fn=nothing).commit()
    with pytest.raises(TransactionError, match=f"transaction {tx.number} is completed"):
        tx.__enter__()
    with pytest.raises(TransactionError, match="can no longer be committed"):
        tx.commit()
    with pytest.raises(TransactionError, match="cannot be rolled back"):
        tx.rollback()


def test_rolling_back_twice_is_rolling_back_once(todos: Todos) -> None:
    tx = Transaction(mutation_fn=nothing)
    with tx:
        todos.delete(1)
    tx.rollback()
    tx.rollback()
    assert (tx.state, str(tx.error)) == ("failed", f"transaction {tx.number} was rolled back")
    assert 1 in todos


def test_a_mutation_function_may_roll_its_transaction_back(todos: Todos) -> None:
    tx = Transaction(mutation_fn=lambda tx: tx.rollback())
    with tx:
        todos.delete(1)
    tx.commit()
    assert tx.state == "failed"
    assert 1 in todos


def test_another_thread_is_refused(todos: Todos) -> None:
    tx = Transaction(mutation_fn=nothing)

    async def elsewhere() -> None:
        await asyncio.to_thread(tx.rollback)

    with pytest.raises(CollectionError, match="belongs to another thread"):
        asyncio.run(elsewhere())


# -- what it does ------------------------------------------------------------------------------------------------------


def test_mutations_name_collection_operation_key_rows_and_changes(todos: Todos) -> None:
    one, two = todos[1], todos[2]
    other = Collection("other", key="id")
    tx = Transaction(mutation_fn=nothing)
    with tx:
        todos.update(1, done=True)
        todos.delete(2)
        other.insert({"id": "x"})
    assert tx.mutations == [
        Mutation(todos, "update", 1, {**one, "done": True}, one, {"done": True}),
        Mutation(todos, "delete", 2, two, two, {}),
        Mutation(other, "insert", "x", {"id": "x"}, None, {}),
    ]
    assert tx.mutations[0].collection is todos


ROW = {"id": 3, "text": "new"}
ONE = {"id": 1, "text": "write", "done": False}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            [("insert", ROW), ("update", 3, {"done": True})],
            [("insert", 3, {**ROW, "done": True}, None, {})],
        ),
        ([("insert", ROW), ("delete", 3)], []),
        (
            [("update", 1, {"done": True}), ("update", 1, {"text": "x", "done": False})],
            [("update", 1, {**ONE, "text": "x"}, ONE, {"done": False, "text": "x"})],
        ),
        ([("update", 1, {"done": True}), ("delete", 1)], [("delete", 1, ONE, ONE, {})]),
        (
            [("delete", 1), ("insert", {"id": 1, "text": "again"})],
            [("update", 1, {"id": 1, "text": "again"}, ONE, {"text": "again", "done": None})],
        ),
        (
            [("delete", 1), ("insert", {"id": 1, "text": "again"}), ("update", 1, {"done": True})],
            [
                (
                    "update",
                    1,
                    {"id": 1, "text": "again", "done": True},
                    ONE,
                    {"text": "again", "done": True},
                )
            ],
        ),
        (
            [("delete", 1), ("insert", {"id": 1, "text": "again"}), ("delete", 1)],
            [("delete", 1, ONE, ONE, {})],
        ),
        (
            [("insert", ROW), ("delete", 3), ("insert", ROW)],
            [("insert", 3, ROW, None, {})],
        ),
    ],
)
def test_mutations_of_one_row_are_told_as_one(
    todos: Todos, steps: list[Any], expected: list[Any]
) -> None:
    tx = Transaction(mutation_fn=nothing)
    for method, *arguments in steps:  # as blocks of their own, and in one block, it is the same
        with tx:
            getattr(todos, method)(*arguments)
    together = Transaction(mutation_fn=nothing)
    tx_visible = dict(todos)
    found = [mutation[1:] for mutation in tx.mutations]
    tx.rollback()
    with together:
        for method, *arguments in steps:
            getattr(todos, method)(*arguments)
    assert found == expected
    assert [mutation[1:] for mutation in together.mutations] == expected
    assert dict(todos) == tx_visible


def test_inside_a_block_mutations_see_each_other_and_reads_do_not(todos: Todos) -> None:
    tx = Transaction(mutation_fn=nothing)
    seen = recorded(todos)
    with tx:
        todos.insert({"id": 3, "n": 1})
        todos.update(3, n=2)
        with pytest.raises(CollectionError, match="has a row with key 3 already"):
            todos.insert({"id": 3})
        assert 3 not in todos
        assert seen == []
    assert seen == [[Change("insert", 3, {"id": 3, "n": 2}, None)]]


def test_a_block_over_several_collections_is_one_epoch(todos: Todos) -> None:
    counts = Collection("counts", key="id")
    todo, number = todos.alias("todo"), counts.alias("number")
    pairs = live(query(todo).join(number, on=todo.id == number.id))
    seen = recorded(pairs)
    with Transaction(mutation_fn=nothing):
        todos.insert({"id": 3})
        counts.insert({"id": 3})
    assert [[change.key for change in changes] for changes in seen] == [[(3, 3)]]


def test_a_block_that_raises_takes_back_what_it_did_and_nothing_else(todos: Todos) -> None:
    tx = Transaction(mutation_fn=nothing)
    with tx:
        todos.update(1, done=True)
    before, seen = tx.mutations, recorded(todos)

    def raising() -> None:
        with tx:
            todos.update(1, text="x")
            todos.insert({"id": 3})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        raising()
    assert (tx.mutations, tx.state, seen) == (before, "pending", [])
    assert todos[1] == {**ONE, "done": True}


def test_an_inner_block_that_raises_leaves_the_outer_one(todos: Todos) -> None:
    outer, inner = Transaction(mutation_fn=nothing), Transaction(mutation_fn=nothing)

    def raising() -> None:
        with inner:
            todos.delete(2)
            raise ZeroDivisionError

    with outer:
        todos.update(1, done=True)
        with pytest.raises(ZeroDivisionError):
            raising()
        todos.update(2, done=True)
    assert [row["done"] for row in todos.rows()] == [True, True]
    assert [m.op for m in outer.mutations] == ["update", "update"]
    assert inner.mutations == []


def test_committing_inside_the_block_waits_for_its_end(todos: Todos) -> None:
    visible: list[Row] = []
    tx = Transaction(mutation_fn=lambda tx: visible.append(todos[1]))
    with tx:
        tx.commit()
        todos.update(1, done=True)
        assert (tx.state, visible) == ("pending", [])
    assert (tx.state, visible) == ("completed", [{**ONE, "done": True}])


# -- batches -----------------------------------------------------------------------------------------------------------


def test_in_a_batch_functions_are_called_when_it_has_been_published(todos: Todos) -> None:
    visible: list[Row] = []
    tx = Transaction(mutation_fn=lambda tx: visible.append(todos[1]))
    with batch():
        with tx:
            todos.update(1, done=True)
        tx.commit()
        assert (tx.state, visible) == ("pending", [])
    assert (tx.state, visible) == ("completed", [{**ONE, "done": True}])


def test_a_discarded_batch_takes_everything_back(todos: Todos) -> None:
    called: list[Transaction] = []
    tx = Transaction(mutation_fn=called.append)
    local = Collection("local", key="id")
    made: list[Transaction] = []

    def raising() -> None:
        with batch():
            with tx:
                todos.update(1, done=True)
            tx.commit()
            made.append(local.insert({"id": 1}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        raising()
    assert (tx.state, tx.mutations, called) == ("pending", [], [])
    assert [each.state for each in made] == ["failed"]
    assert (todos[1], len(local)) == (ONE, 0)


def test_a_rollback_inside_a_batch_is_not_undone_with_it(todos: Todos) -> None:
    early = Transaction(mutation_fn=nothing)
    with early:
        todos.update(1, done=True)
    late = Transaction(mutation_fn=nothing)

    def raising() -> None:
        with batch():
            with late:
                todos.update(2, done=True)
            early.rollback()
            late.rollback()
            assert todos[1] == ONE  # an epoch of its own
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        raising()
    assert (early.state, late.state) == ("failed", "failed")
    assert [row["done"] for row in todos.rows()] == [False, False]
    assert todos.overlay is None


def test_what_was_rolled_back_before_its_batch_ends_is_never_shown(todos: Todos) -> None:
    seen = recorded(todos)
    tx = Transaction(mutation_fn=nothing)
    with batch():
        with tx:
            todos.update(1, done=True)
        tx.rollback()
    assert (seen, todos[1]) == ([], ONE)


def test_sync_and_mutations_of_a_batch_are_one_epoch_sync_beneath(todos: Todos) -> None:
    seen = recorded(todos)
    with batch():
        with Transaction(mutation_fn=nothing):
            todos.update(1, done=True)
        with todos.sync() as write:
            write.update({"id": 1, "text": "synced", "done": False})
    assert seen == [[Change("update", 1, {"id": 1, "text": "synced", "done": True}, ONE)]]


# -- cascades ----------------------------------------------------------------------------------------------------------


def updating(todos: Todos, *keys: int, **fields: Any) -> Transaction:
    tx = Transaction(mutation_fn=nothing)
    with tx:
        for key in keys:
            todos.update(key, **fields)
    return tx


def test_a_rollback_fails_the_pending_transactions_on_its_rows_and_theirs(todos: Todos) -> None:
    first = updating(todos, 1, text="a")
    second = updating(todos, 1, 2, text="b")
    third = updating(todos, 2, text="c")
    with Transaction(mutation_fn=nothing) as apart:
        todos.insert({"id": 3})
    seen = recorded(todos)
    first.rollback()
    assert [tx.state for tx in (first, second, third, apart)] == ["failed"] * 3 + ["pending"]
    assert len(seen) == 1
    assert todos.rows() == [ONE, {"id": 2, "text": "read", "done": False}, {"id": 3}]
    assert str(third.error) == (
        f"transaction {third.number} was rolled back with transaction {first.number}: "
        f"TransactionError: transaction {first.number} was rolled back"
    )


def test_a_rollback_leaves_transactions_that_are_persisting(todos: Todos) -> None:
    async def scenario() -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def slow(tx: Transaction) -> None:
            await answer

        persisting = Transaction(mutation_fn=slow)
        with persisting:
            todos.update(1, text="kept")
        persisting.commit()
        updating(todos, 1, done=True).rollback()
        assert persisting.state == "persisting"
        assert todos[1] == {**ONE, "text": "kept"}
        answer.set_result(None)
        await persisting

    asyncio.run(scenario())


# -- awaiting ----------------------------------------------------------------------------------------------------------


def test_awaiting_waits_for_the_mutation_function(todos: Todos) -> None:
    async def scenario() -> None:
        async def save(tx: Transaction) -> None:
            await asyncio.sleep(0)
            with todos.sync() as write:
                write.update({**ONE, "done": True})

        tx = Transaction(mutation_fn=save)
        with tx:
            todos.update(1, done=True)
        waiting = asyncio.gather(tx, tx.commit())
        states = [tx.state]
        await waiting
        assert [*states, tx.state] == ["persisting", "completed"]
        assert todos[1]["done"] is True

    asyncio.run(scenario())


def test_awaiting_a_failed_transaction_raises_from_the_cause(todos: Todos) -> None:
    async def fail(tx: Transaction) -> None:
        raise ValueError("the server said no")

    async def scenario(tx: Transaction) -> None:
        with tx:
            todos.update(1, done=True)
        for _ in range(2):
            with pytest.raises(TransactionError) as caught:
                await (tx.commit() if tx.state == "pending" else tx)
            assert str(caught.value) == f"{tx} failed: ValueError: the server said no"
            assert caught.value.__cause__ is tx.error
        assert todos[1] == ONE

    asyncio.run(scenario(Transaction(mutation_fn=fail)))
    asyncio.run(scenario(Transaction(mutation_fn=refuse)))


def test_awaiting_what_was_rolled_back_raises(todos: Todos) -> None:
    async def scenario() -> None:
        tx = updating(todos, 1, done=True)
        waiting = asyncio.ensure_future(asyncio.wait_for(tx, 5))
        await asyncio.sleep(0)
        tx.rollback()
        with pytest.raises(TransactionError, match="was rolled back"):
            await waiting

    asyncio.run(scenario())


def test_a_function_that_waits_for_another_transaction_fails_with_it(todos: Todos) -> None:
    async def scenario() -> None:
        async def wait_for_first(tx: Transaction) -> None:
            await first

        first, second = Transaction(mutation_fn=refuse), Transaction(mutation_fn=wait_for_first)
        with first:
            todos.update(1, done=True)
        with second:
            todos.update(2, done=True)
        first.commit()
        with pytest.raises(TransactionError) as caught:
            await second.commit()
        assert str(caught.value) == (
            f"{second} failed: TransactionError: {first} failed: ValueError: the server said no"
        )
        cause = caught.value.__cause__
        assert cause is second.error
        assert cause is not None
        assert cause.__cause__ is first.error

    asyncio.run(scenario())


def test_giving_up_waiting_does_not_touch_the_transaction(todos: Todos) -> None:
    async def scenario() -> None:
        tx = updating(todos, 1, done=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tx, 0)
        assert (tx.state, todos[1]["done"]) == ("pending", True)
        assert tx._waiters == {}
        await tx.commit()

    asyncio.run(scenario())


def test_a_cancelled_mutation_function_rolls_back(todos: Todos) -> None:
    async def scenario() -> Transaction:
        async def hang(tx: Transaction) -> None:
            await asyncio.get_running_loop().create_future()

        tx = Transaction(mutation_fn=hang)
        with tx:
            todos.update(1, done=True)
        tx.commit()
        await asyncio.sleep(0)
        return tx

    tx = asyncio.run(scenario())  # which cancels what is still running
    assert (tx.state, type(tx.error)) == ("failed", asyncio.CancelledError)
    assert todos[1] == ONE


def test_what_a_task_mutates_while_a_block_of_another_is_open_is_its_own(todos: Todos) -> None:
    async def scenario() -> None:
        async def other() -> None:
            with todos.sync() as write:
                write.insert({"id": 9})
            todos.insert({"id": 10})

        tx = Transaction(mutation_fn=nothing)
        with tx:
            todos.update(1, done=True)
            await asyncio.create_task(other())
            assert (9 in todos, 10 in todos, todos[1]["done"]) == (True, True, False)
        assert [m.key for m in tx.mutations] == [1]

    asyncio.run(scenario())


# -- loops -------------------------------------------------------------------------------------------------------------


async def persist(tx: Transaction) -> None:
    """Persist nothing, later."""


class Persist:
    """A callable whose call is async."""

    async def __call__(self, tx: Transaction) -> None:
        """Persist nothing, later."""


@pytest.mark.parametrize("function", [persist, partial(persist), Persist()])
def test_an_async_function_without_a_loop_raises_before_anything_is_shown(
    todos: Todos, function: Any
) -> None:
    tx = Transaction(mutation_fn=function)
    with pytest.raises(CollectionError, match="is async, and no event loop is running"), tx:
        todos.update(1, done=True)
    assert todos[1] == ONE


def test_an_awaitable_without_a_loop_rolls_back_and_raises(todos: Todos) -> None:
    tx = Transaction(mutation_fn=lambda tx: persist(tx))
    with tx:
        todos.update(1, done=True)
    with pytest.raises(CollectionError, match="no event loop is running"):
        tx.commit()
    assert (tx.state, todos[1]) == ("failed", ONE)
    assert tx.error is not None


def test_a_running_transaction_is_kept_alive(todos: Todos) -> None:
    async def scenario() -> None:
        done = asyncio.Event()

        async def save(tx: Transaction) -> None:
            await asyncio.sleep(0)
            gc.collect()
            await asyncio.sleep(0)
            done.set()

        tx = Transaction(mutation_fn=save)
        with tx:
            todos.update(1, done=True)
        tx.commit()
        del tx
        await asyncio.wait_for(done.wait(), 5)

    asyncio.run(scenario())


def test_settled_transactions_leave_nothing_behind(todos: Todos) -> None:
    made: list[weakref.ref[Transaction]] = []
    for number in range(100):
        tx = Transaction(mutation_fn=nothing if number % 2 else refuse)
        with tx:
            todos.update(1, n=number)
            todos.insert({"id": 3})
        tx.commit()
        assert (tx.error is None) is bool(number % 2)
        made.append(weakref.ref(tx))
        del tx
    gc.collect()
    assert [ref for ref in made if ref() is not None] == []
    assert todos.overlay is not None  # it knows which rows were changed here last
    assert todos.overlay.authors(1) == ()


# -- what is told ------------------------------------------------------------------------------------------------------


def test_a_failure_that_nobody_looks_at_is_logged(
    todos: Todos, caplog: pytest.LogCaptureFixture
) -> None:
    tx = Transaction(mutation_fn=refuse)
    with tx:
        todos.update(1, done=True)
    name = str(tx.commit())
    del tx
    gc.collect()
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.ERROR, f"{name} failed, and nobody awaited it")
    ]
    assert "the server said no" in caplog.text


def test_a_failure_that_somebody_looked_at_is_not_logged(
    todos: Todos, caplog: pytest.LogCaptureFixture
) -> None:
    tx = Transaction(mutation_fn=refuse)
    with tx:
        todos.update(1, done=True)
    assert tx.commit().error is not None
    rolled_back = updating(todos, 1, done=True)
    rolled_back.rollback()
    del tx, rolled_back
    gc.collect()
    assert caplog.records == []


def test_subscribers_that_raise_do_not_keep_a_transaction_from_settling(
    todos: Todos, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        def angry(changes: list[Any]) -> None:
            raise LookupError("angry")

        tx = Transaction(mutation_fn=persist)
        with tx:
            todos.update(1, done=True)
        todos.subscribe(angry)
        await tx.commit()
        assert (tx.state, todos[1]) == ("completed", ONE)

    asyncio.run(scenario())
    assert "subscribers raised when transaction" in caplog.text


def test_a_subscriber_that_raises_does_not_keep_a_mutation_from_being_persisted() -> None:
    sent: list[Any] = []
    items = Collection("items", key="id", on_insert=lambda tx: sent.append(tx.mutations[0].key))

    def angry(changes: list[Any]) -> None:
        raise LookupError("angry")

    items.subscribe(angry)
    with pytest.raises(ExceptionGroup):
        items.insert({"id": 1})
    assert sent == [1]


def test_mutations_made_by_a_subscriber_are_the_next_epoch(todos: Todos) -> None:
    totals = live(query(todos.alias("t")).select(n=sum_(todos.alias("t").n)))
    log = Collection("log", key="id")
    seen: list[tuple[int, Any]] = []

    def note(changes: list[Change[Row]]) -> None:
        log.insert({"id": len(seen)})
        seen.append((len(log), [row["n"] for row in totals.rows()]))

    todos.subscribe(note)
    with Transaction(mutation_fn=nothing):
        todos.update(1, n=4)
    assert seen == [(0, [4])]
    assert len(log) == 1


def test_what_is_completed_during_a_delivery_is_not_taken_for_synced(todos: Todos) -> None:
    first, second = Transaction(mutation_fn=nothing), Transaction(mutation_fn=nothing)
    with first:
        todos.update(1, text="first")

    def settle(changes: list[Any]) -> None:
        with second:
            todos.update(1, done=True)
        first.commit()  # its overlay goes an epoch later than the block is shown

    bell = Collection("bell", key="id")
    bell.subscribe(settle)
    bell.insert({"id": 1})
    assert (first.state, todos[1]) == ("completed", {**ONE, "done": True})
    second.rollback()
    assert todos[1] == ONE


def test_a_row_that_a_subscriber_vetoes_is_never_persisted(todos: Todos) -> None:
    made: list[Transaction] = []
    handled = Collection("handled", key="id", on_insert=lambda tx: made.append(tx))
    rival = Transaction(mutation_fn=nothing)

    def veto(changes: list[Change[Row]]) -> None:
        if changes[0].op == "insert":
            with rival:
                handled.update(1, x=1)
            rival.rollback()

    handled.subscribe(veto)
    tx = handled.insert({"id": 1})
    assert (rival.state, tx.state, made) == ("failed", "failed", [])
    assert tx.error is not None
    assert dict(handled) == {}


def test_mutating_inside_a_function_of_a_query_is_refused(todos: Todos) -> None:
    def meddle(row: Row) -> bool:
        todos.update(1, done=True)
        return True

    meddled = live(query(todos).filter(meddle))
    assert isinstance(meddled.error, CollectionError)
    assert "cannot write to a collection inside a function" in str(meddled.error)


def test_a_commit_inside_a_block_that_raises_is_taken_back_with_it() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    called: list[int] = []
    tx = Transaction(mutation_fn=lambda tx: called.append(len(tx.mutations)))
    with tx:
        rows.insert({"id": 1})
    with batch(), suppress(ValueError), tx:
        rows.insert({"id": 2})
        tx.commit()
        raise ValueError
    assert (tx.state, called, rows.rows()) == ("pending", [], [{"id": 1}])
    tx.commit()
    assert (tx.state, called) == ("completed", [1])


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_was_completed_while_local_gives_way_to_synced_rows_later(*, is_deleted: bool) -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    rows.insert({"id": 1, "a": 0, "b": 0})
    beneath, above = (Transaction(mutation_fn=lambda tx: None) for _ in range(2))
    with beneath:
        rows.update(1, a=1)
    with above:
        rows.delete(1) if is_deleted else rows.update(1, b=1)
    above.commit()
    with rows.sync():
        pass  # the collection is local no longer
    beneath.rollback()
    assert rows.rows() == ([] if is_deleted else [{"id": 1, "a": 0, "b": 1}])
    with rows.sync() as write:
        write.update({"id": 1, "a": 9, "b": 9})
    assert rows.rows() == [{"id": 1, "a": 9, "b": 9}]


def test_what_is_completed_is_synced_once_what_lies_beneath_has_come_to_nothing() -> None:
    """Then a change by an older transaction lies over it, as over any synced row."""
    rows: Collection[Any] = Collection("rows", key="id")
    first, last = (Transaction(mutation_fn=nothing) for _ in range(2))
    with last:
        rows.insert({"id": 1, "x": 1})
    rows.update(1, x=0)  # completed by the collection, and held: the row beneath is not
    with last:
        rows.delete(1)  # an insert that never was, so there is no row to be changed
    assert (last.mutations, rows.rows()) == ([], [])
    with first:
        rows.insert({"id": 1, "x": 2})
    assert rows.rows() == [{"id": 1, "x": 2}]
    first.rollback()
    assert rows.rows() == []


def test_what_is_held_lies_over_what_an_older_transaction_does_later() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    rows.insert({"id": 1, "x": 0, "y": 0})
    first, last = (Transaction(mutation_fn=nothing) for _ in range(2))
    with last:
        rows.update(1, y=1)
    rows.update(1, x=1)
    with first:
        rows.update(1, x=2)
    assert rows.rows() == [{"id": 1, "x": 1, "y": 1}]


def test_what_stays_is_decided_when_it_is_completed_not_when_it_is_looked_at() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    rows.insert({"id": 1, "x": 0})
    tx = Transaction(mutation_fn=nothing)
    with tx:
        rows.update(1, x=1)

    def settle(changes: list[Any]) -> None:
        tx.commit()  # its epoch comes after this one
        with rows.sync():
            pass  # the collection is local no longer

    bell = Collection("bell", key="id")
    bell.subscribe(settle)
    bell.insert({"id": 1})
    assert (tx.state, rows.rows()) == ("completed", [{"id": 1, "x": 1}])


@pytest.mark.parametrize("is_new", [False, True])
def test_what_has_become_synced_is_not_shown_again_above_what_came_later(*, is_new: bool) -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    rows.insert({"id": 1, "x": 0})
    tx = Transaction(mutation_fn=nothing)
    if not is_new:
        with tx:
            rows.update(1, x=1)

    def settle(changes: list[Any]) -> None:
        if is_new:
            with tx:
                rows.update(1, x=1)
        rows.update(1, x=2)
        tx.commit()  # is looked at last, but has become synced beneath the newer change by then

    bell = Collection("bell", key="id")
    bell.subscribe(settle)
    bell.insert({"id": 1})
    assert (tx.state, rows.rows()) == ("completed", [{"id": 1, "x": 2}])


def test_a_change_in_place_of_an_insert_lies_over_the_synced_row_not_over_the_insert() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    with Transaction(mutation_fn=nothing) as tx:
        rows.insert({"id": 1, "x": 1, "y": 0})
    with rows.sync() as write:
        write.insert({"id": 1, "x": 0, "y": 1})
    with tx:
        rows.delete(1)  # takes the insert back, and what was synced is there
        rows.update(1, x=2)
    assert rows.rows() == [{"id": 1, "x": 2, "y": 1}]
    assert [(each.op, each.changes) for each in tx.mutations] == [("update", {"x": 2})]
    tx.rollback()
    assert rows.rows() == [{"id": 1, "x": 0, "y": 1}]


def test_each_collection_of_a_transaction_decides_what_stays() -> None:
    local: Collection[Any] = Collection("local", key="id")
    synced: Collection[Any] = Collection("synced", key="id")
    with synced.sync() as write:
        write.insert({"id": 1, "x": 0})
    local.insert({"id": 1, "x": 0})
    beneath, tx = Transaction(mutation_fn=nothing), Transaction(mutation_fn=nothing)
    with beneath:
        local.update(1, x=1)
        synced.update(1, x=1)
    with tx:
        local.update(1, x=2)
        synced.update(1, x=2)
    tx.commit()
    assert (local.rows(), synced.rows()) == ([{"id": 1, "x": 2}], [{"id": 1, "x": 1}])
    with local.sync():
        pass  # it is local no longer, which changes nothing about the past
    beneath.rollback()
    assert (local.rows(), synced.rows()) == ([{"id": 1, "x": 2}], [{"id": 1, "x": 0}])


def test_an_event_loop_that_was_closed_on_those_who_wait_hinders_nobody() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    late: Collection[Any] = Collection("late", key="id", ready=False)
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        rows.insert({"id": 1})

    async def wait() -> None:
        await tx

    async def follow() -> None:
        await anext(rows.changes())

    async def start() -> list[asyncio.Task[None]]:
        tasks = [asyncio.ensure_future(each) for each in (wait(), follow(), late.wait_ready())]
        await asyncio.sleep(0)
        return tasks

    loop = asyncio.new_event_loop()
    tasks = loop.run_until_complete(start())
    loop.close()
    rows.insert({"id": 2})
    tx.rollback()
    late.mark_ready()
    assert (tx.state, rows.rows(), late.status) == ("failed", [{"id": 2}], "ready")
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # that they are lost is the point
