"""Floors: the views of the benchmarks, each written by hand for one question, with plain dicts and lists."""
