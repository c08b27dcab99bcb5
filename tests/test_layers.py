"""The rules of the tree that import-linter cannot see.

What an import loads at run time, which file names are refused, and how large a piece may grow.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("dataflow", "stateschema")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
REFUSED_NAMES = {"utils", "helpers", "common", "core", "types"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
REASON = "over 400 lines because"


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def loaded_by(statement: str) -> set[str]:
    """Names of the top-level modules in a fresh interpreter after `statement`."""
    script = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


@pytest.mark.parametrize(
    ("package", "unwanted"),
    [
        ("dataflow", {"asyncio", "html", "numpy", "pydantic", "stateschema", "zoneinfo"}),
        ("stateschema", {"dataflow"}),
    ],
)
def test_importing_a_package_stays_light(package: str, unwanted: set[str]) -> None:
    loaded = loaded_by(f"import {package}")
    assert package in loaded
    assert loaded & unwanted == set()


def test_no_file_has_a_name_that_says_nothing() -> None:
    named = {part for path in SOURCES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert named & REFUSED_NAMES == set()


def test_package_files_only_name_things() -> None:
    def is_logic(node: ast.stmt) -> bool:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                return False
            case ast.Assign(targets=[ast.Name(id="__all__" | "__version__")], value=value):
                return not isinstance(value, ast.List | ast.Tuple | ast.Constant)
            case _:
                return True

    packages = [path for path in SOURCES if path.name == "__init__.py"]
    logic = {
        relative(path): [node.lineno for node in parse(path).body if is_logic(node)]
        for path in packages
    }
    assert {path: lines for path, lines in logic.items() if lines} == {}


def test_names_are_imported_from_the_module_that_defines_them() -> None:
    def is_indirect(path: Path, node: ast.AST) -> bool:
        """Whether `node` takes a name, not a submodule, from a package file of its own package."""
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            return False
        source = ROOT.joinpath(*node.module.split("."))
        own = relative(path).partition("/")[0] == node.module.partition(".")[0]
        names = [alias.name for alias in node.names]
        return own and any(source.is_dir() and not is_module(source / name) for name in names)

    indirect = {
        relative(path): [
            ast.unparse(node) for node in ast.walk(parse(path)) if is_indirect(path, node)
        ]
        for path in SOURCES
        if path.name != "__init__.py"
    }
    assert {path: found for path, found in indirect.items() if found} == {}


def is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").exists()


def test_a_long_file_says_why_it_is_long() -> None:
    silent = {
        relative(path): lines
        for path in SOURCES
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_FILE_LINES
        and REASON not in " ".join((ast.get_docstring(parse(path)) or "").split())
    }
    assert silent == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{relative(path)}:{function.lineno} {function.name}": lines
        for path in SOURCES
        for function in functions(parse(path))
        if (lines := body_lines(function)) > MAX_FUNCTION_LINES
    }
    assert long == {}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first to the last statement, the docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1
