"""Bad events: what is done about messages that are no events, or do not fit the schema.

"raise" stops a StreamDB for good; "skip" leaves the message out, counts it and hands it to a callback.
One policy holds for everything, or each entity has its own:

    on_error={"chunks": "raise", "*": "skip"}

`*` stands for the entities that are not named, and for messages of no entity; without it they raise.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from stateschema.errors import EventError, SchemaError
from stateschema.events import ChangeEvent
from stateschema.schema.entity import StateSchema, entities
from stateschema.streamdb.arguments import check_choice, check_function

OnError: TypeAlias = Literal["raise", "skip"]
Policies: TypeAlias = OnError | Mapping[str, OnError]

ELSE = "*"


class BadEvents:
    """Decides about bad events, and counts those left out.

    Args:
        schema: What the policies are for.
        policies: One for everything, or by entity name.
        on_skip: Called with the error of each event left out; it holds the message and its place.

    Attributes:
        skipped: How many were left out, by wire type; "" for messages that have none.

    Raises:
        SchemaError: A policy is for no entity of the schema.
        ValueError: A policy is none that there is.
        TypeError: `on_skip` is no function.
    """

    def __init__(
        self,
        schema: type[StateSchema],
        policies: Policies,
        on_skip: Callable[[EventError], object] | None,
    ) -> None:
        named = dict(policies) if isinstance(policies, Mapping) else {ELSE: policies}
        for policy in named.values():
            check_choice(policy, ("raise", "skip"), "on_error")
        check_function(on_skip, "on_skip")
        known = entities(schema)
        for name in named:
            if name != ELSE and name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                raise SchemaError(f"on_error= names {name!r}, which is no entity{hint}")
        self._else = named.get(ELSE, "raise")
        self._by_type = {entity.type: named.get(name, self._else) for name, entity in known.items()}
        self._on_skip = on_skip
        self.skipped: Counter[str] = Counter()

    def meet(self, message: Any, placed: EventError, error: EventError) -> None:
        """Leave a bad event out.

        Raises:
            EventError: The policy is not to.
            Exception: `on_skip` raised.
        """
        row_type = _type_of(message)
        if self._by_type.get(row_type, self._else) == "raise":
            raise placed from error
        self.skipped[row_type] += 1
        if self._on_skip is not None:
            self._on_skip(placed)


def _type_of(message: Any) -> str:
    if isinstance(message, ChangeEvent):
        return message.type
    found = message.get("type") if isinstance(message, dict) else None
    return found if isinstance(found, str) else ""
