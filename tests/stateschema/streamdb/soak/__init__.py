"""Traffic like that of a long day: many writers and readers, a network and a server that fail."""
