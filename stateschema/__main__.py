"""The command line: `python -m stateschema COMMAND`."""

import argparse
import sys
from collections.abc import Sequence

from stateschema.replay import command as replay
from stateschema.stream.client import command as streaming
from stateschema.stream.server import command as serving


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; wrong arguments raise SystemExit(2)."""
    parser = argparse.ArgumentParser(prog="python -m stateschema")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    about = "play a recorded session into its live views"
    replay.add_arguments(commands.add_parser("replay", help=about, description=about))
    about = "serve durable streams over HTTP"
    serving.add_arguments(commands.add_parser("serve", help=about, description=about))
    about = "create, append to, read, follow, look at or delete a durable stream"
    streaming.add_arguments(commands.add_parser("stream", help=about, description=about))
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
