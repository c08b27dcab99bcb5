"""A raw incremental dataflow: operators on Z-sets with Python functions.

    circuit = Circuit()
    edges = circuit.source("edges")
    degrees = edges.count(key=lambda edge: edge[0]).output()
    edges.push(ZSet.from_rows([("a", "b"), ("a", "c")]))
    degrees.delta, degrees.rows

A circuit keeps relations, which are Z-sets, up to date by passing only changes along its streams. It knows nothing of
collections, keys of rows or queries; those are in `dataflow`. docs/operators.md is a tutorial.
"""

from dataflow.operators.circuit import Circuit, CircuitStatistics, SourceStream
from dataflow.operators.operator import OperatorStatistics
from dataflow.operators.output import Output
from dataflow.operators.stream import DeltaStream
from dataflow.zset import ZSet

__all__ = [
    "Circuit",
    "CircuitStatistics",
    "DeltaStream",
    "OperatorStatistics",
    "Output",
    "SourceStream",
    "ZSet",
]
