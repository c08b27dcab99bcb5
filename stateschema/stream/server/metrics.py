"""Metrics: what a server has done, in the text format of Prometheus."""

from collections import Counter
from typing import Final

BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
"""Upper bounds in seconds, for requests that do not wait for data."""


class Metrics:
    """Counts of requests, bytes and durations."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._bytes_in = 0
        self._bytes_out = 0
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self.readers = 0

    def finished(
        self, method: str, status: int, *, bytes_in: int, bytes_out: int, seconds: float | None
    ) -> None:
        """Count a request.

        Args:
            method: Of the request, one that the server knows.
            status: Of the answer.
            bytes_in: Size of the request's body.
            bytes_out: Size of the answer's body.
            seconds: How long it took, None if it waited for data.
        """
        self._requests[method, status] += 1
        self._bytes_in += bytes_in
        self._bytes_out += bytes_out
        if seconds is not None:
            place = next((i for i, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
            self._buckets[place] += 1
            self._seconds += seconds

    def render(self, *, waiting: int) -> bytes:
        """Return the text; `waiting` is how many readers wait for data right now."""
        lines = ["# TYPE streams_requests_total counter"]
        lines += [
            f'streams_requests_total{{method="{method}",status="{status}"}} {count}'
            for (method, status), count in sorted(self._requests.items())
        ]
        for name, kind, value in (
            ("received_bytes_total", "counter", self._bytes_in),
            ("sent_bytes_total", "counter", self._bytes_out),
            ("event_streams", "gauge", self.readers),
            ("waiting_readers", "gauge", waiting),
        ):
            lines += [f"# TYPE streams_{name} {kind}", f"streams_{name} {value}"]
        lines.append("# TYPE streams_request_seconds histogram")
        total = 0
        for bound, count in zip((*BUCKETS, "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'streams_request_seconds_bucket{{le="{bound}"}} {total}')
        lines.append(f"streams_request_seconds_sum {self._seconds:.6f}")
        lines.append(f"streams_request_seconds_count {total}")
        return ("\n".join(lines) + "\n").encode()
