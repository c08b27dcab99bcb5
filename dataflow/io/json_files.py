"""A directory of JSON files, as a source: one row per file.

Law     the collection shows the files of the directory as of the last read that succeeded
Cost    a read lists the directory; only files with another size, time of change or inode are opened
Edges   a folder or a pipe is no file, whatever its name, and a file that is gone by the time it is opened was not there; one
        that cannot be read or parsed fails the read, so the rows stay as they were, and the status is "error" until it has been
        put right
"""

from __future__ import annotations

import json
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.io.polling import Polled
from dataflow.io.rowtype import RowType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataflow.collection.collection import Collection
    from dataflow.io.clock import Clock

R = TypeVar("R")
_Stamp = tuple[int, int, int]  # size in bytes, time of change in ns, inode


def json_files(
    collection: Collection[R],
    directory: str | Path,
    *,
    pattern: str = "*.json",
    name_field: str | None = None,
    every: float | None = None,
    clock: Clock | None = None,
) -> Polled[R]:
    """Keep a collection equal to the JSON files of a directory, each of them one object and one row.

    Args:
        collection: what to fill; its row type, if declared, is built from the fields.
        directory: where the files are.
        pattern: which files, as in `Path.glob`; `**/*.json` looks into folders.
        name_field: a field that gets the name of the file, without its suffix and with `/` between folders.
        every: seconds between reads; None reads once, and again when `refetch()` is called.
        clock: what measures them; the event loop by default.
    """
    build = RowType(collection.row_type, owner=collection).build
    reader = _Reader(Path(directory), pattern, name_field, build)
    return Polled(collection, reader.read, every=every, clock=clock, thread=False)


class _Reader:
    """Reads the files that have changed, and remembers the rows of the others."""

    def __init__(self, directory: Path, pattern: str, name_field: str | None, build: Any) -> None:
        self._directory = directory
        self._pattern = pattern
        self._name_field = name_field
        self._build = build
        self._known: dict[Path, tuple[_Stamp, Any]] = {}

    def read(self) -> list[Any] | None:
        """Return the rows of all files, or None if no file has changed since the last time."""
        known = dict(self._files())
        unchanged = known.keys() == self._known.keys() and all(
            known[path] is self._known[path] for path in known
        )
        first = not self._known
        self._known = known
        return None if unchanged and not first else [row for _, row in known.values()]

    def _files(self) -> Iterator[tuple[Path, tuple[_Stamp, Any]]]:
        if not self._directory.is_dir():
            raise NotADirectoryError(f"no directory {str(self._directory)!r}")
        for path in sorted(self._directory.glob(self._pattern)):
            try:
                stat = path.stat()
                if not S_ISREG(stat.st_mode):
                    continue
                stamp = stat.st_size, stat.st_mtime_ns, stat.st_ino
                known = self._known.get(path)
                if known is None or known[0] != stamp:
                    known = stamp, self._row(path)
            except FileNotFoundError:
                continue
            yield path, known

    def _row(self, path: Path) -> Any:
        try:
            fields = json.loads(path.read_text("utf-8"))
            if not isinstance(fields, dict):
                raise ValueError("not a JSON object")  # noqa: TRY301, TRY004 - told with the others below
            if self._name_field is not None:
                fields[self._name_field] = (
                    path.relative_to(self._directory).with_suffix("").as_posix()
                )
            return self._build(fields)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"file {str(path)!r}: {error}") from error
