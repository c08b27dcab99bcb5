"""What type checkers infer about streams of a circuit. Checked, never run."""

from typing import assert_type

from dataflow.operators.circuit import Circuit, SourceStream
from dataflow.operators.output import Output
from dataflow.operators.stream import DeltaStream
from dataflow.zset import ZSet

circuit = Circuit()
words: SourceStream[str] = circuit.source("words")
numbers: SourceStream[int] = circuit.source("numbers")


def operators_know_their_rows() -> None:
    assert_type(words.map(len), DeltaStream[int])
    assert_type(words.filter(str.isupper), DeltaStream[str])
    assert_type(words.flat_map(str.encode), DeltaStream[int])
    assert_type(words.concat(words.negate()).distinct(), DeltaStream[str])
    assert_type(words.topk(3, order=len), DeltaStream[str])
    assert_type(words.iterate(lambda found: found.map(str.lower)), DeltaStream[str])
    words.concat(numbers)  # type: ignore[arg-type]  # rows of another type


def joins_know_both_sides() -> None:
    pairs = words.join(numbers, left_key=len, right_key=abs)
    assert_type(pairs, DeltaStream[tuple[str, int]])
    assert_type(
        words.join(numbers, left_key=len, right_key=abs, into=lambda word, n: word * n),
        DeltaStream[str],
    )
    assert_type(words.semijoin(numbers, left_key=len, right_key=abs), DeltaStream[str])
    assert_type(words.antijoin(numbers, left_key=len, right_key=abs), DeltaStream[str])


def outputs_know_their_rows() -> None:
    output = words.output()
    assert_type(output, Output[str])
    assert_type(output.rows, ZSet[str])
    assert_type(output.delta, ZSet[str])
    words.push(ZSet.from_rows([1]))  # type: ignore[list-item]  # rows of another type
