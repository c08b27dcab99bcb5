"""What tests of your own queries need.

assert_incremental(query, (collection, rows), …, steps=, seed=)   drive a random history, compare after every epoch
strict()                                                          find whoever mutates a row
ManualClock                                                       time that passes when a test says so
"""

from dataflow.testing.clock import ManualClock
from dataflow.testing.incremental import assert_incremental
from dataflow.testing.strict import strict

__all__ = ["ManualClock", "assert_incremental", "strict"]
