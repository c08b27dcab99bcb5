"""The stream server beside the reference server, under the same load in one run."""
