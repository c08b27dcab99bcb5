"""The overlay by itself: the pure function, merging, and traces that only an overlay of single fields gets right."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow import Collection, CollectionError, Transaction
from dataflow.collection.overlay import Delete, Operation, Patch, Put, merge, overlay

Row = dict[str, Any]


def replace(row: Row, changes: Any) -> Row:
    return {**row, **changes}


@pytest.mark.parametrize(
    ("row", "operations", "visible"),
    [
        ({"a": 1}, [], {"a": 1}),
        (None, [], None),
        (None, [Put({"a": 1})], {"a": 1}),
        ({"a": 1}, [Put({"b": 2})], {"b": 2}),
        ({"a": 1, "b": 1}, [Patch({"b": 2})], {"a": 1, "b": 2}),
        (None, [Patch({"b": 2})], None),
        ({"a": 1}, [Delete()], None),
        (None, [Delete()], None),
        ({"a": 1}, [Patch({"a": 2}), Patch({"b": 3})], {"a": 2, "b": 3}),
        ({"a": 1}, [Patch({"a": 2}), Patch({"a": 3})], {"a": 3}),
        ({"a": 1}, [Delete(), Patch({"a": 2})], None),
        ({"a": 1}, [Delete(), Put({"a": 2}), Patch({"b": 3})], {"a": 2, "b": 3}),
    ],
)
def test_operations_are_applied_oldest_first(
    row: Row | None, operations: list[Operation], visible: Row | None
) -> None:
    assert overlay(row, operations, replace) == visible


OLD = {"id": 1, "a": 0}
NEW = {"id": 1, "a": 5}


@pytest.mark.parametrize(
    ("was_there", "earlier", "later", "merged"),
    [
        (False, None, Put(NEW), Put(NEW)),
        (False, Put(OLD), Patch({"a": 5}), Put(NEW)),
        (False, Put(OLD), Patch({"b": 1}), Put({**OLD, "b": 1})),
        (False, Put(OLD), Delete(), None),
        (False, Put(OLD), Put(NEW), Put(NEW)),
        (True, None, Patch({"a": 5}), Patch({"a": 5})),
        (True, Patch({"a": 5}), Patch({"b": 1}), Patch({"a": 5, "b": 1})),
        (True, Patch({"a": 5}), Patch({"a": 6}), Patch({"a": 6})),
        (True, Patch({"a": 5}), Delete(), Delete()),
        (True, Patch({"a": 5}), Put(NEW), Put(NEW)),
        (True, Delete(), Put(NEW), Put(NEW)),
        (True, Delete(), Delete(), Delete()),
        (True, Put(NEW), Patch({"b": 1}), Put({**NEW, "b": 1})),
        (True, Put(NEW), Delete(), Delete()),
    ],
)
def test_operations_of_one_transaction_merge_into_one(
    was_there: bool, earlier: Operation | None, later: Operation, merged: Operation | None
) -> None:
    assert merge(earlier, later, was_there=was_there, replace=replace) == merged


def test_a_row_deleted_by_the_transaction_has_no_fields_to_change() -> None:
    with pytest.raises(CollectionError, match="deleted by the same transaction"):
        merge(Delete(), Patch({"a": 1}), was_there=True, replace=replace)


# -- traces ------------------------------------------------------------------------------------------------------------

# One row with fields a, b and c, all 0 at first. Steps, in order:
#     A a=1       transaction A (made when first named) sets a      A x     it deletes the row
#     A!          it is committed; its function is running          A+      the function returns: completed
#     A-          it fails: rolled back, or its function raises     A new   it inserts the row, all 0
#     s b=5       a synced row comes with that field changed        s x     the row is deleted by sync
# Then what is visible, as a, b, c, or "none"; "(either way)" where an overlay of whole rows would show the same.

TRACES = """
A a=1, s b=5                                    1 5 0
A a=1, s b=5, s c=6                             1 5 6
A a=1, A!, s b=5                                1 5 0
A a=1, A!, s b=5, s b=6                         1 6 0
A a=1, A!, s a=9 b=5                            1 5 0
A a=1, A!, s a=1 c=3                            1 0 3
A a=1 b=1, s c=5                                1 1 5
A a=1 b=1, s a=7 b=7 c=7                        1 1 7
A a=1, A b=2, s c=3                             1 2 3
A a=1, A!, B b=2, s c=3                         1 2 3
A a=1, A!, B b=2, s a=9                         1 2 0 (either way)
A a=1, A!, B b=2, A+                            0 2 0
A a=1, A!, B b=2, B!, A+                        0 2 0
A a=1, A!, B b=2, B!, A-                        0 2 0
A a=1, A!, B b=2, B!, s a=7, A+                 7 2 0
A a=1, A!, B b=2, B!, s a=7, A-                 7 2 0
A a=1, A!, B b=2, B!, s a=1, A+, s a=4          4 2 0
A a=1, A!, B a=2, B!, s b=5                     2 5 0
A a=1, A!, B a=2, B!, B-, s b=5                 1 5 0
A a=1, A!, B a=2, B!, A-, s b=5                 2 5 0
A a=1, A!, B a=2, B!, A+, s c=5                 2 0 5
A a=1, A!, B b=2, B!, C c=3, C!, A-             0 2 3
A a=1, A!, B b=2, B!, C c=3, C!, B-             1 0 3
A a=1, A!, B b=2, B!, C c=3, C!, A-, B-         0 0 3
A a=1, A!, B b=2, B!, C c=3, C!, A+, B-         0 0 3
A a=1, A!, B b=2, B!, C c=3, C!, B+             1 0 3
A a=1, A!, B b=2, B!, C a=3, C!, B-             3 0 0
A a=1, A!, B b=2, B!, C a=3, C!, A-, C-         0 2 0
A a=1 b=1, A!, B b=2, B!, A-                    0 2 0
A a=1 b=1, A!, B b=2, B!, A+                    0 2 0
A a=1 b=1, A!, B b=2, B!, s a=1 b=1, A+         1 2 0 (either way)
A a=1 b=1, A!, B b=2, B!, s b=8 c=8, A-         0 2 8
A a=1 b=1 c=1, A!, B b=2, B!, A-                0 2 0
A a=1, A!, B b=2, B!, A-, s a=5                 5 2 0
A a=1, A!, B b=2, B!, A-, s c=5                 0 2 5
A a=1, A!, B b=2, A+, s a=3                     3 2 0
A a=1, A!, B b=2, A+, s a=3, B c=4              3 2 4
A a=1, A!, s b=5, B c=1, s b=6                  1 6 1
A a=1, A!, s b=5, B c=1, B!, A-                 0 5 1
A a=1, A!, s b=5, B b=1, B!, A-                 0 1 0
A a=1, A!, s b=5, B b=1, B!, s b=7, B-          1 7 0
A a=1, A!, s x                                  none
A a=1, s x, s new                               1 0 0 (either way)
A a=1, s x, s new b=4                           1 4 0
A a=1, A!, B b=2, B!, s x                       none
A a=1, A!, B b=2, B!, s x, A-, s new c=4        0 2 4
A a=1, A!, B b=2, B!, s x, s new                1 2 0 (either way)
A a=1, A!, B b=2, B!, s x, s new, A-            0 2 0
A a=1, A!, s x, B new, B!, s b=5                0 0 0
A a=1, A!, B x, B!, s b=5, B-                   1 5 0
A x, A!, s b=5, A-, B a=1, s c=2                1 5 2
A a=1, A!, B b=2, B!, A+, B-, s c=1             0 0 1 (either way)
A a=1, A!, A-, B b=2, s a=4                     4 2 0
A a=1, A!, A+, B b=2, s a=1                     1 2 0
A a=0, s a=5                                    0 0 0 (either way)
A a=0, s b=5                                    0 5 0
A a=0, A!, B b=0, B!, s a=4 b=4 c=4             0 0 4
A a=0, A!, B b=0, B!, s a=4 b=4, A-             4 0 0
A a=0, A!, B b=0, B!, s a=4 b=4, B-             0 4 0
A a=1, A!, B a=1, B!, A-, s b=3                 1 3 0
A a=1, A!, B a=1, B!, B-, s b=3                 1 3 0
A a=1, A b=1, A!, B c=1, B!, A-, s a=2 b=2      2 2 1
A a=1, A!, B b=1, B!, C a=2 b=2, C!, C-, s c=9  1 1 9
A a=1, A!, B b=1, B!, C a=2 b=2, C!, A-, s c=9  2 2 9
A a=1, A!, B b=1, B!, C c=1, C!, A+, s a=6, B-  6 0 1
A a=1, A!, s a=1, A+, B b=1, s a=2              2 1 0
"""


def parsed(line: str) -> tuple[list[tuple[str, str]], str, bool]:
    """Return steps (who, what), the expected row, and whether a whole-row overlay would get it wrong."""
    steps, _, end = line.partition("  ")
    expected, mark, _ = end.strip().partition(" (")
    found = [(step[:1], step[1:].strip()) for step in map(str.strip, steps.split(","))]
    return found, expected, not mark


LINES = TRACES.strip().splitlines()
EMPTY = {"id": 1, "a": 0, "b": 0, "c": 0}


def fields_of(text: str) -> Row:
    return {part[0]: int(part[2:]) for part in text.split() if "=" in part}


def text_of(row: Row | None) -> str:
    return "none" if row is None else " ".join(str(row[name]) for name in "abc")


def shown_by_the_library(steps: list[tuple[str, str]]) -> str:
    rows = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert(EMPTY)
    transactions: dict[str, Transaction] = {}
    answers: dict[str, list[Any]] = {}
    for who, what in steps:
        if who == "s":
            synced = {**(rows.synced_row(1) or EMPTY), **fields_of(what)}
            with rows.sync() as write:
                write.delete(1) if what == "x" else write.upsert(synced)
            continue
        if who not in transactions:
            transactions[who] = Transaction(mutation_fn=answers.setdefault(who, []).append)
        transaction = transactions[who]
        if what in ("!", "+", "-"):
            settle(transaction, what)
            continue
        with transaction:
            if what == "x":
                rows.delete(1)
            elif what == "new":
                rows.insert(EMPTY)
            else:
                rows.update(1, fields_of(what))
    return text_of(rows.get(1))


def settle(transaction: Transaction, what: str) -> None:
    """Set the state without a loop: what the mutation function does takes no part here."""
    if what == "!":
        transaction._state = "persisting"
    elif what == "-":
        transaction.rollback()
    else:
        transaction._settle("completed")


def shown_by_a_whole_row_overlay(steps: list[tuple[str, str]]) -> str:
    """Do the same with an overlay that remembers the row as it was when it was changed."""
    synced: Row | None = EMPTY
    layers: dict[str, Row | None] = {}
    for who, what in steps:
        visible = layers[next(reversed(layers))] if layers else synced
        if who == "s":
            synced = None if what == "x" else {**(synced or EMPTY), **fields_of(what)}
        elif what in ("+", "-"):
            layers.pop(who)
        elif what != "!":
            row = None if what == "x" else {**(visible or EMPTY), **fields_of(what)}
            layers = {**layers, who: row}
    return text_of(layers[next(reversed(layers))] if layers else synced)


@pytest.mark.parametrize("line", LINES)
def test_a_trace_ends_with_the_fields_that_are_still_meant(line: str) -> None:
    steps, expected, _ = parsed(line)
    assert shown_by_the_library(steps) == expected


def test_at_least_fifty_traces_would_fail_with_an_overlay_of_whole_rows() -> None:
    failing = [
        line for line in LINES if shown_by_a_whole_row_overlay(parsed(line)[0]) != parsed(line)[1]
    ]
    assert failing == [line for line in LINES if parsed(line)[2]]
    assert len(failing) >= 50
