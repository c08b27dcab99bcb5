"""Independent answers to what a query means: slow, obvious, and sharing no code with the engine."""
