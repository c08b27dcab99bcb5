"""The command line: `python -m dataflow explain MODULE:QUERY`.

What stands behind the colon may be

    a query, a source, or a live query
    a function without parameters that returns one
    a function of sources: each parameter gets the source that the module knows under its name
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from dataflow.errors import DataflowError, QueryError, near
from dataflow.live.effect import Effect
from dataflow.live.explain import explain
from dataflow.live.inspect import inspect
from dataflow.live.live import live
from dataflow.query.builder import Query
from dataflow.query.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; wrong arguments raise SystemExit(2)."""
    parser = argparse.ArgumentParser(prog="python -m dataflow")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    about = "say what a query is, and how it would run"
    explaining = commands.add_parser("explain", help=about, description=about)
    explaining.add_argument("--code", action="store_true", help="add the generated code")
    about = "run a query, and say what its circuit holds"
    inspecting = commands.add_parser("inspect", help=about, description=about)
    for command in (explaining, inspecting):
        command.add_argument("query", metavar="MODULE:QUERY", help="such as shop.views:open_orders")
    arguments = parser.parse_args(argv)
    try:
        found = resolve(arguments.query)
        if arguments.command == "explain":
            text = explain(found, code=arguments.code)
        else:
            text = inspect(live(found) if isinstance(found, Query) else found)
    except DataflowError as error:
        print("\n".join([f"error: {error}", *getattr(error, "__notes__", ())]), file=sys.stderr)  # noqa: T201
        return 1
    print(text)  # noqa: T201 - what a command line does
    return 0


def resolve(target: str) -> Any:
    """Return the query behind `module:name`, calling it if it is a function.

    Raises:
        QueryError: if there is none.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not path or not all(module_name.split(".")):
        raise QueryError(f"expected MODULE:QUERY, not {target!r}")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise QueryError(f"no module {error.name!r}") from error
    found: Any = module
    for name in path.split("."):
        if not hasattr(found, name):
            raise QueryError(f"{module_name} has no {path!r}{near(name, dir(found))}")
        found = getattr(found, name)
    if not isinstance(found, Query | Source | Effect) and callable(found):
        found = found(**_sources(found, module))
    if not isinstance(found, Query | Source | Effect):
        raise QueryError(f"{target} is no query but of type {type(found).__name__}")
    return found


def _sources(function: Any, module: ModuleType) -> dict[str, Source[Any]]:
    """Return an argument for each parameter without a default: the source known under its name."""
    known = {value.name: value for value in vars(module).values() if isinstance(value, Source)}
    known |= {name: value for name, value in vars(module).items() if isinstance(value, Source)}
    needed = [
        name
        for name, parameter in signature(function).parameters.items()
        if parameter.default is Parameter.empty
        and parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]
    for name in needed:
        if name not in known:
            error = QueryError(f"no source {name!r} in {module.__name__}{near(name, known)}")
            error.add_note("a parameter stands for the collection of that name in the module")
            raise error
    return {name: known[name] for name in needed}


if __name__ == "__main__":
    sys.exit(main())
