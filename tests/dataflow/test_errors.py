"""The exception tree: what each error also is, what it says, and that it travels."""

import copy
import pickle

import pytest

from dataflow.errors import (
    CollectionError,
    DataflowError,
    InvariantError,
    NonRetriableError,
    PacingError,
    QueryError,
    StorageError,
    TransactionError,
    UnknownFieldError,
    near,
)

ERRORS: list[DataflowError] = [
    QueryError("a"),
    UnknownFieldError("nam", "alias 'user'", ["name", "id"]),
    CollectionError("a"),
    TransactionError("a"),
    PacingError("a", reason="full"),
    NonRetriableError("a"),
    StorageError("a"),
    InvariantError("a", operator="join", epoch=3, law=2),
]


def test_every_error_is_the_builtin_people_already_catch() -> None:
    builtins = [ValueError, AttributeError, *[RuntimeError] * 4, OSError, AssertionError]
    assert [isinstance(e, b) for e, b in zip(ERRORS, builtins, strict=True)] == [True] * 8
    assert isinstance(ERRORS[1], QueryError)


def test_codes_are_stable() -> None:
    assert [error.code for error in ERRORS] == [
        "query",
        "unknown-field",
        "collection",
        "transaction",
        "pacing",
        "non-retriable",
        "storage",
        "invariant",
    ]


def test_the_root_is_abstract() -> None:
    with pytest.raises(TypeError, match="is abstract"):
        DataflowError("a")


def test_an_unknown_field_is_named_with_the_near_ones() -> None:
    error = UnknownFieldError("nam", "alias 'user'", ["name", "id"])
    assert str(error) == "alias 'user' has no field 'nam' (did you mean 'name'?)"
    assert (error.name, error.owner, error.fields) == ("nam", "alias 'user'", ("name", "id"))


def test_an_invariant_error_says_where_and_which() -> None:
    assert str(InvariantError("x is odd")) == "x is odd"
    error = InvariantError("x is odd", operator="join", epoch=0, law=2)
    assert str(error) == "x is odd (operator join, epoch 0, law 2)"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_errors_survive_copying_and_pickling(error: DataflowError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_near_lists_up_to_three_matches() -> None:
    assert near("aaaa", ["aaab", "aaac", "aaad", "aaae", "zzzz"]).count(" or ") == 2
    assert near("q", ["a"]) == ""
