"""Everything of the engine that touches the world: sources of rows, files, clocks and queues.

This is the one part of `dataflow` that knows asyncio, pydantic and SQLite; `import dataflow` does not load it.
"""

from dataflow.io.clock import Clock, Timer
from dataflow.io.frames import rows_of_frame, write_frame
from dataflow.io.json_files import json_files
from dataflow.io.outbox import Outbox
from dataflow.io.outbox_action import Delivery, OutboxAction
from dataflow.io.outbox_file import Call
from dataflow.io.pacing import Pace, Paced, debounce, paced, queue, throttle
from dataflow.io.persistence import Store, persist
from dataflow.io.polling import Polled, polled, write_rows
from dataflow.io.retry import Retry
from dataflow.io.sqlite_query import sqlite_query
from dataflow.io.statistics import (
    OutboxStatistics,
    PacedStatistics,
    PolledStatistics,
    StoreStatistics,
)

__all__ = [
    "Call",
    "Clock",
    "Delivery",
    "Outbox",
    "OutboxAction",
    "OutboxStatistics",
    "Pace",
    "Paced",
    "PacedStatistics",
    "Polled",
    "PolledStatistics",
    "Retry",
    "Store",
    "StoreStatistics",
    "Timer",
    "debounce",
    "json_files",
    "paced",
    "persist",
    "polled",
    "queue",
    "rows_of_frame",
    "sqlite_query",
    "throttle",
    "write_frame",
    "write_rows",
]
