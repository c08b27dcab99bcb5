"""Declaring a schema: what its class body may say, and what to answer to names it does not know."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from stateschema.errors import SchemaError


class Declared:
    """What a schema declares under a name, once."""

    __slots__ = ()


class _Body(dict[str, Any]):
    """The body of a schema class: a second declaration of a name is refused, not taken for the first."""

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, Declared) and isinstance(self.get(name), Declared):
            raise SchemaError(f"schema declares the entity {name!r} twice")
        super().__setitem__(name, value)


class SchemaType(type):
    """The type of schema classes."""

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **keywords: Any) -> _Body:
        return _Body()

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Any:
            raise unknown_name(cls, name, owner=cls)


def check_schema(value: object, owner: str) -> None:
    """Refuse what is no schema.

    Raises:
        TypeError: It is no subclass of `StateSchema`.
    """
    if isinstance(value, SchemaType):
        return
    error = TypeError(f"{owner} takes a subclass of StateSchema, not {value!r}")
    error.add_note("class Chat(StateSchema): messages = Entity(Message, type='message', key='id')")
    raise error


def unknown_name(schema: type, name: str, *, owner: object) -> AttributeError:
    """Return the error about a name that is none of a schema, with the nearest one that is."""
    known = {
        each
        for base in schema.__mro__
        for each, value in vars(base).items()
        if isinstance(value, Declared)
    }
    if name in known:
        return AttributeError(f"no collection is attached for entity {name!r}")
    near = get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return AttributeError(
        f"schema {schema.__name__!r} has no entity {name!r}{hint}", name=name, obj=owner
    )
