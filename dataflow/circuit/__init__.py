"""The circuit: nodes, and the graph that runs them epoch by epoch."""
