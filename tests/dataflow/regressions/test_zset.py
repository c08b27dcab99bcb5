"""Faults of Z-sets that were found by their laws."""

from __future__ import annotations

import math

from dataflow.zset import ZSet


def test_check_does_not_take_nan_for_a_mutated_row() -> None:
    zset: ZSet[object] = ZSet([(math.nan, 1), ([math.nan], 1)])
    zset._check()
    assert zset.weight(-math.nan) == 1
