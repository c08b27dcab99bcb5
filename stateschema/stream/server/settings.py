"""Settings of a server: limits and times, with the reasons for their defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server allows and how long it waits. Times are seconds, sizes are bytes.

    Attributes:
        prefix: Where streams live, below the place the server is mounted at.
        long_poll_timeout: How long a long-poll waits; below the patience of usual proxies.
        sse_duration: When an event stream is ended, for its reader to come back: so that proxies may
            balance anew and join readers that wait for the same thing.
        max_body: The largest body of a request; others are answered with 413.
        body_timeout: How long a body may take to arrive.
        send_timeout: How long a reader may take to accept one chunk, before it is cut off.
        chunk_bytes: About how much one answer or event holds; what a slow reader holds of memory.
        max_header_bytes: The largest head of a request, header names and values together.
        cors_origin: What `Access-Control-Allow-Origin` says; None leaves CORS to others.
        sweep_interval: How often expired streams are deleted and old records dropped.
    """

    prefix: str = "/v1/stream/"
    long_poll_timeout: float = 20.0
    sse_duration: float = 60.0
    max_body: int = 16 * 2**20
    body_timeout: float = 60.0
    send_timeout: float = 30.0
    chunk_bytes: int = 2**20
    max_header_bytes: int = 32 * 2**10
    cors_origin: str | None = "*"
    sweep_interval: float = 1.0
