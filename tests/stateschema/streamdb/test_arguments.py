"""What is refused where a StreamDB or a publisher is made or entered."""

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from dataflow import query
from stateschema.errors import StreamClosedError
from stateschema.stream.client.blocking import BlockingStreamClient
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.blocking_combined import BlockingCombinedStreamDB
from stateschema.streamdb.combined import CombinedStreamDB
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.publishing.publisher import BlockingPublisher, publish
from tests.stateschema.streamdb.chat import Chat
from tests.stateschema.streamdb.combined_schemas import App, Profiles

KINDS: list[Any] = [StreamDB, BlockingStreamDB]


def refusal(make: Callable[[], object], kind: type[Exception]) -> list[str]:
    """What the error says, its notes included."""
    with pytest.raises(kind) as caught:
        make()
    return [str(caught.value), *getattr(caught.value, "__notes__", [])]


@pytest.mark.parametrize("kind", KINDS)
def test_python_names_the_class_that_was_called(kind: Any) -> None:
    name, stream = kind.__name__, MemoryStream()
    assert refusal(lambda: kind(Chat, strem=stream), TypeError) == [
        f"{name}: got an unexpected keyword argument 'strem'",
        "did you mean stream= instead of strem=?",
    ]
    hint = f"write {name}(Schema, stream=...) or {name}(Schema, url=...)"
    assert refusal(lambda: kind(Chat, stream), TypeError) == [
        f"{name}: too many positional arguments",
        hint,
    ]
    assert refusal(lambda: kind(stream=stream), TypeError) == [
        f"{name}: missing a required argument: 'schema'",
        hint,
    ]
    assert "on_conflict" in inspect.signature(kind).parameters


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ({"conflicts": "refus"}, "conflicts= is 'refus', but one of 'ignore', 'report', 'refuse'"),
        ({"on_error": "skp"}, "on_error= is 'skp', but one of 'raise', 'skip'"),
        ({"on_error": {"messages": None}}, "on_error= is None, but one of 'raise', 'skip'"),
        ({"live": "poll"}, "live= is 'poll', but one of 'auto', 'sse', 'long-poll', False"),
    ],
)
def test_a_policy_that_there_is_not_is_refused(
    kind: Any, argument: dict[str, Any], text: str
) -> None:
    found = refusal(lambda: kind(Chat, stream=MemoryStream(), **argument), ValueError)
    assert found[0].partition(" (did you mean")[0] == text


@pytest.mark.parametrize("name", ["on_skip", "on_conflict", "on_commit"])
def test_a_callback_that_is_no_function_is_refused(name: str) -> None:
    arguments: Any = {name: 5}
    assert refusal(lambda: StreamDB(Chat, stream=MemoryStream(), **arguments), TypeError) == [
        f"{name}= takes a function, not 5"
    ]

    async def awaited(_: object) -> None: ...

    def yielded(_: object) -> Any:
        yield

    for function in (awaited, yielded):
        wrong: dict[str, Any] = {name: function}
        make = partial(StreamDB, Chat, stream=MemoryStream(), **wrong)
        assert refusal(make, TypeError) == [
            f"{name}= takes a function that runs when it is called, not {function!r}",
            "make it a plain function, that may start a task",
        ]


def test_what_is_no_stream_is_refused() -> None:
    nothing: Any = 5
    client: Any = BlockingStreamClient("http://127.0.0.1:1/v1/stream/none")
    hint = "of a URL make a StreamClient(url), of a file a LogFile(path)"
    for value in (nothing, "http://there", MemoryStream, client):
        text = f"stream= of StreamDB takes a stream, not {value!r}"
        assert refusal(lambda value=value: StreamDB(Chat, stream=value), TypeError) == [text, hint]  # type: ignore[misc] # the default binds the loop variable
    assert refusal(lambda: StreamDB(Chat, url=nothing), TypeError) == [
        "url= of StreamDB takes a text, not 5"
    ]


def test_what_cannot_be_published_is_refused() -> None:
    with BlockingStreamDB(Chat, stream=MemoryStream()) as db:
        view: Any = query(db.collections.messages)
        stream: Any = "http://there"
        assert refusal(lambda: publish(view, MemoryStream(), type="m"), TypeError) == [
            f"publish takes a live query or a collection, not {view!r}",
            "write publish(live(query(...)), stream, type=...)",
        ]
        found = refusal(lambda: publish(db.collections.messages, stream, type="m"), TypeError)
        assert found[0] == "publish takes a stream, not 'http://there'"


@pytest.mark.parametrize("txid", [None, "", 7])
def test_what_is_no_txid_is_not_waited_for(txid: Any) -> None:
    said = [
        f"wait_txid takes the txid of an event, not {txid!r}",
        "give events one: txid = new_txid(), then Chat.messages.insert(..., txid=txid)",
    ]
    blocking = [BlockingStreamDB(each, stream=MemoryStream()) for each in (Chat, Profiles)]
    with BlockingCombinedStreamDB(App, *blocking) as both:
        for waiting in (blocking[0], both):
            assert refusal(partial(waiting.wait_txid, txid), TypeError) == said

    async def wait() -> None:
        parts = [StreamDB(each, stream=MemoryStream()) for each in (Chat, Profiles)]
        async with CombinedStreamDB(App, *parts) as both:
            for waiting in (parts[0], both):
                with pytest.raises(TypeError, match="takes the txid of an event"):
                    await waiting.wait_txid(txid)

    asyncio.run(wait())


def test_the_wrong_kind_of_with_is_told_the_right_one() -> None:
    with BlockingStreamDB(Chat, stream=MemoryStream()) as db:
        messages = db.collections.messages
        awaited: list[Any] = [
            StreamDB(Chat, stream=MemoryStream()),
            publish(messages, MemoryStream(), type="m"),
        ]
        for one in awaited:
            name = type(one).__name__
            assert refusal(lambda one=one: one.__enter__(), TypeError) == [  # type: ignore[misc] # the default binds the loop variable
                f"{name} is entered with `async with`, not with `with`",
                f"where no event loop is running, use Blocking{name}",
            ]
            with pytest.raises(TypeError, match="is entered with `async with`"), one:
                pytest.fail("entered")
        blocking: list[Any] = [db, BlockingPublisher(messages, MemoryStream(), type="m")]
        for one in blocking:
            asyncio.run(_enter(one))


async def _enter(one: Any) -> None:
    name = type(one).__name__
    with pytest.raises(TypeError, match=f"^{name} is entered with `with`") as caught:
        async with one:
            pytest.fail("entered")
    assert caught.value.__notes__ == [f"under an event loop, use {name.removeprefix('Blocking')}"]


def test_a_closed_blocking_db_is_not_opened_again() -> None:
    for preload in (True, False):
        db = BlockingStreamDB(Chat, stream=MemoryStream(), preload=preload)
        with db:
            pass
        with pytest.raises(StreamClosedError, match="closed, for good"):
            db.preload()
        with pytest.raises(StreamClosedError, match="closed, for good"), db:
            pytest.fail("entered")
