"""One log file behind a server: read, followed, appended to; and what a log cannot hold."""

import asyncio
import json
from pathlib import Path
from typing import Any

from stateschema.stream.logfile import LogFile
from stateschema.stream.server import StreamServer
from stateschema.stream.store import LogStore
from tests.stateschema.stream.server.asgi import Exchange, ask, exchange

URL = "/v1/stream/session"
JSON = {"content-type": "application/json"}


def event(n: int) -> dict[str, Any]:
    return {"type": "t", "key": str(n), "value": {"n": n}, "headers": {"operation": "insert"}}


def body(*numbers: int) -> bytes:
    return json.dumps([event(n) for n in numbers], indent=1).encode()


def test_appends_become_lines_and_readers_of_both_kinds_see_them(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(json.dumps(event(1)) + "\n" + '{"type": "to')  # torn by a crash

    async def main() -> None:
        server = StreamServer(LogStore(path))
        created = await ask(server, "PUT", URL, headers=JSON)
        first = await ask(server, "GET", f"{URL}?offset=-1")
        waiting = Exchange()
        offset = first.headers["stream-next-offset"]
        target = f"{URL}?offset={offset}&live=long-poll"
        live = asyncio.create_task(exchange(server, waiting, "GET", target))
        appended = await ask(server, "POST", URL, headers=JSON, body=body(2, 3))
        await asyncio.wait_for(live, 10)
        assert (created.status, first.status, appended.status) == (200, 200, 204)
        assert json.loads(first.body) == [event(1)]
        assert json.loads(waiting.body) == [event(2), event(3)]
        assert json.loads((await ask(server, "GET", URL)).body) == [event(1), event(2), event(3)]
        await server.aclose()

    asyncio.run(main())
    with LogFile(path) as log:
        assert log.read_now().messages == [event(1), event(2), event(3)]


def test_what_another_process_appends_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"

    async def main() -> None:
        store = LogStore(path)
        server = StreamServer(store)
        waiting = Exchange()
        target = f"{URL}?offset=-1&live=long-poll"
        live = asyncio.create_task(exchange(server, waiting, "GET", target))
        await asyncio.sleep(0)
        path.write_text(json.dumps(event(1)) + "\n")
        await store.sweep()
        await asyncio.wait_for(live, 10)
        assert json.loads(waiting.body) == [event(1)]
        await server.aclose()

    asyncio.run(main())


def test_what_a_log_cannot_hold_is_refused_and_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"

    async def main() -> None:
        server = StreamServer(LogStore(path))

        async def status(
            method: str, target: str = URL, content: bytes = b"", **headers: str
        ) -> int:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            made = await ask(server, method, target, headers={**JSON, **given}, body=content)
            return made.status

        producer = {"producer_id": "p", "producer_epoch": "0", "producer_seq": "0"}
        assert [
            await status("POST", content=body(1), **producer),
            await status("POST", content=body(1), stream_seq="1"),
            await status("POST", stream_closed="true"),
            await status("PUT", stream_ttl="5"),
            await status("PUT", stream_forked_from=URL),
            await status("POST", content=b'{"not": "an event"}'),
            await status("POST", content=b"[1]"),
            await status("POST", content=b"[]"),
            await status("PUT", target="/v1/stream/other"),
            await status("GET", target="/v1/stream/other"),
            await status("DELETE"),
            await status("GET", target=f"{URL}?offset=0000000000000000_0000000000000007"),
        ] == [501, 501, 501, 501, 501, 400, 400, 400, 403, 404, 405, 410]
        await server.aclose()

    asyncio.run(main())
    assert path.read_bytes() == b""
