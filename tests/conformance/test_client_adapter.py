"""The adapter speaks the protocol of the client suite, one line per command, with either client."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.stateschema.stream.client.servers import served

ADAPTER = Path(__file__).with_name("client_adapter.py")


class Adapter:
    """The process, to be talked to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def tell(self, kind: str, **arguments: Any) -> dict[str, Any]:
        """Send a command; return its result."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"type": kind, **arguments}) + "\n")
        self.process.stdin.flush()
        result: dict[str, Any] = json.loads(self.process.stdout.readline())
        return result


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with served() as url:
        yield url.removesuffix("/")


@pytest.fixture(scope="module", params=["async", "blocking"])
def adapter(request: pytest.FixtureRequest, server: str) -> Generator[Adapter]:
    with subprocess.Popen(
        [sys.executable, str(ADAPTER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"CLIENT": request.param},
    ) as process:
        made = Adapter(process)
        told = made.tell("init", serverUrl=server)
        assert (told["success"], told["clientName"]) == (True, f"stateschema-{request.param}")
        yield made
        assert made.tell("shutdown") == {"type": "shutdown", "success": True}
        assert process.wait(10) == 0


def test_every_command_is_answered(adapter: Adapter, request: pytest.FixtureRequest) -> None:
    path = f"/s-{request.node.callspec.id}"
    text = {"path": path, "contentType": "text/plain"}
    assert adapter.tell("create", **text)["status"] == 201
    assert adapter.tell("create", **text)["status"] == 200
    first = adapter.tell("append", path=path, data="one,")
    adapter.tell("append", path=path, data=b64encode(b"two,").decode(), binary=True)
    producer = {"path": path, "producerId": "p", "epoch": 0, "autoClaim": False}
    assert adapter.tell("idempotent-append", data="three,", **producer)["success"]
    batch = {**producer, "producerId": "q"}
    assert adapter.tell("idempotent-append-batch", items=["four,", "five"], **batch)["success"]
    read = adapter.tell("read", path=path, offset=first["offset"])
    assert [chunk["data"] for chunk in read["chunks"]] == ["two,three,four,five"]
    assert (read["status"], read["upToDate"], read["streamClosed"]) == (200, True, False)
    waited = adapter.tell("read", path=path, offset=read["offset"], live="sse", timeoutMs=100)
    assert (waited["chunks"], waited["offset"]) == ([], read["offset"])
    closed = adapter.tell("idempotent-close", data="!", **producer)
    head = adapter.tell("head", path=path)
    assert (head["streamClosed"], head["offset"]) == (True, closed["finalOffset"])
    assert adapter.tell("connect", path=path)["success"]
    assert adapter.tell("idempotent-detach", **producer)["success"]
    assert adapter.tell("close", path=path)["finalOffset"] == head["offset"]
    assert adapter.tell("delete", path=path)["success"]


def test_dynamic_values_are_told(adapter: Adapter, request: pytest.FixtureRequest) -> None:
    path = f"/d-{request.node.callspec.id}"
    adapter.tell("create", path=path)
    adapter.tell("set-dynamic-header", name="x-count", valueType="counter")
    adapter.tell("set-dynamic-param", name="n", valueType="counter")
    sent = [adapter.tell("append", path=path, data="x") for _ in range(2)]
    assert [result["headersSent"] for result in sent] == [{"x-count": "1"}, {"x-count": "2"}]
    assert [result["paramsSent"] for result in sent] == [{"n": "1"}, {"n": "2"}]
    adapter.tell("clear-dynamic")
    assert "headersSent" not in adapter.tell("read", path=path)


@pytest.mark.parametrize(
    ("kind", "arguments", "code", "status"),
    [
        ("head", {"path": "/none"}, "NOT_FOUND", 404),
        ("read", {"path": "/none", "offset": "a/b"}, "INVALID_OFFSET", 400),
        ("explode", {}, "NOT_SUPPORTED", None),
        ("append", {"path": "/none"}, "INTERNAL_ERROR", None),
    ],
)
def test_failures_have_codes(
    adapter: Adapter, kind: str, arguments: dict[str, Any], code: str, status: int | None
) -> None:
    result = adapter.tell(kind, **arguments)
    assert (result["type"], result["success"], result["commandType"]) == ("error", False, kind)
    assert (result["errorCode"], result.get("status")) == (code, status)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ({"target": "retry-options", "maxRetries": -1}, "maxRetries"),
        ({"target": "retry-options", "initialDelayMs": 9, "maxDelayMs": 1}, "maxDelayMs"),
        ({"target": "idempotent-producer", "producerId": "p", "maxBatchBytes": 0}, "maxBatchBytes"),
    ],
)
def test_validation_names_what_is_wrong(
    adapter: Adapter, target: dict[str, Any], named: str
) -> None:
    result = adapter.tell("validate", target=target)
    assert (result["errorCode"], result["message"].split()[0]) == ("INVALID_ARGUMENT", named)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "append", "size": 10},
        {"op": "read"},
        {"op": "roundtrip", "size": 10, "live": "long-poll"},
        {"op": "throughput_append", "size": 10, "count": 20, "concurrency": 4},
    ],
)
def test_benchmarks_are_timed(
    adapter: Adapter, request: pytest.FixtureRequest, operation: dict[str, Any]
) -> None:
    path = f"/b-{request.node.callspec.id}"
    create = {"op": "create", "path": path, "contentType": "application/octet-stream"}
    for each in (create, {**operation, "path": path}):
        result = adapter.tell("benchmark", iterationId="7", operation=each)
        assert (result["success"], result["iterationId"]) == (True, "7")
        assert int(result["durationNs"]) > 0
