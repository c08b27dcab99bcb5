from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataflow.arrangement import Arrangement
from dataflow.values.normal import NAN

Row = tuple[Any, int]

values = st.sampled_from([None, 0, 1, "a", NAN, (1, NAN)])
histories = st.lists(
    st.dictionaries(st.integers(0, 5), st.none() | st.tuples(values, st.integers(0, 2)), max_size=4)
)


def value_of(row: Row) -> Any:
    return row[0]


def indexed(rows: dict[int, Row]) -> dict[Any, dict[int, Row]]:
    """Return what an arrangement of some rows has to hold."""
    index: dict[Any, dict[int, Row]] = {}
    for key, row in rows.items():
        if row[0] is not None:
            index.setdefault(row[0], {})[key] = row
    return index


def advance(rows: dict[int, Row], writes: dict[int, Row | None]) -> list[Any]:
    """Apply writes to a model; return their net delta."""
    delta = []
    for key, new in writes.items():
        old = rows.pop(key, None)
        if new is not None:
            rows[key] = new
        if old != new:
            delta.append((key, old, new))
    return delta


@given(histories)
def test_it_holds_each_row_under_its_value_and_answers_for_the_epoch_before(history: Any) -> None:
    rows: dict[int, Row] = {}
    arrangement = Arrangement(value_of)
    for writes in history:
        before = indexed(rows)
        delta = advance(rows, writes)
        values = arrangement.apply(delta)
        arrangement._check()
        assert arrangement.buckets == indexed(rows)
        assert arrangement.rows() == sum(map(len, indexed(rows).values()))
        past = arrangement.before(zip(delta, *values, strict=True))
        for value in {*before, *arrangement.buckets, "never"}:
            assert dict(past.get(value)) == before.get(value, {})
            assert past.count(value) == len(before.get(value, {}))
        now = indexed(rows)
        changed = {v for v in {*before, *now} if before.get(v) != now.get(v)}
        assert set(past.changed) == changed


@given(histories)
def test_loading_is_the_same_as_applying(history: Any) -> None:
    rows: dict[int, Row] = {}
    applied, loaded = Arrangement(value_of), Arrangement(value_of)
    for writes in history:
        applied.apply(advance(rows, writes))
    loaded.load([(99, ("stale", 0))])
    loaded.load(rows.items())
    assert loaded.buckets == applied.buckets


def test_an_update_that_keeps_the_value_replaces_the_row_in_place() -> None:
    arrangement = Arrangement(value_of)
    arrangement.load([(1, ("a", 0)), (2, ("a", 0))])
    bucket = arrangement.buckets["a"]
    arrangement.apply([(1, ("a", 0), ("a", 1))])
    assert arrangement.buckets["a"] is bucket
    assert list(bucket.items()) == [(1, ("a", 1)), (2, ("a", 0))]
