"""The tuples that definitions compare by say what the oracle says."""

from itertools import product

from tests.dataflow.operators.definitions import form
from tests.dataflow.operators.running import KEYS, ROWS, VALUES
from tests.oracle.semantics import compare


def test_forms_compare_as_the_oracle_does() -> None:
    values = [*KEYS, *VALUES, *ROWS[::7], {"k": None}, {}, {"k": 1.0, "a": 2}, [1, None], [1]]
    for a, b in product(values, repeat=2):
        assert (form(a) > form(b)) - (form(a) < form(b)) == compare(a, b), (a, b)
        assert (form(a) == form(b)) == (compare(a, b) == 0), (a, b)
