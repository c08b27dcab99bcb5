"""One row in each kind of class that a schema takes, and the next version of it."""

from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from stateschema.schema.entity import Entity, StateSchema


class Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)
    id: str
    reply_to: str | None = None


@dataclass(frozen=True)
class Data:
    id: str
    reply_to: Annotated[str | None, Field(alias="replyTo")] = None


class Typed(TypedDict):
    id: str
    replyTo: NotRequired[str | None]


class Struct(msgspec.Struct, rename="camel", frozen=True):
    id: str
    reply_to: str | None = None


class ModelNext(Model):
    stars: int = 0


@dataclass(frozen=True)
class DataNext(Data):
    stars: int = 0


class TypedNext(Typed):
    stars: NotRequired[int]


class StructNext(Struct, rename="camel", frozen=True):
    stars: int = 0


class Kinds(StateSchema):
    models = Entity(Model, type="model", key="id")
    data = Entity(Data, type="data", key="id")
    typed = Entity(Typed, type="typed", key="id")
    structs = Entity(Struct, type="struct", key="id")
    dicts = Entity(dict[str, Any], type="dict", key="id")


class KindsNext(StateSchema, version=2):
    models = Entity(ModelNext, type="model", key="id")
    data = Entity(DataNext, type="data", key="id")
    typed = Entity(TypedNext, type="typed", key="id")
    structs = Entity(StructNext, type="struct", key="id")
    dicts = Entity(dict[str, Any], type="dict", key="id")
    notes = Entity(Typed, type="note", key="id")


OLD: dict[str, Any] = {
    "models": Model(id="1", reply_to="0"),
    "data": Data("1", "0"),
    "typed": Typed(id="1", replyTo="0"),
    "structs": Struct("1", "0"),
    "dicts": {"id": "1", "replyTo": "0"},
}
NEW: dict[str, Any] = {
    "models": ModelNext(id="1", reply_to="0", stars=5),
    "data": DataNext("1", "0", 5),
    "typed": TypedNext(id="1", replyTo="0", stars=5),
    "structs": StructNext("1", "0", 5),
    "dicts": {"id": "1", "replyTo": "0", "stars": 5},
}
