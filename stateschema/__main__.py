"""The command line: `python -m stateschema COMMAND`.

Only the command that is asked for is imported: a server does not wait for the query engine to load.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "replay": ("stateschema.replay.command", "play a recorded session into its live views"),
    "serve": ("stateschema.stream.server.command", "serve durable streams over HTTP"),
    "stream": (
        "stateschema.stream.client.command",
        "create, append to, read, follow, look at or delete a durable stream",
    ),
}
"""Each command's module, and what it is about."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; wrong arguments raise SystemExit(2)."""
    words = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m stateschema")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, about) in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if name in words[:1]:
            import_module(module).add_arguments(command)
    arguments = parser.parse_args(words)
    code: int = arguments.run(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
