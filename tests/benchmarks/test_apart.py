"""What runs in a process of its own is asked there, fails there and ends with it."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks.apart import Apart


@pytest.fixture
def counted() -> Iterator[Apart]:
    with closing(Apart(list, ["b", "a"])) as apart:
        yield apart


def test_methods_are_called_there_one_after_the_other(counted: Apart) -> None:
    given = ["c"]
    assert counted.ask("extend", given) is None
    counted.ask("sort", reverse=True)
    assert counted.ask("copy") == ["c", "b", "a"]
    assert given == ["c"]


def test_a_failure_is_told_with_its_traceback_and_ends_nothing(counted: Apart) -> None:
    with pytest.raises(RuntimeError, match=r"a process failed: Traceback (.|\n)*ValueError: list"):
        counted.ask("remove", "z")
    assert counted.ask("copy") == ["b", "a"]


def test_what_cannot_be_made_is_told_at_once() -> None:
    with pytest.raises(RuntimeError, match=r"a process failed: (.|\n)*TypeError: 'int' object"):
        Apart(list, 1)


def test_a_process_that_ended_is_told_with_its_status() -> None:
    with closing(Apart(_Quitter)) as apart, pytest.raises(RuntimeError, match="with status 3"):
        apart.ask("quit")


def test_another_process_answers() -> None:
    with closing(Apart(_Quitter)) as apart:
        assert apart.ask("number") != os.getpid()


class _Quitter:
    def number(self) -> int:
        return os.getpid()

    def quit(self) -> None:
        os._exit(3)
