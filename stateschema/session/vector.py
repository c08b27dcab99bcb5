"""A persistent sequence: append and replace one element, share the rest.

Law        v.append(x) == [*v, x] and v.set(i, x) == v with v[i] = x, as sequences; v itself stays
State      a trie of tuples of up to 32 children for all full blocks, and a tail of up to 32
           elements that have not filled a block yet
Cost       append, set, []: O(log32 n), copying at most 32 references per level; iteration O(n);
           == of versions of one vector: O(differing blocks), shared blocks are not looked into
Edges      a vector of up to 32 elements is just its tail; negative indexes and slices work as for
           a tuple, a slice is a tuple
Source     Bagwell, Rompf: RRB-Trees (2011), without the relaxed nodes
"""
# ruff: noqa: SLF001 (a version is built by the version before it)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Node = tuple[Any, ...]  # of nodes, at the lowest level of elements

_BITS = 5
_WIDTH = 1 << _BITS
_MASK = _WIDTH - 1


class Vector(Sequence[T_co]):
    """An immutable sequence with cheap append and replace.

    >>> Vector([1, 2]).append(3).set(0, 9)
    Vector([9, 2, 3])
    """

    __slots__ = ("_length", "_root", "_shift", "_tail")

    def __init__(self, elements: Iterable[T_co] = ()) -> None:
        self._length, self._shift = 0, 0
        self._root: Node = ()
        self._tail: Node = ()
        block = tuple(elements)
        for start in range(0, len(block), _WIDTH):
            if start:
                self._push_tail()
            self._tail = block[start : start + _WIDTH]
            self._length = start + len(self._tail)

    def append(self: Vector[T], element: T) -> Vector[T]:
        """Return the vector with `element` at its end. Complexity: O(log32 n)."""
        new = self._copy()
        if len(new._tail) == _WIDTH:
            new._push_tail()
            new._tail = ()
        new._tail = (*new._tail, element)
        new._length += 1
        return new

    def set(self: Vector[T], index: int, element: T) -> Vector[T]:
        """Return the vector with `element` at `index`.

        Raises:
            IndexError: there is no such index.

        Complexity: O(log32 n).
        """
        index = self._position(index)
        new = self._copy()
        tail_start = self._length - len(self._tail)
        if index >= tail_start:
            new._tail = _replace(self._tail, index - tail_start, element)
        else:
            new._root = _set_in(self._root, self._shift, index, element)
        return new

    def _copy(self: Vector[T]) -> Vector[T]:
        new: Vector[T] = Vector.__new__(Vector)
        new._length, new._shift, new._root = self._length, self._shift, self._root
        new._tail = self._tail
        return new

    def _push_tail(self) -> None:
        """Move the full tail into the trie; only on a vector nobody else has seen yet."""
        blocks = (self._length >> _BITS) - 1  # full blocks in the trie before this one
        if blocks == 1 << self._shift:  # the trie is full: one more level
            self._root = (self._root,)
            self._shift += _BITS
        self._root = _push_in(self._root, self._shift, blocks, self._tail)

    def _position(self, index: int) -> int:
        position = index + self._length if index < 0 else index
        if not 0 <= position < self._length:
            raise IndexError(f"vector index {index} is out of range")
        return position

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(self._length)))
        index = self._position(index)
        tail_start = self._length - len(self._tail)
        if index >= tail_start:
            last: T_co = self._tail[index - tail_start]
            return last
        node = self._root
        for shift in range(self._shift, -1, -_BITS):
            node = node[(index >> (shift + _BITS)) & _MASK]
        found: T_co = node[index & _MASK]
        return found

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T_co]:
        yield from _leaves(self._root, self._shift)
        yield from self._tail

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vector):
            return NotImplemented
        # Equal lengths mean equal shapes. Comparing tuples tests identity of each child first.
        return (self._length, self._tail, self._root) == (other._length, other._tail, other._root)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Vector({list(self)!r})"

    def _check(self) -> None:
        assert len(list(self)) == self._length
        assert bool(self._tail) == bool(self._length)
        assert [self[i] for i in range(self._length)] == list(self)


def _replace(node: Node, index: int, element: object) -> Node:
    return (*node[:index], element, *node[index + 1 :])


def _set_in(node: Node, shift: int, index: int, element: object) -> Node:
    slot = (index >> (shift + _BITS)) & _MASK
    if shift == 0:
        return _replace(node, slot, _replace(node[slot], index & _MASK, element))
    return _replace(node, slot, _set_in(node[slot], shift - _BITS, index, element))


def _push_in(node: Node, shift: int, block: int, leaf: Node) -> Node:
    if shift == 0:
        return (*node, leaf)
    slot = (block >> shift) & _MASK
    child = node[slot] if slot < len(node) else ()
    return (*node[:slot], _push_in(child, shift - _BITS, block, leaf))


def _leaves(node: Node, shift: int) -> Iterator[Any]:
    for child in node:
        if shift == 0:
            yield from child
        else:
            yield from _leaves(child, shift - _BITS)
