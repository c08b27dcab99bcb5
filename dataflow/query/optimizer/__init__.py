"""The optimizer: rewrites of the IR that change cost, never rows, keys or order."""
