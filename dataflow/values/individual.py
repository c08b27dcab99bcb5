"""Individuals: objects that may stand in a row and are never told apart by what they contain.

A collection in a row is itself: it has not become another value because rows came and went in it,
and two of them with the same rows are two.
"""

from __future__ import annotations


class Individual:
    """Base of classes whose instances equal themselves alone; they are opaque to the engine."""

    __slots__ = ()
