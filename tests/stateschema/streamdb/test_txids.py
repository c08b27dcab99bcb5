"""Memory of txids is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from stateschema.streamdb.txids import REMEMBERED, RecentTxids


@given(st.lists(st.lists(st.sampled_from("abcde"))), st.integers(1, 4))
def test_the_latest_distinct_txids_are_known(batches: list[list[str]], limit: int) -> None:
    recent = RecentTxids(limit=limit)
    for batch in batches:
        recent.add(batch)
    newest_first = dict.fromkeys(txid for batch in reversed(batches) for txid in reversed(batch))
    latest = list(newest_first)[:limit]
    assert list(recent) == latest[::-1]
    assert {txid for txid in "abcde" if txid in recent} == set(latest)


def test_a_hundred_thousand_txids_do_not_grow_a_memory() -> None:
    recent = RecentTxids()
    for number in range(100_000):
        recent.add([str(number)])
    assert len(recent._txids) == REMEMBERED
    assert ["0" in recent, "99999" in recent] == [False, True]
