"""A persistent map: set one key, share the rest.

Law        m.set(k, v) == {**m, k: v} as mappings; m itself stays
State      a trie over 5-bit slices of the hash; leaves are dicts of up to 8 entries that are never
           changed after they were linked in
Cost       get, set: O(log32 n), copying at most one leaf and 32 references per level
Edges      keys whose whole hash collides share one leaf of any size; nothing is ever removed
Source     Bagwell: Ideal Hash Trees (2001), without the compressed nodes
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")

_BITS = 5
_MASK = (1 << _BITS) - 1
_LEAF = 8
_HASH_BITS = 60
_Branch = tuple[Any, ...]  # 32 children: None, a leaf (dict) or a branch


class Map(Mapping[K, V]):
    """An immutable mapping with a cheap `set`.

    >>> a = Map().set("x", 1)
    >>> b = a.set("x", 2)
    >>> a["x"], b["x"], "y" in b
    (1, 2, False)
    """

    __slots__ = ("_length", "_root")

    def __init__(self) -> None:
        self._length = 0
        self._root: dict[K, V] | _Branch = {}

    def set(self, key: K, value: V) -> Map[K, V]:
        """Return the map with `value` under `key`. Complexity: O(log32 n)."""
        new: Map[K, V] = Map()
        new._root = _set(self._root, 0, hash(key) & ((1 << _HASH_BITS) - 1), key, value)
        new._length = self._length + (key not in self)
        return new

    def _leaf(self, key: K) -> dict[K, V]:
        node: Any = self._root
        bits = hash(key) & ((1 << _HASH_BITS) - 1)
        while isinstance(node, tuple):
            node = node[bits & _MASK]
            bits >>= _BITS
        return node or {}

    def __getitem__(self, key: K) -> V:
        return self._leaf(key)[key]

    def __contains__(self, key: object) -> bool:
        return key in self._leaf(cast("K", key))  # any hashable may be asked for

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[K]:
        return _keys(self._root)

    def __repr__(self) -> str:
        return f"Map({dict(self)!r})"


def _set(node: Any, depth: int, bits: int, key: Any, value: Any) -> Any:
    if isinstance(node, tuple):
        slot = bits & _MASK
        child = _set(node[slot], depth + _BITS, bits >> _BITS, key, value)
        return (*node[:slot], child, *node[slot + 1 :])
    leaf = {**(node or {}), key: value}
    if len(leaf) <= _LEAF or depth >= _HASH_BITS:
        return leaf
    branch: _Branch = (None,) * (_MASK + 1)
    for k, v in leaf.items():
        k_bits = (hash(k) & ((1 << _HASH_BITS) - 1)) >> depth
        branch = _set(branch, depth, k_bits, k, v)
    return branch


def _keys(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for child in node:
            yield from _keys(child)
    elif node:
        yield from node
