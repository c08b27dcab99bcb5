"""A `with` block closes what was opened for it."""

from __future__ import annotations

import pytest

from dataflow.closing import Closing


class Door(Closing):
    """Counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_the_end_of_the_block_closes() -> None:
    with Door() as door:
        assert door.closed == 0
    assert door.closed == 1


def test_an_exception_closes_and_passes() -> None:
    door = Door()
    with pytest.raises(ValueError, match="oops"), door:
        raise ValueError("oops")
    assert door.closed == 1
