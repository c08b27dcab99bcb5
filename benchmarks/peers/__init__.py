"""Peers: who answers the questions of the benchmarks, one per file; `peers.roster` knows them all."""
