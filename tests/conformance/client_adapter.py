#!/usr/bin/env python
"""Adapter between a conformance suite for Durable Streams clients and the clients of this project.

The suite of the protocol's authors runs any client through an executable like this one: one JSON
object per line on standard input is a command, and one line on standard output is its result.

    CLIENT=async|blocking    in the environment, chooses the client; async if unset

Run it as `CLIENT=blocking npx tsx src/cli.ts --run path/to/client_adapter.py` in a checkout of the
suite, with a Python in PATH that has `stateschema[client]`. Results give times as the clients see
them, JSON data as compact text, bytes that are no UTF-8 as base64.
"""

import asyncio
import json
import os
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from stateschema.errors import (
    LocalProtocolError,
    NetworkError,
    OffsetGoneError,
    RefusedError,
    RemoteProtocolError,
    ServerError,
    StreamClosedError,
    StreamNotFoundError,
)
from stateschema.stream.client import (
    BlockingProducer,
    BlockingStreamClient,
    ClientBatch,
    Producer,
    Retry,
    StreamClient,
)

Command = dict[str, Any]
Result = dict[str, Any]

FEATURES = {
    "batching": True,
    "sse": True,
    "longPoll": True,
    "auto": True,
    "streaming": True,
    "dynamicHeaders": True,
    "retryOptions": True,
    "batchItems": False,
    "strictZeroValidation": True,
}
OPTIONS = {  # of the suite, and what they are called here
    "maxRetries": "max_retries",
    "initialDelayMs": "initial",
    "maxDelayMs": "maximum",
    "multiplier": "factor",
    "producerId": "producer_id",
    "epoch": "epoch",
    "maxBatchBytes": "max_batch_bytes",
}


class Collector:
    """Gathers the batches of one read, until it has what the command asks for."""

    def __init__(self, command: Command) -> None:
        self.chunks: list[Result] = []
        self.last: ClientBatch | None = None
        self._max_chunks = command.get("maxChunks", 100)
        self._until_up_to_date = command.get("waitForUpToDate", False)

    def take(self, batch: ClientBatch) -> bool:
        """Take a batch; tell whether it was the last one needed."""
        self.last = batch
        if batch.messages:
            self.chunks.append(chunk(batch))
        return len(self.chunks) >= self._max_chunks or (self._until_up_to_date and batch.up_to_date)

    def result(self, offset: str) -> Result:
        last = self.last
        return {
            "chunks": self.chunks,
            "offset": offset if last is None else last.next_offset,
            "upToDate": True if last is None else last.up_to_date,
            "streamClosed": False if last is None else last.is_closed,
            "cursor": None if last is None else last.cursor,
        }


def chunk(batch: ClientBatch) -> Result:
    if not all(isinstance(message, bytes) for message in batch.messages):
        text = json.dumps(batch.messages, separators=(",", ":"), ensure_ascii=False)
        return {"data": text, "offset": batch.next_offset}
    try:
        return {"data": batch.data.decode(), "offset": batch.next_offset}
    except UnicodeDecodeError:
        data = b64encode(batch.data).decode()
        return {"data": data, "binary": True, "offset": batch.next_offset}


class AsyncSide:
    """Runs the asynchronous client; what its methods return is awaited by `call`."""

    name = "stateschema-async"

    def __init__(self) -> None:
        self.status = 200  # of the last answer
        self._runner = asyncio.Runner()
        self._http = self.call(self._make_http())

    async def _make_http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(event_hooks={"response": [self._note_status]})

    async def _note_status(self, response: httpx.Response) -> None:
        self.status = response.status_code

    def client(self, url: str, **settings: Any) -> StreamClient:
        return StreamClient(url, http=self._http, **settings)

    def call(self, made: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(made)

    def collect(self, client: StreamClient, command: Command, timeout: float) -> Collector:
        collector = Collector(command)

        async def collect() -> None:
            async with asyncio.timeout(timeout), aclosing(reading(client, command)) as batches:
                async for batch in batches:
                    if collector.take(batch):
                        return

        with suppress(TimeoutError):
            self.call(collect())
        return collector

    def produce(self, producer: Producer, messages: list[bytes]) -> None:
        async def produce() -> None:
            async with producer:
                for message in messages:
                    await producer.append(message)

        self.call(produce())

    def close(self) -> None:
        self.call(self._http.aclose())
        self._runner.close()


class BlockingSide:
    """Runs the blocking client; what its methods return is the result."""

    name = "stateschema-blocking"

    def __init__(self) -> None:
        self.status = 200  # of the last answer
        self._http = httpx.Client(event_hooks={"response": [self._note_status]})

    def _note_status(self, response: httpx.Response) -> None:
        self.status = response.status_code

    def client(self, url: str, **settings: Any) -> BlockingStreamClient:
        return BlockingStreamClient(url, http=self._http, **settings)

    def call(self, made: Any) -> Any:
        return made

    def collect(self, client: BlockingStreamClient, command: Command, timeout: float) -> Collector:
        collector = Collector(command)
        with closing(reading(client, command, timeout=timeout)) as batches:
            for batch in batches:
                if collector.take(batch):
                    break
        return collector

    def produce(self, producer: BlockingProducer, messages: list[bytes]) -> None:
        with producer:
            for message in messages:
                producer.append(message)

    def close(self) -> None:
        self._http.close()


def reading(client: Any, command: Command, **options: Any) -> Any:
    live = command.get("live", False)
    offset = command.get("offset", "-1")
    if live is False:
        return client.catch_up(offset, **options)
    return client.follow(offset, live="auto" if live is True else live, **options)


class Dynamic:
    """Headers or parameters that are made anew for each request, and what was sent first."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], str]] = {}
        self.sent: dict[str, str] = {}

    def set(self, command: Command) -> None:
        count = 0

        def counter() -> str:
            nonlocal count
            count += 1
            return str(count)

        makers: dict[str, Callable[[], str]] = {
            "counter": counter,
            "timestamp": lambda: str(int(time.time() * 1000)),
            "token": lambda: str(command.get("initialValue", "")),
        }
        self._makers[command["name"]] = makers[command["valueType"]]

    def values(self) -> dict[str, Callable[[], str]]:
        self.sent = {}
        return {name: self._recorded(name, make) for name, make in self._makers.items()}

    def _recorded(self, name: str, make: Callable[[], str]) -> Callable[[], str]:
        return lambda: self.sent.setdefault(name, make())

    def clear(self) -> None:
        self._makers.clear()


class Adapter:
    """Carries out commands; one method per command, found by its name."""

    def __init__(self, side: AsyncSide | BlockingSide) -> None:
        self.side: Any = side
        self._server = ""
        self._content_types: dict[str, str] = {}
        self._producers: dict[tuple[str, str, int], Any] = {}
        self._headers = Dynamic()
        self._params = Dynamic()

    def handle(self, command: Command) -> Result:
        kind = command["type"]
        try:
            method = getattr(self, "do_" + kind.replace("-", "_"), None)
            if method is None:
                return failed(command, "NOT_SUPPORTED", f"no command {kind!r}")
            result = method(command)
        except Exception as error:  # noqa: BLE001 - every command is answered
            return failure(command, error)
        return {"type": kind, "success": True, **without_none(result)}

    def do_init(self, command: Command) -> Result:
        self._server = command["serverUrl"]
        self._content_types.clear()
        self._producers.clear()
        self.do_clear_dynamic(command)
        return {"clientName": self.side.name, "clientVersion": "0.1.0", "features": FEATURES}

    def do_shutdown(self, _: Command) -> Result:
        self.side.close()
        return {}

    def do_create(self, command: Command) -> Result:
        path = command["path"]
        content_type = command.get("contentType", "application/octet-stream")
        data = command.get("data")
        head = self.side.call(
            self._client(command).create(
                content_type=content_type,
                ttl=command.get("ttlSeconds"),
                expires_at=command.get("expiresAt"),
                closed=command.get("closed", False),
                messages=[data.encode()] if data else [],
            )
        )
        self._content_types[path] = content_type
        return {"status": 201 if head.is_new else 200, "offset": head}

    def do_connect(self, command: Command) -> Result:
        return self.do_head(command)

    def do_head(self, command: Command) -> Result:
        head = self.side.call(self._client(command).head())
        self._content_types[command["path"]] = head.content_type
        return {
            "status": 200,
            "offset": head,
            "contentType": head.content_type,
            "streamClosed": head.is_closed,
            "ttlSeconds": head.ttl,
            "expiresAt": head.expires_at,
        }

    def do_delete(self, command: Command) -> Result:
        self.side.call(self._client(command).delete())
        self._content_types.pop(command["path"], None)
        return {"status": 200}

    def do_append(self, command: Command) -> Result:
        text = command["data"]
        data = b64decode(text) if command.get("binary") else text.encode()
        seq = command.get("seq")
        client = self._client(command)
        offset = self.side.call(client.append(data, seq=None if seq is None else str(seq)))
        return {"status": 200, "offset": offset, **self._sent()}

    def do_close(self, command: Command) -> Result:
        data = command.get("data")
        client = self._client(command, content_type=command.get("contentType"))
        offset = self.side.call(client.close_stream(data.encode() if data else None))
        return {"finalOffset": offset}

    def do_read(self, command: Command) -> Result:
        timeout = command.get("timeoutMs", 5000) / 1000
        collector = self.side.collect(self._client(command), command, timeout)
        result = collector.result(command.get("offset", "-1"))
        return {**result, "status": self.side.status, **self._sent()}

    def do_idempotent_append(self, command: Command) -> Result:
        producer = self._producer(command)
        self.side.call(producer.append(command["data"].encode()))
        return {"status": 200, "offset": self.side.call(producer.flush())}

    def do_idempotent_append_batch(self, command: Command) -> Result:
        in_flight = command.get("maxInFlight", 1)
        producer = self._client(command).producer(
            command["producerId"],
            epoch=command.get("epoch", 0),
            auto_claim=command.get("autoClaim", False),
            max_in_flight=in_flight,
            max_batch_bytes=1 if in_flight > 1 else 1 << 20,
            linger=0 if in_flight > 1 else 1,
        )
        self.side.produce(producer, [item.encode() for item in command["items"]])
        return {"status": 200}

    def do_idempotent_close(self, command: Command) -> Result:
        data = command.get("data")
        producer = self._producer(command)
        offset = self.side.call(producer.close_stream(data.encode() if data else None))
        return {"status": 200, "finalOffset": offset}

    def do_idempotent_detach(self, command: Command) -> Result:
        self.side.call(self._producer(command).close())
        del self._producers[producer_key(command)]
        return {"status": 200}

    def do_set_dynamic_header(self, command: Command) -> Result:
        self._headers.set(command)
        return {}

    def do_set_dynamic_param(self, command: Command) -> Result:
        self._params.set(command)
        return {}

    def do_clear_dynamic(self, _: Command) -> Result:
        self._headers.clear()
        self._params.clear()
        return {}

    def do_validate(self, command: Command) -> Result:
        target = dict(command["target"])
        kind = target.pop("target")
        given = {
            OPTIONS[name]: value / 1000 if name.endswith("Ms") else value
            for name, value in target.items()
        }
        try:
            if kind == "retry-options":
                Retry(**given)
            else:
                self.side.client("http://localhost/validated").producer(**given)
        except LocalProtocolError as error:
            named = {ours: theirs for theirs, ours in OPTIONS.items()}
            first, _, rest = str(error).partition(" ")
            raise LocalProtocolError(f"{named[first]} {rest}") from error
        return {}

    def do_benchmark(self, command: Command) -> Result:
        operation = command["operation"]
        prepared, messages, size = self._benchmark(operation)
        started = time.perf_counter_ns()
        found = prepared()
        took = time.perf_counter_ns() - started
        if isinstance(found, list):  # of a read
            messages, size = len(found), sum(len(json.dumps(message)) for message in found)
        metrics = {
            "messagesProcessed": messages,
            "bytesTransferred": size,
            "opsPerSecond": messages * 1e9 / took,
            "bytesPerSecond": size * 1e9 / took,
        }
        result = {"iterationId": command["iterationId"], "durationNs": str(took)}
        return result if operation["op"] in {"append", "create"} else result | {"metrics": metrics}

    def _benchmark(self, operation: Command) -> tuple[Callable[[], Any], int, int]:
        """Return what to time, and how many messages and bytes that moves."""
        content_type = operation.get("contentType", "application/octet-stream")
        known = None if operation["op"] in {"append", "read", "throughput_read"} else content_type
        client = self._client(operation, content_type=known)
        call, size = self.side.call, operation.get("size", 0)
        data = json.dumps("x" * size).encode() if "json" in content_type else b"x" * size
        match operation["op"]:
            case "create":
                return lambda: call(client.create()), 1, 0
            case "append":
                return lambda: call(client.append(data)), 1, size
            case "throughput_read":
                return lambda: call(client.read_all()), 0, 0
            case "read":
                return lambda: call(client.read(operation.get("offset", "-1"))), 1, 0
            case "throughput_append":
                count = operation["count"]
                return lambda: self._throughput(client, data, count), count, count * size
            case "roundtrip":
                command = {"live": operation.get("live", "long-poll"), "maxChunks": 1}
                return lambda: self._roundtrip(client, data, command), 1, 2 * size
            case other:
                raise LocalProtocolError(f"no benchmark {other!r}")

    def _throughput(self, client: Any, data: bytes, count: int) -> None:
        call = self.side.call
        call(client.create())
        producer = client.producer(linger=0)
        self.side.produce(producer, [data] * count)

    def _roundtrip(self, client: Any, data: bytes, command: Command) -> None:
        self.side.call(client.create())
        self.side.call(client.append(data))
        self.side.collect(client, command, 10)

    def _client(self, command: Command, *, content_type: str | None = None) -> Any:
        path = command["path"]
        return self.side.client(
            self._server + path,
            content_type=content_type or self._content_types.get(path),
            headers={**self._headers.values(), **command.get("headers", {})},
            params=self._params.values(),
        )

    def _sent(self) -> Result:
        return {
            "headersSent": self._headers.sent or None,
            "paramsSent": self._params.sent or None,
        }

    def _producer(self, command: Command) -> Any:
        key = producer_key(command)
        if key not in self._producers:
            self._producers[key] = self._client(command).producer(
                command["producerId"],
                epoch=command.get("epoch", 0),
                auto_claim=command.get("autoClaim", False),
                max_in_flight=1,
                linger=0,
            )
        return self._producers[key]


def producer_key(command: Command) -> tuple[str, str, int]:
    return command["path"], command["producerId"], command.get("epoch", 0)


def without_none(result: Result) -> Result:
    return {name: value for name, value in result.items() if value is not None}


def failed(command: Command, code: str, message: str, status: int | None = None) -> Result:
    found = {"commandType": command["type"], "errorCode": code, "message": message}
    return without_none({"type": "error", "success": False, "status": status, **found})


FAILURES: list[tuple[type[Exception], str, int | None]] = [
    (StreamNotFoundError, "NOT_FOUND", 404),
    (StreamClosedError, "STREAM_CLOSED", 409),
    (OffsetGoneError, "INVALID_OFFSET", 410),
    (LocalProtocolError, "INVALID_ARGUMENT", None),
    (RefusedError, "UNEXPECTED_STATUS", None),
    (ServerError, "UNEXPECTED_STATUS", None),
    (NetworkError, "NETWORK_ERROR", None),
    (RemoteProtocolError, "PARSE_ERROR", None),
    (TimeoutError, "TIMEOUT", None),
    (Exception, "INTERNAL_ERROR", None),
]


def failure(command: Command, error: Exception) -> Result:
    code, status = next(
        (code, status) for kind, code, status in FAILURES if isinstance(error, kind)
    )
    status = getattr(error, "status", status)
    if isinstance(error, LocalProtocolError) and command["type"] == "read":
        code, status = "INVALID_OFFSET", 400
    if status == 409 and isinstance(error, RefusedError):
        code = "CONFLICT" if command["type"] == "create" else "SEQUENCE_CONFLICT"
    return failed(command, code, "\n".join([str(error), *getattr(error, "__notes__", [])]), status)


def main() -> None:
    blocking = os.environ.get("CLIENT", "async") == "blocking"
    adapter = Adapter(BlockingSide() if blocking else AsyncSide())
    for line in sys.stdin:
        result = adapter.handle(json.loads(line))
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
        if result["type"] == "shutdown":
            return


if __name__ == "__main__":
    main()
