"""One file per numbered law of ARCHITECTURE.md, each against an oracle of its own."""
