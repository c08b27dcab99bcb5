"""Collections: keyed rows, how they are written, and how their changes are followed."""
