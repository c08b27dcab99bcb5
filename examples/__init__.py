"""Programs that run: `python -m examples.NAME`."""
