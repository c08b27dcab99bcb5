"""The server is killed and comes back: producers and followers go on where they were."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from stateschema.stream.client import BlockingStreamClient, Retry

ROOT = Path(__file__).parents[4]
COUNT = 400
KILLS = 2


class Server:
    """A server of its own process, always at the same port and with the same store."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._store = f"sqlite:///{folder / 'streams.db'}"
        self.url = f"http://127.0.0.1:{self._port}/v1/stream/s"

    def start(self) -> None:
        arguments = ["serve", "--port", str(self._port), "--store", self._store]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stateschema", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("serving streams at")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    retry = Retry(initial=0.01, maximum=0.1, max_retries=None)
    with BlockingStreamClient(server.url, retry=retry) as stream:
        stream.create()
        found: list[Any] = []
        progress = [threading.Event() for _ in range(KILLS)]

        def follow() -> None:
            for batch in stream.follow():
                found.extend(batch.messages)
                for number, event in enumerate(progress, start=1):
                    if len(found) >= number * COUNT // (KILLS + 1):
                        event.set()

        def produce() -> None:
            with stream.producer(max_batch_bytes=32, linger=0) as producer:
                for number in range(COUNT):
                    producer.append(number)
                producer.close_stream()

        threads = [threading.Thread(target=run) for run in (follow, produce)]
        for thread in threads:
            thread.start()
        for event in progress:
            assert event.wait(30)
            server.kill()
            server.start()
        for thread in threads:
            thread.join(30)
        assert found == list(range(COUNT))
    server.kill()
