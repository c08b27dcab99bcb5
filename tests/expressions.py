"""Random expressions, conditions, aggregates and window functions as program text.

The forms are those of `tests.forms`. Chance chooses among them, urged by wishes for features
(`tests.features`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests import forms
from tests.features import CALLS, COLLATIONS, NESTED

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

SCALARS = frozenset((*CALLS, "json path", "fn"))
BEYOND_SQL = frozenset(
    (
        *("text", "regex", "date", "cast", "number", "json path", "type test"),
        *("collation", "order by a call"),
        *("fn", "map", "filter", "into", "fold", "aggregate", "variance", "stddev", "nested dict"),
        *NESTED,
    )
)
"""What a program does not use that is meant for SQL as well."""
URGE = 16.0  # how much likelier a wish makes what it names


@dataclass
class Shape:
    """What can be said about the rows of a source or view.

    Attributes:
        columns: As `.name` or `["name"]`.
        collections: The collections it is computed from.
        width: How many sources its tree has.
        depth: 0 of a collection, 1 of a live view of collections, and so on.
        is_live: Whether it is a live view.
        is_limited: Whether it ends in a limit.
    """

    columns: tuple[str, ...]
    collections: frozenset[str] = frozenset()
    width: int = 1
    depth: int = 0
    is_live: bool = False
    is_limited: bool = False


@dataclass
class Expressions:
    """Writes one expression after the other.

    Attributes:
        is_wild: Whether constants may be of any kind.
        is_sql: Whether SQL should be able to say the same.
        wishes: Features to use where they can be.
        shapes: Source or view -> what its rows look like.
    """

    rng: random.Random
    is_wild: bool
    is_sql: bool = False
    wishes: frozenset[str] = frozenset()
    shapes: dict[str, Shape] = field(default_factory=dict)

    # -- chance

    def choose(self, weights: Mapping[str, float]) -> str:
        """Choose one of the names, wishes above all."""
        names = [name for name in weights if not (self.is_sql and name in BEYOND_SQL)]
        urged = [weights[n] * (URGE if n in self.wishes else 1) for n in names]
        return self.rng.choices(names, urged)[0]

    def likely(self, chance: float, *features: str) -> bool:
        """Decide by chance, or by a wish for any of the features."""
        if self.is_sql and not BEYOND_SQL.isdisjoint(features):
            return False
        wished = not self.wishes.isdisjoint(features)
        return self.rng.random() < (max(chance, 0.75) if wished else chance)

    def urge(self, weight: float, features: frozenset[str]) -> float:
        return weight * (6 if self.wishes & features else 1)

    # -- expressions

    def columns(self, names: Sequence[str], bound: dict[str, str]) -> list[str]:
        return [f"{a}{column}" for a in names for column in self.shapes[bound[a]].columns]

    def constant(self, beside: str = "") -> str:
        """Write a constant, mostly of the kind of the column it will stand beside."""
        numbers = ("0", "1", "1", "2", "3", "0.5")
        texts = ("''", "'a'", "'b'", "'B'")
        wild = ("True", "False", "1.0", "nan", "'1'", "inf", "0.1")
        if self.rng.random() < 0.75:
            return self.rng.choice(texts if beside.endswith((".s", '["s"]')) else numbers)
        return self.rng.choice(numbers + texts + (wild if self.is_wild else ()))

    def value(self, columns: Sequence[str], depth: int = 1) -> str:
        column = self.rng.choice(columns)
        if depth == 0 or not (self.likely(0.6, *SCALARS) or self.is_sql):
            return column
        other = self.value(columns, depth - 1)
        form = self.rng.choice(forms.VALUES[self.choose(forms.WEIGHTS)])
        condition = self.condition(columns, 0)
        return form.format(a=column, b=other, c=self.constant(), p=condition)

    def condition(self, columns: Sequence[str], depth: int = 1) -> str:
        choice = self.rng.random()
        if depth and choice < 0.35:
            a, b = self.condition(columns, depth - 1), self.condition(columns, depth - 1)
            return self.rng.choice(("({} & {})", "({} | {})", "({} | {})", "(~{})")).format(a, b)
        a = self.rng.choice(columns) if self.rng.random() < 0.8 else self.value(columns, depth)
        c, d = self.constant(a), self.constant(a)
        if choice < 0.65 and not self.likely(0, "type test", "regex"):
            operator = self.rng.choice(("==", "!=", "!=", "<", "<=", ">", ">="))
            b = c if self.rng.random() < 0.7 else self.rng.choice(columns)
            return f"({a} {operator} {b})"
        tests = {"null": 3.0, "membership": 3.0, "range": 1.0, "text": 3.0, "regex": 1.0}
        form = self.rng.choice(forms.TESTS[self.choose(tests | {"type test": 1.5})])
        return form.format(a=a, c=c, d=d)

    def orders(self, columns: Sequence[str], *, may_call: bool = False) -> str:
        """Write an order; with `may_call` also by what a user function makes of a column."""
        parts = []
        for column in self.rng.sample(columns, min(len(columns), self.rng.randint(1, 2))):
            options = []
            if self.rng.random() < 0.5:
                options.append("nulls='last'")
            if self.likely(0.1, "collation"):
                options.append(f"collation={self.rng.choice(sorted(COLLATIONS))!r}")
            direction = self.rng.choice(("asc", "desc"))
            is_plain = direction == "asc" and not options
            if may_call and self.likely(0.1, "order by a call"):
                column = f"fn(double, {column})"
            parts.append(column if is_plain else f"{column}.{direction}({', '.join(options)})")
        return ", ".join(parts)

    def aggregate(self, columns: Sequence[str]) -> str:
        order = ""
        if self.rng.random() < 0.5:
            order = f", order_by={self.rng.choice(columns)}{self.rng.choice(('', '.desc()'))}"
        value = self.value(columns, 1)
        condition = self.condition(columns, 0)
        common = dict.fromkeys(forms.AGGREGATES, 1.0) | {"count": 2.0, "sum": 2.0, "fold": 1.5}
        form = self.rng.choice(forms.AGGREGATES[self.choose(common)])
        text = form.format(a=value, order=order, p=condition)
        if self.likely(0.25, "filtered aggregate"):
            text += f".where({self.condition(columns, 0)})"
        return text

    def cell(self, columns: Sequence[str]) -> str:
        """Write a column of a group: an aggregate, or what is computed from some."""
        one = self.aggregate(columns)
        if not self.likely(0.15, "aggregate in expression"):
            return one
        form = self.rng.choice(("({} + {})", "coalesce({}, {})", "greatest({}, {})", "({} * 2)"))
        return form.format(one, self.aggregate(columns))

    def window(self, columns: Sequence[str], *, are_cells: bool = False) -> str:
        """Write a window function over rows, or over groups: no aggregate of aggregates there."""
        a, b = self.value(columns, self.rng.choice((0, 0, 1))), self.value(columns, 0)
        running = ("running aggregate", "aggregate of a partition")
        kinds = dict.fromkeys(forms.WINDOWS, 1.0) | dict.fromkeys(
            running, 0.0 if are_cells else 2.5
        )
        kind = self.choose(kinds)
        is_running = kind in running
        text = self.rng.choice(forms.RUNNING if is_running else forms.WINDOWS[kind])
        text = text.format(a=a, b=b, c=self.constant(a), p=self.condition(columns, 0))
        if is_running and self.rng.random() < 0.25:
            text += f".where({self.condition(columns, 0)})"
        parts = []
        if self.rng.random() < 0.7:
            parts.append(f"partition_by=[{', '.join(self.keys(columns))}]")
        if kind != "aggregate of a partition":
            parts.append(f"order_by=[{self.orders(columns)}]")
        return f"{text}.over({', '.join(parts)})"

    def keys(self, columns: Sequence[str]) -> list[str]:
        """Choose one or two columns, those of few values first."""
        count = min(len(columns), self.rng.choice((1, 1, 2)))
        return [self.key(columns), *self.rng.sample(columns, count)][:count]

    def key(self, columns: Sequence[str]) -> str:
        """Prefer columns of few values, so that joins find partners."""
        likely = [column for column in columns if column.endswith((".k", '["k"]', ".id", ".c0"))]
        return self.rng.choice(likely or columns)
