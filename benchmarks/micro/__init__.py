"""Microbenchmarks of single parts of the engine: `pytest benchmarks/micro`. `make test` does not collect them."""
