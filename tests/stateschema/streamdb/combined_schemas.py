"""Two schemas for two streams, and the schema of both."""

from pydantic import BaseModel

from stateschema.schema.entity import Entity, StateSchema
from tests.stateschema.streamdb.chat import Chat, change


class Profile(BaseModel, frozen=True):
    id: str
    name: str


class Profiles(StateSchema):
    profiles = Entity(Profile, type="profile", key="id")


class App(Chat, Profiles):
    pass


def profile(key: str, name: str, **headers: str) -> dict[str, object]:
    return change("profile", key, "upsert", {"id": key, "name": name}, **headers)
