"""What tests of your own queries need.

assert_incremental(query, (collection, rows), …, steps=, seed=)   drive a random history, compare after every epoch
strict()                                                          find whoever mutates a row
"""

from dataflow.testing.incremental import assert_incremental
from dataflow.testing.strict import strict

__all__ = ["assert_incremental", "strict"]
