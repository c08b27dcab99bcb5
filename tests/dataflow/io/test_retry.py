import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.io.retry import Retry


def test_waits_grow_up_to_the_limit() -> None:
    retry = Retry(first=1.0, factor=3.0, limit=10.0, jitter=0.0)
    assert [retry.delay(attempt) for attempt in (1, 2, 3, 4, 10_000)] == [1.0, 3.0, 9.0, 10.0, 10.0]


@given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1), st.floats(0, 10), st.floats(1, 5))
def test_a_wait_is_shortened_by_no_more_than_the_jitter(
    attempt: int, jitter: float, chance: float, first: float, factor: float
) -> None:
    full = Retry(first=first, factor=factor, jitter=0.0).delay(attempt)
    wait = Retry(first=first, factor=factor, jitter=jitter, chance=lambda: chance).delay(attempt)
    assert full * (1 - jitter) <= wait <= full <= 60.0


def test_it_gives_up_after_the_last_attempt() -> None:
    assert [Retry(attempts=2).gives_up(attempt) for attempt in (1, 2, 3)] == [False, True, True]
    assert not Retry().gives_up(10**9)


@pytest.mark.parametrize("wrong", [{"first": -1}, {"factor": 0.5}, {"jitter": 1.5}])
def test_numbers_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a retry needs"):
        Retry(**wrong)  # type: ignore[arg-type]  # only floats are passed
