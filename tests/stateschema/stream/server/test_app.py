"""The application itself: who may do what, what stands beside streams, live reads and their end."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from stateschema.stream.offset import Offset
from stateschema.stream.server import (
    Action,
    BearerTokens,
    RejectedError,
    Request,
    Settings,
    StreamServer,
)
from stateschema.stream.store import MemoryStore, Retention, SqliteStore
from tests.stateschema.stream.server.asgi import Exchange, ask, exchange
from tests.stateschema.stream.sse import read_events

A = "/v1/stream/a"
TEXT = {"content-type": "text/plain"}


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def code(answer: Exchange) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]["code"]


def test_tokens_allow_actions_and_a_fork_needs_its_source_too() -> None:
    async def main() -> None:
        tokens = BearerTokens({"w": {"create", "append"}, "r": {"read"}, "f": {"create", "fork"}})
        server = StreamServer(MemoryStore(), authorize=tokens)

        async def attempt(token: str | None, method: str, **headers: str) -> int:
            given = {"authorization": f"Bearer {token}"} if token else {}
            made = await ask(server, method, A, headers={**TEXT, **given, **headers}, body=b"x")
            return made.status

        found = [
            await attempt(None, "PUT"),
            await attempt("wrong", "PUT"),
            await attempt("r", "PUT"),
            await attempt("w", "PUT"),
            await attempt("w", "POST"),
            await attempt("w", "GET"),
            await attempt("r", "GET"),
            await attempt("r", "DELETE"),
        ]
        assert found == [401, 403, 403, 201, 204, 403, 200, 403]
        forks = [
            (await ask(server, "PUT", "/v1/stream/b", headers={
                "authorization": f"Bearer {token}", "stream-forked-from": A,
            })).status
            for token in ("w", "f")
        ]  # fmt: skip
        assert forks == [403, 201]
        answer = await ask(server, "GET", A)
        assert (code(answer), answer.headers["www-authenticate"]) == (
            (401, "unauthorized"),
            "Bearer",
        )
        await server.aclose()

    run(main)


def test_a_hook_may_wait_sees_names_and_may_reject_by_itself() -> None:
    asked: list[tuple[Action, str]] = []

    async def authorize(request: Request, action: Action, stream: str) -> bool:
        await asyncio.sleep(0)
        asked.append((action, stream))
        if "x-quota" in request.headers:
            raise RejectedError(429, "too-many", "later", {"Retry-After": "3"})
        return True

    async def main() -> None:
        server = StreamServer(MemoryStore(), authorize=authorize)
        await ask(server, "PUT", "/v1/stream/a/%C3%A9", headers=TEXT)
        caching = (await ask(server, "GET", "/v1/stream/a/%C3%A9")).headers["cache-control"]
        answer = await ask(server, "GET", A, headers={"x-quota": "1"})
        assert caching == "private, max-age=60, stale-while-revalidate=300"
        assert (code(answer), answer.headers["retry-after"]) == ((429, "too-many"), "3")
        assert asked == [("create", "a/é"), ("read", "a/é"), ("read", "a")]
        await server.aclose()

    run(main)


def test_every_answer_carries_the_security_headers() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore(), settings=Settings(cors_origin=None))
        answers = [
            await ask(server, method, target)
            for method in ("PUT", "GET", "HEAD", "POST", "OPTIONS", "PATCH", "DELETE", "GET")
            for target in (A, "/health", "/nowhere", "/v1/stream/..")
        ]
        expected = ("nosniff", "cross-origin", "default-src 'none'; sandbox", None)
        names = (
            "x-content-type-options",
            "cross-origin-resource-policy",
            "content-security-policy",
            "access-control-allow-origin",
        )
        assert {tuple(map(one.headers.get, names)) for one in answers} == {expected}
        assert {one.status for one in answers} == {200, 201, 204, 400, 404, 405}
        await server.aclose()

    run(main)


def test_a_mounted_server_finds_streams_and_fork_sources_below_its_root() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore(), settings=Settings(prefix="/s/"))
        headers = {**TEXT, "host": "h:1"}
        first = await ask(server, "PUT", "/s/a%20b", root="/api", headers=headers, body=b"hi")
        fork = {"stream-forked-from": "/api/s/a%20b", "host": "h:1"}
        second = await ask(server, "PUT", "/s/f", root="/api", headers=fork)
        assert (first.status, first.headers["location"]) == (201, "http://h:1/api/s/a%20b")
        assert (second.status, second.headers["location"]) == (201, "http://h:1/api/s/f")
        assert (await ask(server, "GET", "/s/f", root="/api")).body == b"hi"
        await server.aclose()

    run(main)


def test_metrics_count_requests_and_readers() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        await ask(server, "PUT", A, headers=TEXT, body=b"abc")
        await ask(server, "GET", A)
        await ask(server, "BREW", A)
        reading = Exchange()
        live = asyncio.create_task(exchange(server, reading, "GET", f"{A}?offset=now&live=sse"))
        await reading.until(b"upToDate")
        lines = (await ask(server, "GET", "/metrics")).body.decode().splitlines()
        assert {
            'streams_requests_total{method="PUT",status="201"} 1',
            'streams_requests_total{method="GET",status="200"} 1',
            'streams_requests_total{method="other",status="405"} 1',
            "streams_received_bytes_total 3",
            "streams_event_streams 1",
            "streams_waiting_readers 1",
            "streams_request_seconds_count 3",
        } <= set(lines)
        await server.aclose()
        await live

    run(main)


def test_the_access_log_is_one_object_per_answer(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        await ask(server, "PUT", A, headers=TEXT, body=b"abc")
        await ask(server, "GET", f"{A}?offset=%0a")
        await server.aclose()

    with caplog.at_level(logging.INFO, "stateschema.server.access"):
        run(main)
    entries = [json.loads(record.getMessage()) for record in caplog.records]
    for entry in entries:
        assert entry.pop("seconds") >= 0
        del entry["bytes_out"]
    assert entries == [
        {"client": "127.0.0.1", "method": "PUT", "path": A, "query": "", "status": 201, "bytes_in": 3},
        {
            "client": "127.0.0.1",
            "method": "GET",
            "path": A,
            "query": "offset=%0a",
            "status": 400,
            "bytes_in": 0,
        },
    ]  # fmt: skip


def test_draining_sends_waiting_readers_away_and_health_says_so() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        await ask(server, "PUT", A, headers=TEXT)
        poll, events = Exchange(), Exchange()
        tasks = [
            asyncio.create_task(exchange(server, poll, "GET", f"{A}?offset=-1&live=long-poll")),
            asyncio.create_task(exchange(server, events, "GET", f"{A}?offset=-1&live=sse")),
        ]
        await events.until(b"upToDate")
        before = (await ask(server, "GET", "/health")).status
        server.drain()
        await asyncio.gather(*tasks)
        after = await ask(server, "GET", "/health")
        assert (before, after.status, after.body) == (200, 503, b'{"status": "shutting-down"}')
        assert (poll.status, poll.headers["stream-up-to-date"]) == (204, "true")
        assert events.is_over
        await server.aclose()
        assert code(await ask(server, "POST", A, headers=TEXT, body=b"x")) == (503, "shutting-down")

    run(main)


def test_the_lifespan_closes_the_store() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        said: list[str] = []
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(messages)}

        async def send(message: Any) -> None:
            said.append(message["type"])

        await server({"type": "lifespan"}, receive, send)
        assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert (await ask(server, "PUT", A)).status == 503
        await server.aclose()

    run(main)


def test_an_event_stream_ends_when_it_is_old_and_goes_on_from_its_offset() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore(), settings=Settings(sse_duration=0.0))
        await ask(server, "PUT", A, headers=TEXT, body=b"abc")
        made = await ask(server, "GET", f"{A}?offset=-1&live=sse")
        (name, data), (_, control) = read_events(made.body)
        assert (made.is_over, name, data) == (True, "data", "abc")
        assert json.loads(control)["upToDate"] is True
        assert "streamClosed" not in json.loads(control)
        offset = json.loads(control)["streamNextOffset"]
        again = await ask(server, "GET", f"{A}?offset={offset}&live=sse")
        assert [name for name, _ in read_events(again.body)] == ["control"]
        await server.aclose()

    run(main)


def test_an_event_stream_pairs_each_append_with_one_control() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        await ask(server, "PUT", A, headers=TEXT)
        made = Exchange()
        live = asyncio.create_task(exchange(server, made, "GET", f"{A}?offset=-1&live=sse"))
        await made.until(b"upToDate")
        for text in (b"one", b"two"):
            await ask(server, "POST", A, headers=TEXT, body=text)
            await made.until(text)
        await ask(server, "POST", A, headers={**TEXT, "stream-closed": "true"}, body=b"end")
        await live
        names = [name for name, _ in read_events(made.body)]
        data = [data for name, data in read_events(made.body) if name == "data"]
        assert names == ["control", *["data", "control"] * 3]
        assert data == ["one", "two", "end"]
        await server.aclose()

    run(main)


def test_a_character_that_is_appended_in_two_parts_is_sent_once_it_is_whole() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        euro = "€".encode()
        await ask(server, "PUT", A, headers=TEXT, body=b"1" + euro[:1])
        made = Exchange()
        live = asyncio.create_task(exchange(server, made, "GET", f"{A}?offset=-1&live=sse"))
        await made.until(b"upToDate")
        await ask(server, "POST", A, headers=TEXT, body=euro[1:2])
        await ask(server, "POST", A, headers=TEXT, body=euro[2:] + b"2")
        await made.until(b"2\n")
        await ask(server, "POST", A, headers={**TEXT, "stream-closed": "true"}, body=euro[:2])
        await live
        events = read_events(made.body)
        assert [data for name, data in events if name == "data"] == ["1", "€2", "\ufffd"]
        offsets = [json.loads(data)["streamNextOffset"] for name, data in events if name != "data"]
        assert offsets == [Offset.mint(1), Offset.mint(5), Offset.mint(7)]
        await server.aclose()

    run(main)


def test_a_reader_that_leaves_is_forgotten() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        await ask(server, "PUT", A, headers=TEXT)
        for live in ("long-poll", "sse"):
            made = Exchange()
            task = asyncio.create_task(exchange(server, made, "GET", f"{A}?offset=-1&live={live}"))
            while server._waiting.count == 0:  # noqa: ASYNC110 - the next turn of the loop
                await asyncio.sleep(0)
            made.gone.set()
            await task
            assert server._waiting.count == 0
        await server.aclose()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        assert tasks == []

    run(main)


def test_live_readers_of_a_stream_that_goes_away_are_told() -> None:
    async def main() -> None:
        now = 0.0
        server = StreamServer(MemoryStore(clock=lambda: now), settings=Settings(sweep_interval=0))
        endings = []
        for ending in ("DELETE", "expiry"):
            await ask(server, "PUT", A, headers={**TEXT, "stream-ttl": "5"})
            poll, events = Exchange(), Exchange()
            tasks = [
                asyncio.create_task(exchange(server, poll, "GET", f"{A}?offset=-1&live=long-poll")),
                asyncio.create_task(exchange(server, events, "GET", f"{A}?offset=-1&live=sse")),
            ]
            await events.until(b"upToDate")
            if ending == "DELETE":
                await ask(server, "DELETE", A)
            else:
                now += 5
            await asyncio.wait_for(asyncio.gather(*tasks), 10)
            endings.append((code(poll), events.is_over))
        assert endings == [((404, "not-found"), True)] * 2
        await server.aclose()

    run(main)


@pytest.mark.parametrize("kind", [MemoryStore, SqliteStore])
def test_retention_drops_whole_appends_and_says_that_offsets_are_gone(
    kind: type[MemoryStore] | type[SqliteStore], tmp_path: Path
) -> None:
    async def main() -> None:
        now = 0.0
        place = (tmp_path / "s.db",) if kind is SqliteStore else ()
        retention = Retention(max_age=10, max_bytes=8)
        store = kind(*place, clock=lambda: now, retention=retention)
        server = StreamServer(store)
        await ask(server, "PUT", A, headers=TEXT, body=b"aaa")
        for text in (b"bbb", b"ccc", b"ddd"):
            await ask(server, "POST", A, headers=TEXT, body=text)
        await store.sweep()
        answer = await ask(server, "GET", f"{A}?offset={Offset.mint(3)}")
        assert code(answer) == (410, "offset-gone")
        assert (await ask(server, "GET", f"{A}?offset=-1")).body == b"cccddd"
        now = 11.0
        await store.sweep()
        assert (await ask(server, "GET", A)).body == b"ddd"
        await ask(server, "PUT", "/v1/stream/f", headers={"stream-forked-from": A})
        await ask(server, "POST", A, headers=TEXT, body=b"e" * 20)
        await store.sweep()
        assert (await ask(server, "GET", A)).body == b"ddd" + b"e" * 20
        await server.aclose()

    run(main)


def test_offsets_that_the_stream_does_not_hold_are_gone() -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore())
        await ask(server, "PUT", A, headers=TEXT, body=b"abc")
        for live in ("", "&live=long-poll", "&live=sse"):
            answer = await ask(server, "GET", f"{A}?offset={Offset.mint(4)}{live}")
            assert code(answer) == (410, "offset-gone")
        await server.aclose()

    run(main)


def test_a_failing_store_is_a_500_without_its_reasons(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryStore):
        def use(self, name: str) -> Any:
            raise OSError("secret path")

    async def main() -> None:
        server = StreamServer(Broken())
        answer = await ask(server, "GET", A)
        assert code(answer) == (500, "internal")
        assert b"secret" not in answer.body
        await server.aclose()

    run(main)
    assert "secret path" in caplog.text


@pytest.mark.parametrize("query", ["", "&live=sse"])
def test_a_reader_that_accepts_nothing_is_given_up(
    query: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        server = StreamServer(MemoryStore(), settings=Settings(send_timeout=0.0))
        await ask(server, "PUT", A, headers=TEXT, body=b"x" * 100_000)
        made = Exchange()
        made.is_stuck = True
        await asyncio.wait_for(exchange(server, made, "GET", f"{A}?offset=-1{query}"), 10)
        assert (made.status, made.body, made.is_over) == (200, b"", False)
        await server.aclose()

    run(main)
    assert [record.getMessage() for record in caplog.records] == [
        f"a reader of '{A}' was too slow and is cut off"
    ]
