"""StreamDB beside the TypeScript StreamDB, and derived collections on their way to remote readers."""
