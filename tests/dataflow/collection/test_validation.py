"""What users write is checked and coerced as a whole row; what comes by sync is taken as it is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, NamedTuple

import msgspec
import pytest
from pydantic import (
    AliasChoices,
    AliasGenerator,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)
from pydantic import dataclasses as pydantic_dataclasses
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from dataflow import Collection, CollectionError, Transaction, UnknownFieldError


class Model(BaseModel):
    """A frozen row with aliases, as on the wire."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel),
        validate_by_name=True,
        frozen=True,
    )

    id: int
    full_name: str
    age: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class Data:
    """A row of the standard library."""

    id: int
    full_name: str
    age: Annotated[int, Field(ge=0)] = 0


class Typed(TypedDict, total=False):
    """A row that is a dict."""

    id: int
    full_name: str
    age: Annotated[int, Field(ge=0)]


class Struct(msgspec.Struct, frozen=True):
    """A row of msgspec."""

    id: int
    full_name: str
    age: Annotated[int, msgspec.Meta(ge=0)] = 0


class StructAuthor(msgspec.Struct):
    """Nested in a row."""

    name: str


class StructPost(msgspec.Struct, rename="camel"):
    """A row with other names on the wire."""

    id: int
    main_author: StructAuthor
    title: str = ""


ROW_TYPES: list[Any] = [Model, Data, Typed, Struct]


@pytest.fixture(params=ROW_TYPES, ids=lambda row_type: row_type.__name__)
def row_type(request: pytest.FixtureRequest) -> Any:
    return request.param


def row(row_type: Any, **fields: Any) -> Any:
    return row_type(**fields)


def test_mappings_become_rows_and_values_are_coerced(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    people.insert([{"id": "1", "full_name": "Ada", "age": "36"}])
    people.insert(row(row_type, id=2, full_name="Bo", age=1))
    assert people.rows() == [
        row(row_type, id=1, full_name="Ada", age=36),
        row(row_type, id=2, full_name="Bo", age=1),
    ]


def test_updates_validate_the_whole_row_and_set_what_was_named(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    people.insert(row(row_type, id=1, full_name="Ada", age=1))
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        people.update(1, age="37")
    assert tx.mutations[0].changes == {"age": 37}
    assert people.rows() == [row(row_type, id=1, full_name="Ada", age=37)]


def test_what_is_not_valid_is_refused_and_named(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    people.insert(row(row_type, id=1, full_name="Ada", age=1))
    with pytest.raises(CollectionError) as caught:
        people.update(1, age=-5)
    assert str(caught.value).startswith("collection 'people': field 'age': ")
    assert caught.value.__cause__ is not None
    with pytest.raises(CollectionError, match="collection 'people': field 'age': "):
        people.insert([{"id": 2, "full_name": "Bo"}, {"id": 3, "full_name": "Cy", "age": "old"}])
    assert people.rows() == [row(row_type, id=1, full_name="Ada", age=1)]


@pytest.mark.parametrize("row_type", [Model, Data], ids=lambda row_type: row_type.__name__)
def test_a_missing_field_is_named_with_what_was_given_instead(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    with pytest.raises(CollectionError) as caught:
        people.insert({"id": 1, "full_nam": "Ada"})
    message = str(caught.value).lower()
    assert "field 'full" in message
    assert message.endswith(" (given as 'full_nam'?)")
    assert people.rows() == []


@pytest.mark.parametrize("row_type", [Data, Typed, Struct], ids=lambda row_type: row_type.__name__)
def test_rows_that_nobody_has_looked_at_are_validated_too(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    good = row(row_type, id=1, full_name="Ada", age=36)
    people.insert([good, row(row_type, id="2", full_name="Bo", age="7")])
    assert people.rows() == [good, row(row_type, id=2, full_name="Bo", age=7)]
    for wrong in ("old", -1, None):
        with pytest.raises(CollectionError, match=r"^collection 'people': field 'age': "):
            people.insert(row(row_type, id=3, full_name="Cy", age=wrong))
    with pytest.raises(CollectionError, match="field 'full_name'"):
        people.insert([row(row_type, id=3, full_name="Cy"), row(row_type, id=4, full_name=7)])
    assert len(people) == 2


@pytest.mark.parametrize("row_type", [Model, Data, Struct], ids=lambda row_type: row_type.__name__)
def test_a_valid_row_stays_the_object_it_is(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    given = row(row_type, id=1, full_name="Ada", age=36)
    people.insert(given)
    assert people[1] is given


@dataclass(frozen=True)
class Employee(Data):
    """A row of a subclass."""

    wage: int = 0


def test_rows_of_a_subclass_stay_of_it_and_are_valid_if_it_says_so() -> None:
    people = Collection("people", key="id", row=Data)
    given = Employee(1, "Ada", wage=5)
    people.insert([given, Employee(2, "Bo", wage="6")])  # type: ignore[arg-type]  # a text
    assert people.rows() == [given, Employee(2, "Bo", wage=6)]
    assert people[1] is given
    with pytest.raises(CollectionError, match="collection 'people': field 'wage'"):
        people.insert(Employee(3, "Cy", wage="much"))  # type: ignore[arg-type]  # a text


@dataclass
class Scaled:
    """A row that forgets what it was made from."""

    id: int
    factor: InitVar[int]
    size: int = 0

    def __post_init__(self, factor: int) -> None:
        self.size *= factor


@pydantic_dataclasses.dataclass
class Checked:
    """A row that pydantic has looked at when it was made."""

    id: int


def test_rows_that_cannot_or_need_not_be_made_again_are_taken_as_they_are() -> None:
    scaled = Collection("scaled", key="id", row=Scaled)
    checked = Collection("checked", key="id", row=Checked)
    scaled.insert(Scaled(1, 2, 3))
    checked.insert(row := Checked(1))
    assert (scaled.rows(), checked[1] is row) == ([Scaled(1, 2, 3)], True)


class Sparse(msgspec.Struct, frozen=True):
    """A row with fields that need not be there."""

    id: int
    age: int | msgspec.UnsetType | None = msgspec.UNSET
    rank: int | msgspec.UnsetType = msgspec.UNSET
    name: str = ""


def test_unset_fields_of_a_struct_stay_unset() -> None:
    rows = Collection("rows", key="id", row=Sparse)
    rows.insert(given := [Sparse(1), Sparse(2, age=None), Sparse(3, age=4)])
    assert all(map(lambda kept, row: kept is row, rows.rows(), given))
    rows.update([1, 2], name="x")
    rows.update(3, rank="7")
    assert rows.rows() == [
        Sparse(1, name="x"),
        Sparse(2, age=None, name="x"),
        Sparse(3, age=4, rank=7),
    ]
    assert (rows[1].age, rows[2].age, rows[2].rank) == (msgspec.UNSET, None, msgspec.UNSET)


def test_update_refuses_an_undeclared_field(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    people.insert(given := row(row_type, id=1, full_name="Ada"))
    with pytest.raises(UnknownFieldError) as caught:
        people.update(1, agee=3)
    assert str(caught.value) == "collection 'people' has no field 'agee' (did you mean 'age'?)"
    assert people.rows() == [given]


def test_aliases_are_read_as_well() -> None:
    people = Collection("people", key="id", row=Model)
    people.insert({"id": 1, "fullName": "Ada"})
    assert people.rows() == [Model(id=1, full_name="Ada")]


def test_synced_rows_are_not_validated() -> None:
    people = Collection("people", key="id", row=Data)
    with people.sync() as write:
        write.insert(Data(1, "Ada", -1))
    assert people[1].age == -1
    with pytest.raises(CollectionError, match="field 'age'"):
        people.update(1, full_name="Bo")


def test_a_rule_over_several_fields_sees_the_changed_row() -> None:
    class Span(BaseModel):
        id: int
        start: int
        end: int

        @model_validator(mode="after")
        def check(self) -> Span:
            if self.end < self.start:
                raise ValueError("ends before it starts")
            return self

    spans = Collection("spans", key="id", row=Span)
    spans.insert({"id": 1, "start": 2, "end": 3})
    with pytest.raises(CollectionError, match="collection 'spans': value error, ends before"):
        spans.update(1, end=1)
    spans.update(1, start=0, end=1)
    assert spans.rows() == [Span(id=1, start=0, end=1)]


def test_a_validator_can_be_given() -> None:
    ids = TypeAdapter(dict[str, int])
    numbers = Collection("numbers", key="id", validate=ids.validate_python)
    numbers.insert({"id": "1", "n": "2"})
    assert numbers.rows() == [{"id": 1, "n": 2}]
    with pytest.raises(CollectionError, match="collection 'numbers': field 'n': input should be"):
        numbers.update(1, n="many")

    def positive(value: Any) -> Any:
        if value["n"] < 0:
            raise ValueError("n is negative")
        return value

    strict = Collection("strict", key="id", validate=positive)
    with pytest.raises(CollectionError, match=r"^collection 'strict': n is negative$"):
        strict.insert({"id": 1, "n": -1})


class Pair(NamedTuple):
    """A row of a type that says nothing about its values."""

    id: int
    value: int


def test_other_rows_are_taken_as_they_are() -> None:
    pairs = Collection("pairs", key="id", row=Pair)
    pairs.insert(Pair(1, 2))
    pairs.update(1, value=3)
    assert pairs.rows() == [Pair(1, 3)]
    with pytest.raises(CollectionError, match="holds rows of type Pair, not dict"):
        pairs.insert({"id": 1, "value": 2})
    plain = Collection("plain", key="id")
    plain.insert({"id": 1, "n": "2"})
    assert plain.rows() == [{"id": 1, "n": "2"}]


def test_nested_models_survive_the_update_of_another_field() -> None:
    class Author(BaseModel):
        name: str

    class Post(BaseModel):
        id: int
        author: Author
        title: str = ""

    posts = Collection("posts", key="id", row=Post)
    posts.insert({"id": 1, "author": {"name": "Ada"}})
    author = posts[1].author
    posts.update(1, title="x")
    assert posts[1] == Post(id=1, author=Author(name="Ada"), title="x")
    assert posts[1].author is author


def test_nested_structs_survive_the_update_of_another_field() -> None:
    posts = Collection("posts", key="id", row=StructPost)
    posts.insert({"id": 1, "main_author": {"name": "Ada"}})
    posts.update(1, title="x")
    assert posts[1] == StructPost(id=1, main_author=StructAuthor(name="Ada"), title="x")


def test_an_async_handler_gets_valid_rows() -> None:
    sent: list[Any] = []

    async def save(tx: Transaction) -> None:
        sent.extend(m.value for m in tx.mutations)

    people = Collection("people", key="id", row=Model, on_insert=save)

    async def scenario() -> None:
        await people.insert({"id": "7", "fullName": "Ada"})

    asyncio.run(scenario())
    assert sent == [Model(id=7, full_name="Ada")]


def test_rows_without_declared_type_load_no_validation_library() -> None:
    script = (
        "import sys\nfrom dataflow import Collection\n"
        "c = Collection('c', key='id')\nc.insert({'id': 1})\nc.update(1, n=2)\n"
        "assert 'pydantic' not in sys.modules and c[1] == {'id': 1, 'n': 2}"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


class Plain:
    """A class that no validation library knows."""


@dataclass(frozen=True)
class Holder:
    """A row that holds one, and a field that is not given."""

    id: int
    held: Plain
    twice: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.id)


def test_fields_of_any_class_are_taken_if_they_are_of_it() -> None:
    holders = Collection("holders", key="id", row=Holder)
    held, other = Plain(), Plain()
    holders.insert(Holder(1, held))
    holders.insert({"id": "2", "held": held})
    holders.update(1, held=other)
    assert holders.rows() == [Holder(1, other), Holder(2, held)]
    assert [row.twice for row in holders.rows()] == [2, 4]
    with pytest.raises(CollectionError, match="collection 'holders': field 'held': input should"):
        holders.update(1, held=object())


def test_a_type_whose_fields_cannot_be_found_out_needs_a_validator() -> None:
    @dataclass(frozen=True)
    class Unknown:
        id: int
        hidden: Hidden | None = None  # type: ignore[name-defined]  # noqa: F821 - nobody knows it

    rows = Collection("rows", key="id", row=Unknown)
    with pytest.raises(CollectionError, match="rows of type 'Unknown' cannot be validated"):
        rows.insert(Unknown(1))
    taken = Collection("rows", key="id", row=Unknown, validate=lambda row: row)
    taken.insert(Unknown(1))
    assert taken.rows() == [Unknown(1)]


def test_insert_refuses_an_undeclared_field_and_all_rows_with_it(row_type: Any) -> None:
    people: Collection[Any] = Collection("people", key="id", row=row_type)
    with pytest.raises(UnknownFieldError) as caught:
        people.insert([{"id": 2, "full_name": "Bo"}, {"id": 3, "full_name": "Cy", "agee": 3}])
    assert str(caught.value) == "collection 'people' has no field 'agee' (did you mean 'age'?)"
    assert people.rows() == []


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: int


class Deaf(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int


class OpenTyped(TypedDict):
    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # how pydantic is told
    id: int


class Renaming(BaseModel):
    id: int

    @model_validator(mode="before")
    @classmethod
    def rename(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {"id": given["old_id"]}


class Tree(BaseModel):
    """Refers to itself, and reads one field from several places."""

    id: int = Field(validation_alias=AliasChoices("ID", AliasPath("meta", "id")))
    kids: list[Tree] = []


class Tagged(msgspec.Struct, tag_field="kind", tag="t"):
    id: int


@pytest.mark.parametrize(
    ("row_type", "given", "expected"),
    [
        (Open, {"id": 1, "more": 2}, Open.model_validate({"id": 1, "more": 2})),
        (Deaf, {"id": 1, "more": 2}, Deaf(id=1)),
        (OpenTyped, {"id": 1, "more": 2}, {"id": 1, "more": 2}),
        (Renaming, {"old_id": 1}, Renaming.model_construct(id=1)),
        (Tree, {"meta": {"id": 1}}, Tree.model_construct(id=1)),
        (Tree, {"ID": 1, "kids": []}, Tree.model_construct(id=1)),
        (Tagged, {"id": 1, "kind": "t"}, Tagged(1)),
    ],
)
def test_a_type_that_takes_other_names_is_given_them(
    row_type: Any, given: dict[str, Any], expected: Any
) -> None:
    things: Collection[Any] = Collection("things", key="id", row=row_type)
    things.insert(given)
    assert things.rows() == [expected]


def test_a_validator_of_ones_own_decides_about_names() -> None:
    people: Collection[Any] = Collection(
        "people", key="id", row=Data, validate=lambda given: Data(given["nr"], "Ada")
    )
    people.insert({"nr": 1})
    assert people.rows() == [Data(1, "Ada")]


def test_undeclared_fields_of_synced_rows_do_not_keep_anyone_from_updating() -> None:
    people: Collection[Any] = Collection("people", key="id", row=Typed)
    with people.sync() as write:
        write.insert({"id": 1, "age": 2, "extra": 3})
    people.update(1, age=4)
    assert people.rows() == [{"id": 1, "age": 4, "extra": 3}]


def test_a_misspelt_field_of_a_type_that_refers_to_itself_is_refused() -> None:
    trees = Collection("trees", key="id", row=Tree)
    with pytest.raises(UnknownFieldError, match=r"'trees' has no field 'kid' .did you mean 'kids'"):
        trees.insert({"id": 1, "kid": []})
