"""The documents tell the truth: their Python runs, their commands, links and tests exist.

The Python blocks of one document run from top to bottom in one namespace. Two HTML comments, each on
the line before a block, change that:

    <!-- not executed: the reason -->   the Python block below is only shown
    <!-- output -->                     the block below is exactly what the Python block before printed
"""

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

FENCE = re.compile(
    r"(?:^<!-- (?P<mark>output|not executed: [^\n]+?) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MAKE_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
MAKE_COMMAND = re.compile(r"(?:`|^|&& )make ([a-z]+)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)")
LAW_ROW = re.compile(r"^\|[^\n]*`(tests/laws/test_law_\w+\.py)`[^\n]*\|$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: the 1-based line of its first line of text, and how it is marked."""

    line: int
    language: str
    text: str
    mark: str | None

    @property
    def is_executed(self) -> bool:
        return self.language == "python" and self.mark is None


def blocks(document: str) -> list[Block]:
    return [
        Block(
            line=document.count("\n", 0, match.start("text")) + 1,
            language=match["language"],
            text=match["text"],
            mark=match["mark"],
        )
        for match in FENCE.finditer(document)
    ]


def run_blocks(name: str, document: str, module: ModuleType) -> None:
    """Run the Python blocks of `document` in `module`; compare what they print where it is shown."""
    printed = io.StringIO()
    for block in blocks(document):
        if block.is_executed:
            # Blank lines in front make a traceback name the line in the document.
            source = "\n" * (block.line - 1) + block.text
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(source, name, "exec"), vars(module))
        elif block.mark == "output":
            assert printed.getvalue() == block.text, f"{name}:{block.line}"


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # Dataclasses and pydantic look up annotations in the module a class names.
    module = ModuleType("document")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def document_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=document_id)
def test_python_blocks_run(
    path: Path, namespace: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = path.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    run_blocks(document_id(path), document, namespace)


@pytest.mark.parametrize("path", DOCUMENTS, ids=document_id)
def test_relative_links_lead_somewhere(path: Path) -> None:
    targets = LINK.findall(path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=document_id)
def test_make_targets_in_documents_exist(path: Path) -> None:
    named = set(MAKE_COMMAND.findall(path.read_text("utf-8")))
    assert named - set(MAKE_TARGET.findall((ROOT / "Makefile").read_text("utf-8"))) == set()


def test_law_table_matches_the_law_tests() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = {match[1]: match[0] for match in LAW_ROW.finditer(architecture)}
    claimed = {path for path, row in rows.items() if "planned" not in row}
    written = {document_id(path) for path in (ROOT / "tests" / "laws").glob("test_law_*.py")}
    assert claimed == written


def test_a_block_that_fails_or_prints_something_else_is_noticed(namespace: ModuleType) -> None:
    shown = "```python\nprint(6 * 7)\n```\n\n<!-- output -->\n```text\n{}\n```\n"
    run_blocks("right.md", shown.format(42), namespace)
    with pytest.raises(AssertionError, match=re.escape("wrong.md:7")):
        run_blocks("wrong.md", shown.format(43), namespace)
    with pytest.raises(ZeroDivisionError):
        run_blocks("failing.md", "```python\n1 / 0\n```\n", namespace)
    run_blocks("marked.md", "<!-- not executed: it fails -->\n```python\n1 / 0\n```\n", namespace)
