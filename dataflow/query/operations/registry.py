"""Every scalar operation by its name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dataflow.query.operations import (
    casts,
    collations,
    containers,
    logic,
    numbers,
    patterns,
    texts,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataflow.query.operations.operation import Operation

_MODULES: Final = (logic, numbers, texts, collations, patterns, times, casts, containers)

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {operation.name: operation for module in _MODULES for operation in module.OPERATIONS}
)
"""Name -> operation, for everything a `scalar.Call` may name."""
