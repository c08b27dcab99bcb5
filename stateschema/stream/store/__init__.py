"""Where a server keeps its streams: one set of operations over memory or SQLite."""
