import asyncio
import gc
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow import (
    Collection,
    CollectionError,
    NonRetriableError,
    StorageError,
    Transaction,
    TransactionError,
    batch,
)
from dataflow.io.outbox import Outbox
from dataflow.io.outbox_action import Delivery, OutboxAction
from dataflow.io.persistence import persist
from dataflow.io.retry import Retry
from dataflow.io.statistics import OutboxStatistics
from dataflow.testing import ManualClock
from tests.dataflow.io.waiting import settle


class App:
    """A process: todos, an outbox, and a server that does what it is told to."""

    def __init__(self, folder: Path, *, attempts: int | None = None, connect: Any = None) -> None:
        self.clock = ManualClock()
        self.todos = Collection("todos", key="id")
        self.outbox = Outbox(
            folder / "outbox.db",
            retry=Retry(first=1.0, jitter=0.0, attempts=attempts),
            clock=self.clock,
            connect=connect or sqlite3.connect,
        )
        self.failures: dict[str, Exception] = {}  # text -> what the server answers
        self.gates: dict[str, asyncio.Event] = {}  # text -> what the server waits for
        self.sent: list[tuple[str, str, int]] = []
        self.keys: list[str] = []
        with self.todos.sync() as write:  # the truth is elsewhere
            write.insert({"id": "a", "text": ""})
            write.insert({"id": "b", "text": ""})
        self.rename = self.outbox.action("rename", on_mutate=self.show, key=lambda key, text: key)(
            self.send
        )

    def show(self, key: str, text: str) -> None:
        self.todos.update(key, text=text)

    async def send(self, delivery: Delivery, key: str, text: str) -> None:
        self.keys.append(delivery.idempotency_key)
        self.sent.append((key, text, delivery.attempt))
        gate = self.gates.get(text)
        if gate is not None:
            await gate.wait()
        if text in self.failures:
            raise self.failures[text]
        with self.todos.sync() as write:
            write.update({"id": key, "text": text})

    @property
    def shown(self) -> list[str]:
        return [row["text"] for row in self.todos.rows()]

    @property
    def left(self) -> list[tuple[str, int]]:
        return [(call.args[1], call.attempts) for call in self.outbox.waiting]


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_a_call_is_shown_written_down_sent_and_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        async with app.outbox:
            transaction = app.rename("a", text="milk")
            assert (app.shown, transaction.state) == (["milk", ""], "persisting")
            (call,) = app.outbox.waiting
            assert (call.name, call.args, call.kwargs) == ("rename", ("a",), {"text": "milk"})
            await transaction
            assert (app.shown, app.sent, app.outbox.waiting) == (
                ["milk", ""],
                [("a", "milk", 1)],
                [],
            )

    run(scenario)


def test_what_fails_is_tried_again_later_and_later_with_the_same_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        app.failures["milk"] = OSError("offline")
        async with app.outbox:
            transaction = app.rename("a", "milk")
            for wait in (0.0, 1.0, 2.0):
                app.clock.advance(wait)
                await settle()
            assert [attempt for _, _, attempt in app.sent] == [1, 2, 3]
            assert len(set(app.keys)) == 1
            assert [(call.attempts, call.error) for call in app.outbox.waiting] == [
                (3, "OSError: offline")
            ]
            app.clock.advance(3.5)
            await settle()
            assert (len(app.sent), app.shown, transaction.state) == (3, ["milk", ""], "persisting")
            app.failures.clear()
            app.clock.advance(0.5)
            await transaction
            assert (app.outbox.waiting, app.clock.pending) == ([], 0)

    run(scenario)


def test_calls_with_one_key_are_sent_in_order_and_others_do_not_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        app.failures["1"] = OSError("offline")
        async with app.outbox:
            for key, text in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "4"), ("b", "5")]:
                app.rename(key, text)
            await settle()
            assert (app.sent, app.shown) == (
                [("a", "1", 1), ("b", "3", 1), ("b", "5", 1)],
                ["4", "5"],
            )
            app.failures.clear()
            app.outbox.retry_now()
            await settle()
            assert app.sent[3:] == [("a", "1", 2), ("a", "2", 1), ("a", "4", 1)]
            assert app.outbox.statistics() == OutboxStatistics(0, attempts=6, confirmed=5, failed=0)
            assert (app.shown, app.outbox.waiting) == (["4", "5"], [])

    run(scenario)


def test_without_a_key_there_is_one_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        rename = app.outbox.action("rename any", on_mutate=app.show)(app.send)
        app.gates["1"] = asyncio.Event()
        async with app.outbox:
            rename("a", "1")
            rename("b", "2")
            await settle()
            assert app.sent == [("a", "1", 1)]
            app.gates["1"].set()
            await settle()
            assert app.sent == [("a", "1", 1), ("b", "2", 1)]

    run(scenario)


@pytest.mark.parametrize("attempts", [None, 1])
def test_what_fails_for_good_is_taken_back_and_the_next_ones_are_sent(
    tmp_path: Path, attempts: int | None
) -> None:
    async def scenario() -> None:
        app = App(tmp_path, attempts=attempts)
        failure = NonRetriableError("no such todo") if attempts is None else OSError("offline")
        app.failures["1"] = failure
        app.gates["1"] = asyncio.Event()
        async with app.outbox:
            first, second = app.rename("a", "1"), app.rename("b", "2")
            third = app.rename("a", "3")
            await settle()
            app.gates["1"].set()
            with pytest.raises(TransactionError) as caught:
                await first
            assert caught.value.__cause__ is failure
            await second
            await third
            assert (app.shown, app.outbox.waiting) == (["3", "2"], [])

    run(scenario)


def test_what_is_left_over_is_shown_and_sent_by_the_next_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        app.failures["1"] = OSError("offline")
        async with app.outbox:
            first = app.rename("a", "1")
            app.rename("a", "2")
            app.rename("b", "3")
            await settle()
        with pytest.raises(TransactionError, match="kept in the outbox"):
            await first
        assert (app.shown, app.left) == (["", "3"], [("1", 1), ("2", 0)])

        later = App(tmp_path)
        assert (later.left, later.shown) == ([("1", 1), ("2", 0)], ["", ""])
        later.gates["1"] = asyncio.Event()
        async with later.outbox:
            assert later.shown == ["2", ""]
            await settle()
            assert later.sent == [("a", "1", 2)]
            later.gates["1"].set()
            await settle()
            assert (later.sent, later.shown) == ([("a", "1", 2), ("a", "2", 1)], ["2", ""])
        assert set(later.keys) & set(app.keys) == {app.keys[0]}
        assert App(tmp_path).left == []

    run(scenario)


def test_a_call_whose_effect_is_there_already_is_sent_unseen(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        app.failures["c"] = OSError("offline")
        sent: list[str] = []

        def show(key: str) -> None:
            app.todos.insert({"id": key, "text": "new"})

        async def send(delivery: Delivery, key: str) -> None:
            sent.append(key)
            if key in app.failures:
                raise app.failures[key]

        add = app.outbox.action("add", on_mutate=show)(send)
        async with app.outbox:
            add("c")
            await settle()
        later = App(tmp_path)
        with later.todos.sync() as write:
            write.insert({"id": "c", "text": "server's"})
        later.outbox.action("add", on_mutate=lambda key: later.todos.insert({"id": key}))(send)
        app.failures.clear()
        async with later.outbox:
            assert later.todos["c"]["text"] == "server's"
            await settle()
        assert (sent, later.outbox.waiting) == (["c", "c"], [])

    run(scenario)


def test_a_call_that_is_rolled_back_before_its_turn_is_not_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        app.gates["1"] = asyncio.Event()
        async with app.outbox:
            app.rename("a", "1")
            second = app.rename("a", "2")
            await settle()
            second.rollback()
            assert app.shown == ["1", ""]
            app.gates["1"].set()
            await settle()
            assert (app.sent, app.outbox.waiting) == ([("a", "1", 1)], [])

    run(scenario)


async def never(*args: Any) -> None:
    raise AssertionError


async def yields(*args: Any) -> Any:
    yield


def test_a_call_that_is_refused_shows_and_keeps_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        async with app.outbox:
            with pytest.raises(CollectionError, match="no row with key 'z'"):
                app.rename("z", "1")
            with pytest.raises(TypeError, match="cannot be written"):
                app.rename("a", object())  # type: ignore[arg-type]  # that is the point
            with batch(), pytest.raises(CollectionError, match="inside a batch"):
                app.rename("a", "1")
            with pytest.raises(CollectionError, match="has an action 'rename' already"):
                app.outbox.action("rename", on_mutate=app.show)
            with pytest.raises(CollectionError, match="on_mutate of outbox action 'a' is async"):
                app.outbox.action("a", on_mutate=never)
            with pytest.raises(CollectionError, match="key of outbox action 'a' is a function"):
                app.outbox.action("a", on_mutate=print, key="id")  # type: ignore[arg-type]  # as here
            with pytest.raises(CollectionError, match="sends outbox action 'a' is a generator"):
                app.outbox.action("a", on_mutate=app.show)(yields)  # type: ignore[arg-type]  # as above
            assert (app.shown, app.outbox.waiting) == (["", ""], [])
        with pytest.raises(CollectionError, match="the outbox is closed"):
            app.rename("a", "1")

    run(scenario)


def test_without_an_event_loop_nothing_is_shown(tmp_path: Path) -> None:
    app = App(tmp_path)
    with pytest.raises(CollectionError, match="no event loop is running"):
        app.rename("a", "1")
    assert (app.shown, app.outbox.waiting) == (["", ""], [])


def test_calls_made_before_the_start_are_sent_then(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        app.rename("a", "1")
        await settle()
        assert (app.shown, app.sent) == (["1", ""], [])
        async with app.outbox:
            await settle()
            assert app.sent == [("a", "1", 1)]

    run(scenario)


def test_a_subscriber_that_raises_does_not_keep_a_call_from_being_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        subscription = app.todos.subscribe(lambda changes: 1 // 0)
        async with app.outbox:
            with pytest.raises(ExceptionGroup, match="subscribers raised"):
                app.rename("a", "1")
            subscription.close()
            await settle()
            assert (app.sent, app.shown) == ([("a", "1", 1)], ["1", ""])

    run(scenario)


def test_a_call_that_shows_nothing_is_settled_when_it_has_been_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)
        seen: list[str] = []
        gate = asyncio.Event()

        async def send(delivery: Delivery, word: str) -> None:
            await gate.wait()
            seen.append(word)
            if not word:
                raise NonRetriableError("no word")

        ping = app.outbox.action("ping", on_mutate=lambda word: None)(send)
        async with app.outbox:
            good, bad = ping("x"), ping("")
            await settle()
            assert (good.state, bad.state, seen) == ("persisting", "persisting", [])
            gate.set()
            await good
            with pytest.raises(TransactionError, match="no word"):
                await bad
        assert (seen, app.outbox.waiting) == (["x", ""], [])

    run(scenario)


def test_the_failure_of_an_unseen_call_that_nobody_awaits_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        app = App(tmp_path)

        def send(delivery: Delivery) -> None:
            raise NonRetriableError("no")

        ping = app.outbox.action("ping", on_mutate=lambda: None)(send)
        async with app.outbox:
            ping()
            await settle()

    with caplog.at_level(logging.ERROR, logger="dataflow"):
        run(scenario)
        gc.collect()
    assert ["nobody awaited it" in record.message for record in caplog.records] == [True]


def test_a_plain_function_can_send(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = App(tmp_path)

        def send(delivery: Delivery, key: str, text: str) -> None:
            app.sent.append((key, text, delivery.attempt))

        rename: OutboxAction[[str, str]] = app.outbox.action("plain", on_mutate=app.show)(send)
        async with app.outbox:
            await rename("a", "1")
        assert app.sent == [("a", "1", 1)]

    run(scenario)


# -- files ---------------------------------------------------------------------------------------------------------------


def leave_over(folder: Path, name: str = "rename") -> None:
    async def scenario() -> None:
        app = App(folder)
        app.outbox.action("old", on_mutate=app.show)(app.send)
        action: Any = {"rename": app.rename, "old": app.outbox._actions["old"]}[name]
        action("a", "1")  # never started, so never sent
        await app.outbox.close()

    run(scenario)


def test_what_is_left_over_comes_before_anything_new(tmp_path: Path) -> None:
    leave_over(tmp_path)

    async def scenario() -> None:
        app = App(tmp_path)
        with pytest.raises(CollectionError, match=r"called before start\(\): 1 earlier calls"):
            app.rename("a", "2")
        assert app.shown == ["", ""]
        async with app.outbox:
            app.rename("a", "2")
            await settle()
        assert [text for _, text, _ in app.sent] == ["1", "2"]

    run(scenario)


def test_a_call_for_an_action_that_is_gone_is_refused_or_discarded(tmp_path: Path) -> None:
    leave_over(tmp_path, "old")

    async def scenario() -> None:
        app = App(tmp_path)
        with pytest.raises(CollectionError, match="left over for the action 'old'"):
            app.outbox.start()
        (call,) = app.outbox.waiting
        app.outbox.discard(call)
        with pytest.raises(CollectionError, match="is not left over"):
            app.outbox.discard(call)
        async with app.outbox:
            await settle()
        assert (app.sent, App(tmp_path).left) == ([], [])

    run(scenario)


def test_a_file_that_is_in_use_foreign_or_damaged_is_refused(tmp_path: Path) -> None:
    leave_over(tmp_path)
    app = App(tmp_path)
    with pytest.raises(StorageError, match="is in use"):
        Outbox(tmp_path / "outbox.db")
    asyncio.run(app.outbox.close())
    persist(Collection("x", key="id"), tmp_path / "rows.db").close()
    with pytest.raises(StorageError, match="is a database of something else"):
        Outbox(tmp_path / "rows.db")
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as connection, connection:
        connection.execute("UPDATE calls SET arguments = 'x'")
    with pytest.raises(StorageError, match="call 1 is damaged"):
        Outbox(tmp_path / "outbox.db")


def test_a_confirmation_that_cannot_be_written_is_sent_again(tmp_path: Path) -> None:
    class Failing(sqlite3.Connection):
        fails = False

        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            if Failing.fails and sql.startswith("DELETE"):
                raise sqlite3.OperationalError("disk full")
            return super().execute(sql, parameters)

    async def scenario() -> None:
        app = App(tmp_path, connect=partial(sqlite3.connect, factory=Failing))
        async with app.outbox:
            Failing.fails = True
            transaction: Transaction = app.rename("a", "1")
            await settle()
            assert (app.shown, transaction.state, app.left) == (
                ["1", ""],
                "persisting",
                [("1", 0)],
            )
            Failing.fails = False
            app.clock.advance(1.0)
            await transaction
            assert (len(app.sent), len(set(app.keys)), app.outbox.waiting) == (2, 1, [])

    run(scenario)


# -- any history ---------------------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["call", "call", "go offline", "go online", "lose answers", "wait", "restart"]
        ),
        st.sampled_from("ab"),
    ),
    max_size=15,
)


class Server:
    """Does what it is told once per idempotency key, if it can be reached; its answers may get lost."""

    def __init__(self) -> None:
        self.state = "go online"
        self.effects: dict[str, tuple[str, str]] = {}

    async def send(self, delivery: Delivery, key: str, text: str) -> None:
        if self.state != "go offline":
            self.effects.setdefault(delivery.idempotency_key, (key, text))
        if self.state != "go online":
            raise OSError(self.state)


@settings(max_examples=settings().max_examples // 3)
@given(steps)
def test_every_call_has_one_effect_in_the_order_of_its_key(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("outbox")
    server = Server()

    def started() -> App:
        app = App(folder)
        app.rename = app.outbox.action("any", on_mutate=app.show, key=lambda key, text: key)(
            server.send
        )
        app.outbox.start()
        return app

    async def scenario() -> None:
        app, calls = started(), []
        for number, (step, key) in enumerate(history):
            match step:
                case "call":
                    app.rename(key, str(number))
                    calls.append((key, str(number)))
                case "wait":
                    app.clock.advance(2.0)
                case "restart":
                    await app.outbox.close()
                    app = started()
                case _:
                    server.state = step
            await settle(5)
        server.state = "go online"
        while app.outbox.waiting:
            app.outbox.retry_now()
            await settle(5)
        for key in "ab":
            effects = [text for lane, text in server.effects.values() if lane == key]
            assert effects == [text for lane, text in calls if lane == key]
        await app.outbox.close()

    run(scenario)


@pytest.mark.parametrize("failure", [asyncio.CancelledError(), ValueError("\ud83d")])
def test_a_call_survives_a_cancellation_of_its_own_and_any_text(
    failure: BaseException, tmp_path: Path
) -> None:
    async def scenario() -> None:
        todos: Collection[Any] = Collection("todos", key="id")
        outbox = Outbox(tmp_path / "outbox.db", retry=Retry(first=0.0))
        failures = [failure]

        @outbox.action("add", on_mutate=lambda text: todos.insert({"id": text}))
        async def add(delivery: Delivery, text: str) -> None:
            await asyncio.sleep(0)
            if failures:
                raise failures.pop()

        async with outbox:
            await asyncio.wait_for(add("half \ud83d"), 10)
            assert outbox.statistics() == OutboxStatistics(0, 2, 1, 0)

    asyncio.run(scenario())
