import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflow import Collection
from dataflow.io.json_files import json_files
from dataflow.io.polling import Polled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "a.json", {"n": 1})
    write(tmp_path / "b.json", {"n": 1})
    write(tmp_path / "deep" / "c.json", {"n": 1})
    (tmp_path / "notes.txt").write_text("no row")
    return tmp_path


_times: Iterator[int] = iter(range(1_000_000_000, 2_000_000_000, 1_000))


def write(path: Path, value: Any) -> None:
    """Write a file with a time of change of its own: two writes may fall into one tick of the disk's clock."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    stamp = next(_times)
    os.utime(path, ns=(stamp, stamp))


def source_of(folder: Path, pattern: str = "*.json") -> tuple[Polled[Any], list[Any]]:
    notes: Collection[Any] = Collection("notes", key="id", ready=False)
    seen: list[Any] = []
    notes.subscribe(lambda changes: seen.append([(each.op, each.key) for each in changes]))
    return json_files(notes, folder, pattern=pattern, name_field="id"), seen


def test_files_that_come_change_and_go_arrive_as_changes(folder: Path) -> None:
    source, seen = source_of(folder)
    source.refetch_now()
    assert source.collection.rows() == [{"id": "a", "n": 1}, {"id": "b", "n": 1}]
    write(folder / "b.json", {"n": 1})
    source.refetch_now()
    write(folder / "a.json", {"n": 2})
    write(folder / "d.json", {"n": 1})
    (folder / "b.json").unlink()
    source.refetch_now()
    assert seen == [
        [("insert", "a"), ("insert", "b")],
        [("update", "a"), ("insert", "d"), ("delete", "b")],
    ]


def test_folders_are_part_of_the_name(folder: Path) -> None:
    source, _ = source_of(folder, "**/*.json")
    source.refetch_now()
    assert list(source.collection) == ["a", "b", "deep/c"]


def test_only_files_that_have_changed_are_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    read_text = Path.read_text

    def noted(path: Path, encoding: str) -> str:
        opened.append(path.name)
        return read_text(path, encoding)

    monkeypatch.setattr(Path, "read_text", noted)
    source, _ = source_of(folder)
    source.refetch_now()
    source.refetch_now()
    monkeypatch.setattr(Path, "read_text", read_text)
    write(folder / "b.json", {"n": 2})
    monkeypatch.setattr(Path, "read_text", noted)
    source.refetch_now()
    assert opened == ["a.json", "b.json", "b.json"]


@pytest.mark.parametrize(
    "text", ["{", "[1]", "", "[" * 100_000], ids=["cut off", "list", "empty", "deep"]
)
def test_a_file_that_cannot_be_parsed_fails_until_it_is_put_right(folder: Path, text: str) -> None:
    source, _ = source_of(folder)
    source.refetch_now()
    write(folder / "a.json", text)
    write(folder / "b.json", {"n": 2})
    for _ in range(2):
        with pytest.raises(ValueError, match=r"a\.json"):
            source.refetch_now()
    assert (source.collection.status, source.collection["b"]) == ("error", {"id": "b", "n": 1})
    write(folder / "a.json", {"n": 3})
    source.refetch_now()
    assert source.collection.status == "ready"
    assert dict(source.collection) == {"a": {"id": "a", "n": 3}, "b": {"id": "b", "n": 2}}


def test_a_file_that_is_gone_before_it_is_opened_was_not_there(folder: Path) -> None:
    (folder / "b.json").unlink()
    (folder / "b.json").symlink_to(folder / "nowhere.json")
    source, _ = source_of(folder)
    source.refetch_now()
    assert list(source.collection) == ["a"]


def test_a_directory_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    source, _ = source_of(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="no directory"):
        source.refetch_now()
    assert source.collection.status == "error"
    (tmp_path / "nowhere").mkdir()
    source.refetch_now()
    assert (source.collection.status, source.collection.rows()) == ("ready", [])


def test_what_is_no_file_is_passed_over_whatever_its_name(folder: Path) -> None:
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")  # opening it would block for ever
    (folder / "link.json").symlink_to("a.json")
    (folder / "broken.json").symlink_to("nowhere.json")
    source, _ = source_of(folder)
    source.refetch_now()
    assert sorted(source.collection) == ["a", "b", "link"]
