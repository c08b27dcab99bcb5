"""Frozen classes behave as frozen dataclasses with slots do, but for what they leave to type checkers."""

import copy
import pickle
from dataclasses import dataclass

import pytest

from dataflow.frozen import frozen, replace, values_of


@frozen
class Point:
    """A place."""

    x: object
    y: object = 0


@frozen
class Vector:
    """As a point, but another class."""

    x: object
    y: object = 0


@frozen
class Nowhere:
    """Without fields."""


@frozen
class Loose:
    """With an equality of its own."""

    x: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loose) and self.x % 10 == other.x % 10

    def __hash__(self) -> int:
        return self.x % 10


@dataclass(frozen=True, slots=True)
class Model:
    """What a frozen class is compared with."""

    x: object
    y: object = 0


@pytest.mark.parametrize("arguments", [(1,), (1, 2), ("a", None), ((1, 2), [3])])
def test_objects_are_made_and_shown_as_those_of_dataclasses(arguments: tuple[object, ...]) -> None:
    point, model = Point(*arguments), Model(*arguments)
    assert repr(point) == repr(model).replace("Model", "Point")
    assert values_of(point) == (model.x, model.y)
    assert copy.deepcopy(point) == point == pickle.loads(pickle.dumps(point))


def test_fields_are_given_by_name_too() -> None:
    assert Point(y=2, x=1) == Point(1, 2)
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]  # what is wrong here
    with pytest.raises(TypeError):
        Point(1, z=2)  # type: ignore[call-arg]  # as above


def test_equality_looks_at_class_and_fields() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    other: object = Vector(1, 2)
    assert Point(1, 2) != other
    assert Nowhere() == Nowhere()
    nan = float("nan")
    assert Point(nan) == Point(nan)
    assert {Point(1), Vector(1), Point(1, 0), Nowhere(), Nowhere()} == {
        Point(1),
        Vector(1),
        Nowhere(),
    }


def test_a_field_without_a_hash_takes_the_hash_away() -> None:
    assert hash(Point((1, 2))) == hash(Point((1, 2)))
    with pytest.raises(TypeError):
        hash(Point([1, 2]))


def test_a_copy_does_not_carry_the_hash_along() -> None:
    point = Point("a")
    hash(point)
    assert point.__reduce__() == (Point, ("a", 0))


def test_methods_of_the_class_stay() -> None:
    assert {Loose(1), Loose(11), Loose(2)} == {Loose(1), Loose(2)}


def test_replace_makes_another_object() -> None:
    point = Point(1, 2)
    assert hash(point) != hash(replace(point, y=3))
    assert (point, replace(point, y=3)) == (Point(1, 2), Point(1, 3))
    with pytest.raises(TypeError):
        replace(point, z=3)


def test_fields_are_matched_by_position_and_have_no_room_for_others() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("no match")
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]  # what is wrong here


def test_other_objects_have_no_fields() -> None:
    assert (values_of(1), values_of(Model(1)), values_of(Nowhere())) == ((), (), ())
