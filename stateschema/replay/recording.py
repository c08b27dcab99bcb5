"""Recordings: the events of a log in pieces of a chosen size, each event with its place.

A piece becomes one epoch. Pieces are cut by count alone, so that the same log and size always give
the same epochs, however the log is read.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from stateschema.errors import Where
from stateschema.stream.batch import Batch
from stateschema.stream.text import is_array


class Piece(NamedTuple):
    """Consecutive messages of a log, and the place of each."""

    messages: list[Any]
    places: list[Where]


def pieces(batches: Iterable[Batch], *, size: int) -> Iterator[Piece]:
    """Cut batches anew, into pieces of `size` messages; the last one may be smaller."""
    piece = Piece([], [])
    for batch in batches:
        for index, message in enumerate(batch.messages):
            piece.messages.append(message)
            piece.places.append(batch.where(index))
            if len(piece.messages) == size:
                yield piece
                piece = Piece([], [])
    if piece.messages:
        yield piece


def count_messages(path: str) -> int | None:
    """Return how many messages a file of lines holds, None for other files and for pipes.

    Blank lines are counted as well: this is for a progress bar. O(size of the file).
    """
    if not Path(path).is_file():
        return None
    with Path(path).open("rb") as file:
        if is_array(file.read(64)):
            return None
        file.seek(0)
        return sum(1 for _ in file)
