"""Pyright agrees: about what these files assert, and that the types of both packages are complete."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.test_docs import ROOT

OPTIONAL = ("stateschema.replay.", "stateschema.stream.server.")
"""Modules that stand on optional packages (rich, uvicorn), which pyright does not see while it verifies."""

LEAST_SCORE = 0.9
"""Share of symbols whose type no checker could read in another way; submodules and internals included."""


def pyright(*arguments: str) -> dict[str, Any]:
    """Run pyright and return its report; skip where it cannot start."""
    command = [sys.executable, "-m", "pyright", "--outputjson", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    found = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    try:
        report: dict[str, Any] = json.loads(found.stdout)
    except ValueError:
        pytest.skip(f"needs pyright, which brings Node.js by download: {found.stderr[-200:]!r}")
    return report


def test_the_assertions_hold_in_strict_mode() -> None:
    report = pyright("-p", "tests/typing")
    assert report["generalDiagnostics"] == []
    assert report["summary"]["filesAnalyzed"] > 3


@pytest.mark.parametrize("package", ["dataflow", "stateschema"])
def test_types_are_complete(package: str) -> None:
    """No type is unknown; what users import needs no inference of its own, either."""
    report = pyright("--pythonpath", sys.executable, "--ignoreexternal", "--verifytypes", package)[
        "typeCompleteness"
    ]
    names = public_names(package)
    mine = [symbol for symbol in report["symbols"] if is_of(symbol["name"], names)]
    assert len(mine) > len(names)
    assert [(s["name"], messages(s)) for s in report["symbols"] if not known(s)] == []
    assert [(s["name"], messages(s)) for s in mine if is_inferred(s)] == []
    assert report["completenessScore"] >= LEAST_SCORE


def public_names(package: str) -> set[str]:
    """Return what a package exports, under the names of the modules that define it."""
    module = importlib.import_module(package)
    exported = (getattr(module, name) for name in module.__all__)
    return {
        f"{value.__module__}.{value.__qualname__}"
        for value in exported
        if hasattr(value, "__qualname__")
    }


def is_of(symbol: str, names: set[str]) -> bool:
    return symbol in names or symbol.rpartition(".")[0] in names


def known(symbol: dict[str, Any]) -> bool:
    optional = symbol["name"].startswith(OPTIONAL)
    return bool(optional or symbol["isTypeKnown"] or symbol["isTypeAmbiguous"])


def is_inferred(symbol: dict[str, Any]) -> bool:
    return any("missing type annotation" in message for message in messages(symbol))


def messages(symbol: dict[str, Any]) -> list[str]:
    return [diagnostic["message"].splitlines()[0] for diagnostic in symbol["diagnostics"]]
