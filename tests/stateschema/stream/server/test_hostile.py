"""Hostile input, over real sockets: the server answers or hangs up, stays small, and serves others.

Each test ends by asking whether the server still lives; memory is what the system says of its process.
"""

import asyncio
import json
import random
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.conformance.server import PREFIX, Served, serving
from tests.stateschema.stream.sse import read_events

MAX_BODY = 2**20
READERS = 2000


@pytest.fixture(scope="module")
def served() -> Generator[Served]:
    with serving("memory:", "--max-body", str(MAX_BODY)) as server:
        yield server


@pytest.fixture(autouse=True)
def lives_on(served: Served) -> Generator[None]:
    yield
    assert served.process.poll() is None
    answer = asyncio.run(talk(served, request("GET", "/health")))
    assert answer.endswith(b'{"status": "ok"}')


def request(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: t", "Connection: close", *lines]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


def port_of(served: Served) -> int:
    return int(served.url.rpartition(":")[2])


async def talk(served: Served, *parts: bytes) -> bytes:
    """Send parts until the server has had enough, and return all that it answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(served))

    async def send() -> None:
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
        except OSError:
            pass  # the server hung up

    sending = asyncio.create_task(send())
    try:
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:
        return b""
    finally:
        sending.cancel()
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def ask(served: Served, *parts: bytes) -> int:
    return status(asyncio.run(talk(served, *parts)))


def resident(served: Served) -> int:
    """Return the memory of the server, in bytes."""
    lines = Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "a/../b",
        "a//b",
        "a/",
        "/a",
        "%2e%2e/%2e%2e/etc/passwd",
        "a%00b",
        "a%5C..%5Cb",
        "..\\..\\etc",
        "%E2%80%AE",
        "a%0d%0aSet-Cookie:%20x",
        "%ff%fe",
        "%c0%ae%c0%ae",
        "a" * 2000,
    ],
)
def test_paths_that_could_be_read_in_two_ways_name_no_stream(served: Served, path: str) -> None:
    assert ask(served, request("PUT", PREFIX + path)) == 400


def test_names_are_decoded_once(served: Served) -> None:
    assert ask(served, request("PUT", PREFIX + "%252e%252e")) == 201
    assert ask(served, request("HEAD", PREFIX + "%252e%252e")) == 200
    assert ask(served, request("HEAD", PREFIX + "..")) == 400


def test_reserved_names_are_not_implemented(served: Served) -> None:
    assert ask(served, request("PUT", PREFIX + "__ds/subscriptions/a")) == 501


@pytest.mark.parametrize(
    "lines",
    [
        ("Stream-TTL: 1", "Stream-TTL: 2"),
        ("Stream-TTL: 99999999999999999999",),
        ("Stream-Expires-At: 9999-99-99T00:00:00Z",),
        ("Stream-Forked-From: /etc/passwd",),
        ("Stream-Forked-From: /v1/stream/%ff",),
        ("Stream-Fork-Offset: 1",),
        ("Content-Type: text/plain", "Content-Type: application/json"),
        ("Authorization: Bearer a", "Authorization: Bearer b"),
        ("Host: another",),
        ("Content-Type: garbage",),
        ("Content-Type: ;",),
        ("Content-Type: text/plain, text/html",),
        ("Content-Type: text/\xe9",),
        (f"Content-Type: text/{'a' * 300}",),
    ],
)
def test_malformed_headers_are_refused(served: Served, lines: tuple[str, ...]) -> None:
    assert ask(served, request("PUT", PREFIX + "malformed", *lines)) == 400


@pytest.mark.parametrize(
    "content_type",
    ["text/plain;charset=utf-8", 'application/json; profile="a;b"', "application/vnd.x+json"],
)
def test_content_types_may_have_parameters(served: Served, content_type: str) -> None:
    path = f"{PREFIX}typed-{content_type.partition(';')[0]}"
    assert ask(served, request("PUT", path, f"Content-Type: {content_type}")) == 201
    answer = asyncio.run(talk(served, request("HEAD", path)))
    assert f"content-type: {content_type}\r\n".encode() in answer


def test_an_empty_content_type_is_none(served: Served) -> None:
    path = PREFIX + "untyped"
    assert ask(served, request("PUT", path, "Content-Type:")) == 201
    answer = asyncio.run(talk(served, request("POST", path, "Content-Type:", body=b"x")))
    assert (status(answer), b"no-content-type" in answer) == (400, True)
    octets = "Content-Type: application/octet-stream"
    assert ask(served, request("POST", path, octets, body=b"x")) == 204


def test_compressed_bodies_are_refused(served: Served) -> None:
    path, plain = PREFIX + "packed", "Content-Type: text/plain"
    assert ask(served, request("PUT", path, plain)) == 201
    packed = request("POST", path, plain, "Content-Encoding: gzip", body=b"x")
    assert ask(served, packed) == 415
    head = f"POST {path} HTTP/1.1\r\nHost: t\r\n{plain}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    assert ask(served, head.encode() + b"1\r\nx\r\n0\r\n\r\n") == 501
    identity = request("POST", path, plain, "Content-Encoding: identity", body=b"y")
    assert ask(served, identity) == 204
    assert asyncio.run(talk(served, request("GET", path))).endswith(b"\r\n\r\ny")


def test_long_producer_ids_are_refused(served: Served) -> None:
    path, plain = PREFIX + "produced", "Content-Type: text/plain"
    assert ask(served, request("PUT", path, plain)) == 201
    for length, expected in ((1024, 200), (1025, 400)):
        claim = (f"Producer-Id: {'a' * length}", "Producer-Epoch: 0", "Producer-Seq: 0")
        assert ask(served, request("POST", path, plain, *claim, body=b"x")) == expected


@pytest.mark.parametrize(
    "query",
    ["offset=1", "offset=", "offset=-1&offset=now", "offset=%ff", "live=sse", "offset=-1&live=x"],
)
def test_malformed_queries_are_refused(served: Served, query: str) -> None:
    ask(served, request("PUT", PREFIX + "queried"))
    assert ask(served, request("GET", f"{PREFIX}queried?{query}")) == 400


def test_what_is_no_http_is_refused_with_the_security_headers(served: Served) -> None:
    answer = asyncio.run(talk(served, b"\x16\x03\x01 hello\r\n\r\n"))
    assert status(answer) == 400
    assert b"x-content-type-options: nosniff" in answer


def test_a_head_without_end_is_cut_off(served: Served) -> None:
    before = resident(served)
    endless = [b"GET / HTTP/1.1\r\nX: ", *(b"a" * 65536 for _ in range(400))]
    assert ask(served, *endless) in {0, 431}
    assert resident(served) - before < 8 * 2**20


def test_large_heads_are_refused(served: Served) -> None:
    assert ask(served, request("GET", PREFIX + "x", "X: " + "a" * 40000)) == 431
    assert ask(served, request("GET", PREFIX + "x", *(f"X{n}: {n}" for n in range(5000)))) == 431


def test_large_bodies_are_refused_before_and_while_they_come(served: Served) -> None:
    before = resident(served)
    head = f"PUT {PREFIX}large HTTP/1.1\r\nHost: t\r\n"
    declared = f"{head}Content-Length: {10**15}\r\n\r\n".encode()
    assert ask(served, declared) == 413
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    endless = [f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), *([chunk] * 2000)]
    assert ask(served, *endless) in {0, 413}
    assert ask(served, request("HEAD", PREFIX + "large")) == 404
    assert resident(served) - before < 16 * 2**20


@pytest.mark.parametrize(("path", "expected"), [("..", 400), ("__ds/x", 501), ("a?x=%ff", 400)])
def test_a_body_without_end_is_not_listened_to_when_the_answer_is_known(
    served: Served, path: str, expected: int
) -> None:
    head = f"POST {PREFIX}{path} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    assert ask(served, head.encode(), *([chunk] * 2000)) in {0, expected, 413}


def test_a_reader_that_says_no_more_gets_its_answer_and_is_no_live_reader(served: Served) -> None:
    async def half(path: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(served))
        writer.write(request("GET", path))
        writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    path, text = PREFIX + "half", b"x" * 300_000
    ask(served, request("PUT", path, "Content-Type: text/plain", body=text))
    assert asyncio.run(half(path)).endswith(text)
    assert not asyncio.run(half(f"{path}?offset=now&live=long-poll"))
    asyncio.run(half(f"{path}?offset=now&live=sse"))
    metrics = (asyncio.run(talk(served, request("GET", "/metrics"))) for _ in range(100))
    assert any(b"\nstreams_waiting_readers 0\n" in each for each in metrics)  # soon


@pytest.mark.parametrize("store", ["memory:", "sqlite:///{folder}/s.db"])
def test_streams_come_and_go_under_writers_and_readers(store: str, tmp_path: Path) -> None:
    """Whatever meets whatever, the answer is one of the protocol's, and the server serves on."""
    chance = random.Random(7)
    json_type = "Content-Type: application/json"

    def any_request(number: int) -> bytes:
        path = f"{PREFIX}crowded-{chance.randrange(3)}"
        offset = chance.choice(["-1", "now", f"{0:016}_{chance.randrange(6):016}"])
        claim = [
            f"Producer-{name}: {chance.randrange(3)}" for name in ("Id", "Epoch", "Seq")
        ] * chance.randrange(2)
        return chance.choice(
            [
                request("PUT", path, json_type, body=b"[1]" * chance.randrange(2)),
                request("DELETE", path),
                *[request("POST", path, json_type, *claim, body=b"[%d]" % number)] * 3,
                request("POST", path, "Stream-Closed: true"),
                request("GET", f"{path}?offset={offset}"),
                request("GET", f"{path}?offset={offset}&live=long-poll"),
                request("HEAD", path),
                request("PUT", f"{path}-fork", f"Stream-Forked-From: {path}"),
                request("DELETE", f"{path}-fork"),
            ]
        )

    async def crowd(server: Served) -> set[int]:
        asked = [any_request(number) for number in range(600)]
        rounds = (asked[at : at + 100] for at in range(0, len(asked), 100))
        return {
            status(answer)
            for some in rounds
            for answer in await asyncio.gather(*(talk(server, one) for one in some))
        }

    with serving(store.format(folder=tmp_path), "--long-poll-timeout", "0.2") as server:
        found = asyncio.run(crowd(server))
        assert found <= {200, 201, 204, 400, 403, 404, 409, 410}
        assert {200, 201, 204, 404, 409} <= found
        assert ask(server, request("GET", "/health")) == 200


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b"[" * 100_000,
        b"[1,2",
        b"NaN",
        b"[1e999]x",
        b'{"a":1}{"b":2}',
        b"\xef\xbb\xbf{}",
        b"9" * 500_000,
    ],
)
def test_what_is_no_json_is_refused(served: Served, body: bytes) -> None:
    lines = ("Content-Type: application/json",)
    ask(served, request("PUT", PREFIX + "json", *lines))
    assert ask(served, request("POST", PREFIX + "json", *lines, body=body)) == 400


def test_many_small_messages_are_kept_as_they_came(served: Served) -> None:
    lines = ("Content-Type: application/json",)
    body = b"[" + b"1, " * 300_000 + b"1.0]"
    path = PREFIX + "many"
    answers = [
        ask(served, request("PUT", path, *lines)),
        ask(served, request("POST", path, *lines, body=body)),
    ]
    answer = asyncio.run(talk(served, request("GET", path)))
    assert (answers, answer.partition(b"\r\n\r\n")[2]) == ([201, 204], body)


@pytest.mark.parametrize(
    "text",
    [
        'a\n\nevent: control\ndata: {"streamNextOffset":"9"}\n\n',
        'a\r\revent: control\rdata: {"streamNextOffset":"9"}\r\r',
        "a\r\n\r\ndata: b\r\n\r\n",
        "\n\n\n",
        " leading\n  spaces",
        ": comment\nid: 7\nretry: 1",
        "\ufeff\u2028\u0085é\x00",
    ],
)
def test_no_text_forges_an_event(served: Served, text: str) -> None:
    path = f"{PREFIX}forged{text.encode().hex()[:40]}"
    lines = ("Content-Type: text/plain",)
    ask(served, request("PUT", path, *lines, body=text.encode()))
    ask(served, request("POST", path, "Stream-Closed: true"))
    stream = asyncio.run(talk(served, request("GET", f"{path}?offset=-1&live=sse")))
    (first, data), (second, control) = read_events(unchunked(stream).partition(b"\r\n\r\n")[2])
    assert (first, second) == ("data", "control")
    assert data == text.replace("\r\n", "\n").replace("\r", "\n")
    assert json.loads(control)["streamClosed"] is True


def unchunked(answer: bytes) -> bytes:
    """Undo chunked encoding."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return answer
    content = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        content, rest = content + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return head + b"\r\n\r\n" + content


def test_idle_event_streams_cost_little_and_all_wake(served: Served) -> None:
    ask(served, request("PUT", PREFIX + "crowd", "Content-Type: text/plain"))

    async def main() -> tuple[int, list[bytes]]:
        before = resident(served)
        peers = []
        for _ in range(READERS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(served))
            writer.write(request("GET", PREFIX + "crowd?offset=-1&live=sse"))
            await writer.drain()
            peers.append((reader, writer))
        for reader, _ in peers:
            await reader.readuntil(b'"upToDate":true}\n\n')
        grown = resident(served) - before
        close = request(
            "POST",
            PREFIX + "crowd",
            "Content-Type: text/plain",
            "Stream-Closed: true",
            body=b"bye",
        )
        assert status(await talk(served, close)) == 204
        ends = await asyncio.gather(*(reader.read() for reader, _ in peers))
        for _, writer in peers:
            writer.close()
        return grown, ends

    grown, ends = asyncio.run(main())
    assert grown < READERS * 40 * 2**10
    assert [b"data:bye" in end and b'"streamClosed":true' in end for end in ends] == [
        True
    ] * READERS


def test_a_reader_that_does_not_read_holds_little(served: Served) -> None:
    lines = ("Content-Type: application/octet-stream",)
    ask(served, request("PUT", PREFIX + "heavy", *lines))
    for _ in range(20):
        ask(served, request("POST", PREFIX + "heavy", *lines, body=b"x" * MAX_BODY))

    async def main() -> int:
        before = resident(served)
        writers = []
        for live in ("", "&live=sse") * 20:
            _, writer = await asyncio.open_connection("127.0.0.1", port_of(served), limit=1)
            writer.write(request("GET", f"{PREFIX}heavy?offset=-1{live}"))
            writers.append(writer)
        assert status(await talk(served, request("GET", "/health"))) == 200
        grown = resident(served) - before
        for writer in writers:
            writer.close()
        return grown

    assert asyncio.run(main()) < 40 * 4 * 2**20


async def until_one_waits(served: Served) -> None:
    for _ in range(1000):
        if b"streams_waiting_readers 1" in await talk(served, request("GET", "/metrics")):
            return
    raise AssertionError("nobody waits")


def test_readers_of_a_stream_never_see_the_next_one_of_its_name(served: Served) -> None:
    path = PREFIX + "reborn"
    lines = ("Content-Type: text/plain",)
    ask(served, request("PUT", path, *lines, body=b"first"))

    async def main() -> bytes:
        waiting = asyncio.create_task(
            talk(served, request("GET", f"{path}?offset=now&live=long-poll"))
        )
        await until_one_waits(served)
        reborn = request("PUT", path, *lines, body=b"second and secret")
        await talk(served, request("DELETE", path))
        await talk(served, reborn)
        return await waiting

    answer = asyncio.run(main())
    assert status(answer) == 404
    assert b"secret" not in answer
