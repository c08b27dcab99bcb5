"""The AG-UI chunk dialect, as @tanstack/ai 0.58 understands it: events to parts."""
