"""Live queries: running queries whose results are collections again."""
