"""Reading fields of events: the wire promises nothing, so every look checks the type."""

from collections.abc import Mapping
from typing import Any

from stateschema.session.parts import UNSET


def text_field(event: Any, name: str) -> str | None:
    """Return a field that is a string, else None; empty is a string."""
    value = event.get(name) if isinstance(event, Mapping) else None
    return value if isinstance(value, str) else None


def object_field(event: Any, name: str) -> Mapping[str, Any] | None:
    """Return a field that is a JSON object, else None."""
    value = event.get(name) if isinstance(event, Mapping) else None
    return value if isinstance(value, Mapping) else None


def side_field(event: Mapping[str, Any], name: str) -> Any:
    """Return a field of the event, or of `metadata.tanstack` where adapters put what AG-UI lacks.

    Returns:
        The value, `UNSET` if both places lack it.
    """
    if name in event:
        return event[name]
    return (object_field(object_field(event, "metadata"), "tanstack") or {}).get(name, UNSET)
