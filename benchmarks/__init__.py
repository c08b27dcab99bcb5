"""Benchmarks: live queries beside the same views written by hand. `python -m benchmarks --help`."""
