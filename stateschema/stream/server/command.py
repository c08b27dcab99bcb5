"""The command `python -m stateschema serve`: arguments, output, exit codes.

When the server is ready it prints one line, `serving streams at URL`, to standard output; with
`--access-log` a JSON object per answered request goes to standard error. Exit codes: 0 ended by a
signal; 1 the store cannot be opened, the port is taken, or uvicorn is missing; 2 wrong arguments.
"""

import argparse
import logging
import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec

from stateschema.errors import StreamError
from stateschema.stream.server.app import StreamServer
from stateschema.stream.server.companion import Companion
from stateschema.stream.server.settings import Settings
from stateschema.stream.store.compaction import Compactor
from stateschema.stream.store.opening import open_store
from stateschema.stream.store.operations import Retention


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=4437, help="port, 0 for any (default: 4437)")
    parser.add_argument(
        "--store",
        default="memory:",
        metavar="URL",
        help="memory:, sqlite:///streams.db or log:///session.jsonl (default: memory:)",
    )
    parser.add_argument(
        "--long-poll-timeout",
        type=_positive,
        default=20.0,
        metavar="SECONDS",
        help="how long a long-poll waits (default: 20)",
    )
    parser.add_argument(
        "--max-body",
        type=_size,
        default=16 * 2**20,
        metavar="BYTES",
        help="largest body of a request (default: 16777216)",
    )
    parser.add_argument(
        "--retain-seconds",
        type=_positive,
        metavar="SECONDS",
        help="age after which data may be dropped (default: kept for ever)",
    )
    parser.add_argument(
        "--retain-bytes",
        type=_size,
        metavar="BYTES",
        help="how much of each stream is kept (default: all)",
    )
    parser.add_argument(
        "--compact-bytes",
        type=_size,
        metavar="BYTES",
        help="size from which a stream of state events is compacted (default: never)",
    )
    parser.add_argument(
        "--views",
        metavar="MODULE:NAME",
        help="serve read-only streams derived from the others: a `stateschema.streamdb.Views`",
    )
    parser.add_argument("--access-log", action="store_true", help="log each request as JSON")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    if find_spec("uvicorn") is None or find_spec("httptools") is None:
        sys.stderr.write("error: serving needs uvicorn\nhint: pip install 'stateschema[server]'\n")
        return 1
    from stateschema.stream.server.running import run_server  # needs uvicorn

    _log_to_stderr(access=arguments.access_log)
    retention = Retention(max_age=arguments.retain_seconds, max_bytes=arguments.retain_bytes)
    if arguments.compact_bytes is not None and not retention.keeps_all:
        sys.stderr.write("error: --compact-bytes keeps what --retain-... would drop: choose one\n")
        return 2
    try:
        store = open_store(arguments.store, retention=retention)
    except StreamError as error:
        hints = "".join(f"hint: {note}\n" for note in getattr(error, "__notes__", ()))
        sys.stderr.write(f"error: {error}\n{hints}")
        return 1
    try:
        companion = _views(arguments.views)
    except (ImportError, AttributeError, ValueError) as error:
        sys.stderr.write(f"error: views {arguments.views!r} cannot be loaded: {error}\n")
        return 1
    settings = Settings(
        long_poll_timeout=arguments.long_poll_timeout,
        max_body=arguments.max_body,
    )
    compactor = None
    if arguments.compact_bytes is not None:
        compactor = Compactor(store, max_bytes=arguments.compact_bytes)
    server = StreamServer(store, settings=settings, companion=companion, compactor=compactor)
    try:
        has_begun = run_server(server, host=arguments.host, port=arguments.port, ready=_announce)
    except SystemExit:
        return 1  # the port is taken; uvicorn has said so
    return 0 if has_begun else 1


def _views(place: str | None) -> Companion | None:
    """Return the object at a place, `module:name`."""
    if place is None:
        return None
    module, _, name = place.partition(":")
    if not module or not name:
        raise ValueError("write MODULE:NAME")
    sys.path.insert(0, "")  # as for a program in the present folder
    found = import_module(module)
    if not hasattr(found, name):
        near = get_close_matches(name, vars(found), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"module {module!r} has no attribute {name!r}{hint}")
    companion: Companion = getattr(found, name)
    if not all(hasattr(companion, part) for part in ("names", "start", "stop")):
        raise ValueError(f"it is {companion!r}, no Views")
    return companion


def _announce(url: str) -> None:
    sys.stdout.write(f"serving streams at {url}\n")
    sys.stdout.flush()


def _log_to_stderr(*, access: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("stateschema.server")
    log.addHandler(handler)
    log.setLevel(logging.INFO if access else logging.WARNING)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**16:  # the system would take another one in silence
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _size(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number
