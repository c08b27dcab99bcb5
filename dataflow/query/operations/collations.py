"""Collations: the orders of text beside the one by code point.

    nocase      letters of either case are level: "Ada" = "ada" < "Bob"
    unaccented  as nocase, and letters with marks stand level with those without: "Émile" = "emile"
    natural     as nocase, and digits count as numbers: "file9" < "file10"

Each is a function from a text to the text by which it is sorted, so that an order with a collation
is an order by an expression: it holds wherever an order may stand, and texts that are level stand
by ascending key. What is no text is sorted as it is. No collation depends on the locale of the
machine.

Source  Unicode Standard, 3.13 (case folding) and Annex 15 (decomposition)
"""

from __future__ import annotations

import re
from typing import Any, Final
from unicodedata import category, normalize

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import text

_NUMBER: Final = re.compile("0*([0-9]+)")


def nocase(value: Any) -> Any:
    """Return what texts have in common that differ in case alone."""
    whole = text(value)
    return value if whole is None else whole.casefold()


def unaccented(value: Any) -> Any:
    """Return what texts have in common that differ in case and marks alone."""
    whole = text(value)
    if whole is None:
        return value
    parts = normalize("NFKD", whole.casefold())
    return "".join(char for char in parts if category(char) != "Mn")


def natural(value: Any) -> Any:
    """Return a text that sorts digits by their number: each run of them after its length."""
    whole = text(value)
    if whole is None:
        return value
    return _NUMBER.sub(lambda run: f"{len(run[1]):09}{run[1]}", whole.casefold())


OPERATIONS: Final = (
    Operation("nocase", nocase, 1, 1, "what a text is sorted by whatever its case"),
    Operation("unaccented", unaccented, 1, 1, "what a text is sorted by whatever case and marks"),
    Operation("natural", natural, 1, 1, "what a text is sorted by if digits are numbers"),
)
