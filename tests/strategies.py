"""Strategies: one per noun of the glossary, over one seeded generator of values and histories.

Hypothesis draws only a seed; `random.Random(seed)` makes the rest. A case then is cheap to make, a
soak run can count through seeds without Hypothesis, and shrinking happens on the finished case
(`tests.laws.shrinking`), where it knows what may be left out.

Values come in palettes. `PLAIN` is what SQLite holds as well, `TYPED` what a database with typed
columns does. `DATED` has times and nested values. `WILD` is where engines go wrong: True beside 1
and 1.0, NaN, infinities, -0.0, 0.1, texts that look like numbers, lists and dicts. Numbers stay
small, so that equal values stay equal whatever is computed from them.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.cases import Case, Commit, Model, Op, Row, Verb
from tests.programs import random_views

VERBS: tuple[Verb, ...] = ("insert", "update", "upsert", "delete")
COLLECTIONS = ("a", "b", "c")


@dataclass(frozen=True)
class Palette:
    """The values each field of a row is drawn from; `...` leaves the field out."""

    id: tuple[Any, ...]
    k: tuple[Any, ...]
    x: tuple[Any, ...]
    s: tuple[Any, ...]
    m: tuple[Any, ...]
    deep: tuple[Any, ...]


PLAIN = Palette(
    id=tuple(range(8)),
    k=(0, 1, 2, 3, None, ...),
    x=(-2, 0, 1, 2, 3, 7, 0.5, 2.25, -1.5, 1.0, None, ...),
    s=("", "a", "ab", "B", "b", "é", None, ...),
    m=(0, 1, "1", "x", None, ...),
    deep=(...,),
)
TYPED = replace(PLAIN, m=(0, 1, 2, 5, None, ...))
DATED = replace(
    PLAIN,
    x=(0, 1, 2, 0.5, -1, 12, None, ...),
    s=("2024-02-29T23:30:00Z", "2024-03-01T00:30:00+01:00", "2023-12-31", "14:00", "a", "", None),
    m=(
        datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
        datetime(2024, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
        datetime(2024, 2, 29, 23, 30),  # noqa: DTZ001 - naive on purpose
        date(2024, 3, 31),
        timedelta(hours=1),
        1,
        None,
        ...,
    ),
    deep=([], [1, "b"], {"a": [1, 2]}, {"a": "x", "b": None}, {"a": {"a": [0]}}, "a", None, ...),
)
TEXT_KEYS = tuple("pqrstuvw")
MIXED_KEYS = (1, "1", 2, 0, "", "a", 0.5, (1, "a"))
WILD = Palette(
    id=MIXED_KEYS,
    k=(0, 1, 1.0, 2, True, "1", math.nan, None, ...),
    x=(-1, 0, -0.0, 1, 2.0, 0.1, 0.2, 0.3, 2.0**40, math.nan, math.inf, -math.inf, True, "x", None, ...),
    s=("", "a", "ab", "B", "10", "9", "\U0001f600", "\uffff", 3, None, ...),
    m=(False, True, 0, 1, 1.0, 0.0, "1", None, ...),
    deep=([], [1], [1.0], [True], [None], {}, {"a": 1}, {"a": 1.0}, {"a": [2]}, {"a": None}, None, ...),
)  # fmt: skip


def random_palette(rng: random.Random, *, is_graph: bool = False) -> Palette:
    """Choose what the rows of a case look like.

    Args:
        is_graph: Whether `k` names one of few rows, so that rows which name each other go in circles.
    """
    base = rng.choice((PLAIN, TYPED, TYPED, DATED, WILD, WILD))
    keys = rng.choice((PLAIN.id, TEXT_KEYS, *((MIXED_KEYS,) if base is WILD else ())))
    if base is TYPED:
        keys = PLAIN.id
    k = base.k if rng.random() < 0.3 else (*keys[:4], *base.k[-4:])  # so that joins find partners
    if is_graph:
        keys = keys[:5]
        k = keys
    return Palette(keys, k, base.x, base.s, base.m, base.deep)


def random_row(rng: random.Random, palette: Palette, key: Any) -> Row:
    """Make a row with this key."""
    row: Row = {"id": key}
    for name in ("k", "x", "s", "m", "deep"):
        value = rng.choice(getattr(palette, name))
        if value is not ...:
            row[name] = value
    return row


def random_op(rng: random.Random, palette: Palette, name: str, model: Model, gone: list[Any]) -> Op:
    """Make one change: insert, update, delete and re-insert are about equally likely.

    Some of them do nothing by contract: the row is there already, or the key is not.
    """
    intent = rng.choice(("insert", "update", "delete", "again", "again", "odd"))
    present = [key for key, _ in model.entries]
    if intent == "delete" and present:
        return Op(name, "delete", rng.choice(present))
    if intent == "odd":
        return _odd_op(rng, palette, name, model)
    if intent == "update" and present:
        key, row = rng.choice(model.entries)
        fresh = random_row(rng, palette, key)
        field = rng.choice(("k", "x", "s", "m", "deep", "all"))
        if field == "all":
            return Op(name, "update", fresh)
        changed = {part: value for part, value in row.items() if part != field}
        return Op(name, "update", changed | {field: fresh.get(field)})
    again = intent == "again" and gone
    key = rng.choice(gone) if again else rng.choice(palette.id)
    return Op(name, rng.choice(("insert", "upsert")), random_row(rng, palette, key))


def _odd_op(rng: random.Random, palette: Palette, name: str, model: Model) -> Op:
    if model.entries and rng.random() < 0.5:
        return Op(name, rng.choice(("insert", "update")), dict(rng.choice(model.entries)[1]))
    key = rng.choice(palette.id)
    verb = rng.choice(VERBS)
    return Op(name, verb, key if verb == "delete" else random_row(rng, palette, key))


def random_history(
    rng: random.Random, palette: Palette, initial: dict[str, tuple[Row, ...]], commits: int
) -> tuple[Commit, ...]:
    """Make commits of one to five changes each, over every collection."""
    models = {name: Model(rows) for name, rows in initial.items()}
    gone: dict[str, list[Any]] = {name: [] for name in initial}
    history = []
    for _ in range(commits):
        names = rng.sample(sorted(initial), rng.randint(1, len(initial)))
        commit = []
        for _ in range(rng.choice((1, 1, 1, 1, 2, 3, 5))):
            name = rng.choice(names)
            op = random_op(rng, palette, name, models[name], gone[name])
            models[name].apply(op)
            if op.verb == "delete":
                gone[name].append(op.value)
            commit.append(op)
        history.append(tuple(commit))
    return tuple(history)


def random_case(
    rng: random.Random,
    *,
    commits: int = 12,
    views: int = 3,
    wishes: frozenset[str] | None = None,
) -> Case:
    """Make a case: up to three collections, up to `views` queries, some reading earlier ones.

    Args:
        commits, views: How many there are at most; at least half as many.
        wishes: Features that its queries use if they can; None leaves them to chance.
    """
    is_graph = wishes is not None and "recursion over a cycle" in wishes
    palette = random_palette(rng, is_graph=is_graph)
    names = COLLECTIONS[: rng.choice((1, 2, 3, 3, 3))]
    initial = {
        name: tuple(
            random_row(rng, palette, key)
            for key in rng.sample(
                palette.id, rng.choice((4, 5) if is_graph else (0, 3, 4, 4, 5, 5, 6, 6))
            )
        )
        for name in names
    }
    count = views if wishes else rng.randint((views + 1) // 2, views)
    is_wild, is_deep = palette.x is WILD.x, palette.deep is not PLAIN.deep
    is_sql = not is_deep and wishes is None and rng.random() < 0.5
    programs = random_views(
        rng, names, count, is_wild=is_wild, is_deep=is_deep, is_sql=is_sql, wishes=wishes
    )
    history = random_history(rng, palette, initial, rng.randint(commits // 2, commits))
    return Case(initial, programs, history, has_objects=not is_sql and rng.random() < 0.3)


def seeds() -> st.SearchStrategy[int]:
    """Seeds for the generator."""
    return st.integers(0, 2**32 - 1)


def cases(*, commits: int = 12, views: int = 3) -> st.SearchStrategy[Case]:
    """Whole cases: rows, queries, history."""
    return seeds().map(lambda seed: random_case(random.Random(seed), commits=commits, views=views))


def values() -> st.SearchStrategy[Any]:
    """Values of every kind a field may hold, equal ones of different types among them."""
    fields = (WILD.id, WILD.k, WILD.x, WILD.s, WILD.m, WILD.deep)
    return st.sampled_from([v for choices in fields for v in choices if v is not ...])


def keys() -> st.SearchStrategy[Any]:
    """Keys of rows: no two of them equal by contract."""
    return st.sampled_from([*MIXED_KEYS, *TEXT_KEYS])


def rows() -> st.SearchStrategy[Row]:
    """Rows of a wild collection."""
    return st.builds(lambda seed, key: random_row(random.Random(seed), WILD, key), seeds(), keys())


def histories(*, commits: int = 12) -> st.SearchStrategy[tuple[Commit, ...]]:
    """Histories over three collections that start empty."""

    def build(seed: int) -> tuple[Commit, ...]:
        rng = random.Random(seed)
        initial: dict[str, tuple[Row, ...]] = dict.fromkeys(COLLECTIONS, ())
        return random_history(rng, random_palette(rng), initial, rng.randint(1, commits))

    return seeds().map(build)
