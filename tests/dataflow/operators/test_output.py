"""Output: the integral, and the change of the last epoch."""

from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet


def test_rows_and_delta_belong_to_whoever_reads_them() -> None:
    circuit = Circuit()
    source = circuit.source()
    output = source.output()
    source.push(ZSet.from_rows("a"))
    rows, delta = output.rows, output.delta
    rows.add("x")
    delta.add("x")
    assert (output.rows, output.delta) == (ZSet.from_rows("a"), ZSet.from_rows("a"))
    source.push(ZSet.from_rows("b"))
    assert rows == ZSet.from_rows("ax")


def test_an_epoch_that_passes_by_leaves_an_empty_delta() -> None:
    circuit = Circuit()
    one, two = circuit.source(), circuit.source()
    output = one.output()
    assert (output.rows, output.delta) == (ZSet(), ZSet())
    one.push(ZSet.from_rows("a"))
    assert output.delta == ZSet.from_rows("a")
    two.push(ZSet.from_rows("b"))
    assert (output.rows, output.delta) == (ZSet.from_rows("a"), ZSet())


def test_statistics_count_the_rows_kept() -> None:
    circuit = Circuit()
    source = circuit.source()
    output = source.output()
    source.push(ZSet.from_rows("ab"))
    assert output.statistics() == circuit.statistics().operators[1]
    assert output.statistics().rows_held == 2
