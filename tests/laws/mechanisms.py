"""Mechanisms: what the engine does to be fast, done always or never instead of where it pays.

No query means anything else because of them. So the cases of a law run with some of them at the one
end or the other, drawn anew for each case.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from dataflow.aggregation import extremes
from dataflow.circuit import propagation, router, way
from dataflow.collection import collection
from dataflow.frozen import replace
from dataflow.query.compiler import cells, chain, entries, order, plan_joins
from dataflow.query.compiler.layout import layout_of_adapter
from dataflow.query.compiler.plan_joins import _pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dataflow.query.compiler.layout import Layout, RowKind
    from dataflow.values.row import RowAdapter

ALWAYS = 1_000_000


def _read_as(kind: RowKind, adapter: RowAdapter) -> Layout:
    layout = layout_of_adapter(adapter)
    return replace(layout, slots=tuple(replace(slot, kind=kind) for slot in layout.slots))


def _never(*_: object) -> None:
    return None


def _never_inside(*given: Any, inside: bool = False, **named: Any) -> Any:
    return _pairs(*given, **named)


Setting = tuple[object, str, object]
SETTINGS: dict[str, tuple[Setting, ...]] = {
    "rank by rank": ((propagation, "nodes_on_way", _never),),
    "ways, however long": ((way, "FEW", ALWAYS),),
    "no routes": ((chain, "route_of", _never),),
    "routers that choose from the first reader on": ((router, "FEW", 0),),
    # an attribute of a dict is not there, so that every reading of a field goes to the safe evaluator
    "safe evaluation": ((collection, "layout_of_adapter", partial(_read_as, "object")),),
    "rows that are asked for their fields": (
        (collection, "layout_of_adapter", partial(_read_as, "any")),
    ),
    "limits that keep one entry more": ((entries, "SPARE", 1), (order, "SPARE", 1)),
    "orders that are sorted anew": ((order, "FEW", ALWAYS),),
    "orders whose entries move": ((order, "FEW", 0),),
    "extremes in trees": ((cells, "LONGEST", 1), (extremes, "LONGEST", 1)),
    "joins that are nodes": ((plan_joins, "_pairs", _never_inside),),
}

some_mechanisms = st.sets(st.sampled_from(sorted(SETTINGS)), max_size=4)


@contextmanager
def running_with(names: Iterable[str]) -> Iterator[None]:
    """Let the engine do as some settings say; of two for one thing the later one holds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            for module, what, value in SETTINGS[name]:
                patch.setattr(module, what, value)
        yield
