"""From IR to a running circuit: physical nodes, generated code, and the planner that chooses and shares them."""
