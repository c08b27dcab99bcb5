"""Models read at once share the set of the fields they were given, where that is all of them."""

import pickle
from copy import deepcopy
from typing import Any, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from stateschema.schema.rows import row_type


class Note(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    text: str = ""
    of: str | None = Field(default=None, alias="parent")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str
    text: str = ""


class Checked(BaseModel):
    id: str

    @model_validator(mode="after")
    def _is_fine(self) -> Self:
        return self


WHOLE = {"id": "1", "text": "a", "parent": "0"}


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (Note, [WHOLE, {"id": "2"}, WHOLE | {"more": 1}, {"id": "3", "of": "1"}]),
        (
            Open,
            [{"id": "1", "text": "a"}, {"id": "2", "more": 1}, {"id": "3", "text": "b", "c": 1}],
        ),
        (Checked, [{"id": "1"}, {"id": "2"}]),
    ],
)
def test_models_know_which_fields_they_were_given(row: Any, values: list[dict[str, Any]]) -> None:
    read = row_type(row).read_all(values)
    assert [model.model_fields_set for model in read] == [
        row.model_validate(value, by_name=True, by_alias=True).model_fields_set for value in values
    ]


def test_models_that_were_given_all_fields_share_one_set() -> None:
    first, second, partial = row_type(Note).read_all([WHOLE, WHOLE, {"id": "2"}])
    assert first.model_fields_set is second.model_fields_set
    assert partial.model_fields_set == {"id"}


@pytest.mark.parametrize("copied", [deepcopy, lambda row: pickle.loads(pickle.dumps(row))])
def test_what_is_made_of_such_a_model_has_a_set_of_its_own(copied: Any) -> None:
    first, second = row_type(Note).read_all([WHOLE, WHOLE])
    made = copied(first)
    made.model_fields_set.clear()
    changed = first.model_copy(update={"text": "b"})
    changed.model_fields_set.clear()
    assert first.model_fields_set == second.model_fields_set == {"id", "text", "of"}
