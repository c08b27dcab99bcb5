"""Random queries as program text, in the words of the public API.

A program is a list of views. Each reads collections and earlier views, filters and joins them, and
ends in rows, a select, or a group-by with aggregates; then having, order, limit and map. What the
text may refer to besides sources is in `VOCABULARY`.

User functions respect equality: of two equal values they make two equal ones, so that it cannot
matter which of them the engine kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.query import aggregates, builder, combining, functions, nesting, windows
from tests.cases import View
from tests.oracle.semantics import field_of, kind

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

FIELDS = (".id", ".k", ".x", ".s", ".m")
NESTED = (".deep", '.deep["a"]', ".deep[0]")
COMBINATIONS = ("union_all", "union", "intersect", "except_")
JOINS = ("inner", "inner", "inner", "left", "left", "right", "full", "semi", "anti", "cross")
AGGREGATES = (
    "count()",
    "count({})",
    "sum_({})",
    "avg({})",
    "min_({})",
    "max_({})",
    "collect({}{order})",
    "first({}{order})",
    "last({}{order})",
    "fold({}, (), append{order})",
    "fold({}, list, grow, finish=len{order})",
    "fold({}, '', write, finish=shout{order})",
)
RARE_AGGREGATES = (
    "count_distinct({})",
    "median({})",
    "variance({})",
    "stddev({})",
    "any_({p})",
    "all_({p})",
    "string_agg({}, '; '{order})",
    "aggregate({}, 0, heavier, lighter)",
    "aggregate({}, tuple, bag, unbag, finish=len)",
)
FORMS = (
    "({a} + {b})",
    "({a} - {c})",
    "({a} * 2)",
    "({a} / {c})",
    "(-{a})",
    "coalesce({a}, {b})",
    "coalesce({a}, {c})",
    "case(({p}, {b}), else_={a})",
    "abs_({a})",
    "upper({a})",
    "length(upper({a}))",
    "concat({a}, '-', {b})",
    "fn(double, {a})",
)

WINDOWS = (
    "row_number()",
    "rank()",
    "dense_rank()",
    "lag({a})",
    "lag({a}, 2, {b})",
    "lag({p})",
    "lead({a}, 1, {c})",
    "lead({a}, 0)",
    "lead({a}, 2)",
)
RUNNING = ("count()", "count({a})", "sum_({a})", "avg({a})", "min_({a})", "max_({a})")
"""Forms of window functions, of those that need an order and those that do not."""

FUNCTIONS = (
    "nullif({a}, {b})",
    "least({a}, {b}, {c})",
    "greatest({a}, {b})",
    "floor({a})",
    "ceil({a} / 2)",
    "round_({a} / 3, 1)",
    "sign({a})",
    "power({a}, 2)",
    "sqrt({a})",
    "exp({a})",
    "ln({a})",
    "lower({a})",
    "ltrim(concat(' ', {a}))",
    "rtrim(concat({a}, ' '))",
    "pad_start({a}, 3, '.')",
    "pad_end({a}, 2)",
    "substring({a}, 0, 1)",
    "replace({a}, 'a', 'bc')",
    "position({a}, 'b')",
    "split(concat({a}, ',', {b}), ',')",
    "split({a}, 'a')[0]",
    "regexp_extract({a}, '(a)(b?)', 2)",
    r"regexp_replace({a}, '[a-b]', r'<\g<0>>')",
    "cast({a}, int)",
    "cast({a}, float)",
    "cast({a}, str)",
    "cast(cast({a}, str), float)",
    "cast({a}, bool)",
    "date_part(date_add(from_timestamp({a}), {b}, 'month'), 'dayofyear')",
    "date_trunc(from_timestamp({a} * 100000), 'week')",
    "date_diff(from_timestamp({a} * 1000), from_timestamp({b}), 'minute')",
    "to_local(from_timestamp({a}), 'Europe/Berlin')",
    "timestamp(from_timestamp({a}))",
    "length({a})",
    "keys({a})",
    "path({a}, '$.a[0]')",
)
"""Rarer forms. In all of them {a} and {b} are values, {c} is a constant, {p} a condition."""

TESTS = (
    "is_number({a})",
    "is_text({a})",
    "is_bool({a})",
    "is_list({a})",
    "is_dict({a})",
    "is_datetime(from_timestamp({a}))",
    "regexp_matches({a}, 'a|B')",
    "{a}.contains({c})",
)
"""Forms of conditions."""


def double(value: Any) -> Any:
    """Return twice a number; null of anything else."""
    return value * 2 if kind(value) in ("number", "nan") else None


def has_x(row: Any) -> bool:
    """Tell whether a row has an x, at its top or under any of its aliases."""
    parts = [row, *row.values()] if isinstance(row, dict) else [row]
    return any(field_of(part, "x") is not None for part in parts)


def wrap(row: Any) -> dict[str, Any]:
    """Put a row into a new one."""
    return {"was": row, "x": field_of(row, "x")}


def field_id(row: Any) -> Any:
    """Return the id of a row."""
    return field_of(row, "id")


def append(state: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Keep every value."""
    return (*state, value)


def grow(state: list[Any], value: Any) -> list[Any]:
    """Keep every value, in a new list."""
    return [*state, value]


def write(state: str, value: Any) -> str:
    """Write every text down, and the kind of anything else."""
    return f"{state}{value if isinstance(value, str) else kind(value)},"


def weight(value: Any) -> int:
    """Weigh a value by its kind."""
    return len(kind(value)) * 10 + (len(value) if isinstance(value, str) else 0)


def heavier(state: int, value: Any) -> int:
    """Add the weight of a value."""
    return state + weight(value)


def lighter(state: int, value: Any) -> int:
    """Take the weight of a value away."""
    return state - weight(value)


def bag(state: tuple[int, ...], value: Any) -> tuple[int, ...]:
    """Keep the weight of every value, in order of weight."""
    return tuple(sorted((*state, weight(value))))


def unbag(state: tuple[int, ...], value: Any) -> tuple[int, ...]:
    """Let the weight of a value go."""
    place = state.index(weight(value))
    return state[:place] + state[place + 1 :]


def shout(state: str) -> str:
    """Finish a text."""
    return state.upper()


VOCABULARY: dict[str, Any] = {
    function.__name__: function
    for function in (
        *(double, has_x, wrap, field_id, append, grow, write, shout),
        *(heavier, lighter, bag, unbag),
    )
} | {"nan": math.nan, "inf": math.inf}
"""The names a program text uses besides those of the library, its sources and its views."""

LIBRARY: dict[str, Any] = {
    name: getattr(module, name)
    for module, names in (
        (builder, ("query",)),
        (combining, ("except_", "intersect", "union", "union_all")),
        (nesting, ("nested",)),
        (aggregates, aggregates.__all__),
        (functions, functions.__all__),
        (windows, ("dense_rank", "lag", "lead", "rank", "row_number")),
    )
    for name in names
}
"""The names of the library a program text uses, but for `live`."""


@dataclass
class Shape:
    """What can be said about the rows of a source or view: the columns, as `.name` or `["name"]`."""

    columns: tuple[str, ...] = FIELDS


@dataclass
class Writer:
    """Writes one query after the other."""

    rng: random.Random
    is_wild: bool
    shapes: dict[str, Shape] = field(default_factory=dict)

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
        if depth == 0 or self.rng.random() < 0.4:
            return column
        other = self.value(columns, depth - 1)
        form = self.rng.choice(FORMS if self.rng.random() < 0.6 else FUNCTIONS)
        condition = self.condition(columns, 0)
        return form.format(a=column, b=other, c=self.constant(), p=condition)

    def condition(self, columns: Sequence[str], depth: int = 1) -> str:
        choice = self.rng.random()
        if depth and choice < 0.35:
            a, b = self.condition(columns, depth - 1), self.condition(columns, depth - 1)
            return self.rng.choice(("({} & {})", "({} | {})", "({} | {})", "(~{})")).format(a, b)
        a = self.rng.choice(columns) if self.rng.random() < 0.8 else self.value(columns, depth)
        if choice < 0.7:
            operator = self.rng.choice(("==", "!=", "!=", "<", "<=", ">", ">="))
            b = self.constant(a) if self.rng.random() < 0.7 else self.rng.choice(columns)
            return f"({a} {operator} {b})"
        c, d = self.constant(a), self.constant(a)
        form = self.rng.choice(
            (
                "{a}.is_null()",
                "{a}.is_not_null()",
                "{a}.is_not_null()",
                "{a}.in_([{c}, {d}])",
                "{a}.not_in([{c}, {d}])",
                "{a}.not_in([{c}, {d}])",
                "{a}.between({c}, {d})",
                "{a}.like('%a%')",
                self.rng.choice(TESTS),
                "{a}.starts_with('')",
            )
        )
        return form.format(a=a, c=c, d=d)

    def orders(self, columns: Sequence[str]) -> str:
        parts = []
        for column in self.rng.sample(columns, min(len(columns), self.rng.randint(1, 2))):
            way = self.rng.choice(("", ".desc()", ".desc(nulls='last')", ".asc(nulls='last')"))
            parts.append(column + way)
        return ", ".join(parts)

    def aggregate(self, columns: Sequence[str]) -> str:
        order = ""
        if self.rng.random() < 0.5:
            order = f", order_by={self.rng.choice(columns)}{self.rng.choice(('', '.desc()'))}"
        value = self.value(columns, 1)
        condition = self.condition(columns, 0)
        forms = AGGREGATES if self.rng.random() < 0.6 else RARE_AGGREGATES
        text = self.rng.choice(forms).format(value, order=order, p=condition)
        if self.rng.random() < 0.25:
            text += f".where({self.condition(columns, 0)})"
        return text

    def window(self, columns: Sequence[str], *, are_cells: bool = False) -> str:
        """Write a window function over rows, or over groups: no aggregate of aggregates there."""
        a, b = self.value(columns, self.rng.choice((0, 0, 1))), self.value(columns, 0)
        is_running = not are_cells and self.rng.random() < 0.5
        text = self.rng.choice(RUNNING if is_running else WINDOWS)
        text = text.format(a=a, b=b, c=self.constant(a), p=self.condition(columns, 0))
        if is_running and self.rng.random() < 0.25:
            text += f".where({self.condition(columns, 0)})"
        parts = []
        if self.rng.random() < 0.7:
            keys = self.rng.sample(columns, min(len(columns), self.rng.choice((1, 1, 2))))
            parts.append(f"partition_by=[{', '.join(keys)}]")
        if not is_running or self.rng.random() < 0.7:
            parts.append(f"order_by=[{self.orders(columns)}]")
        return f"{text}.over({', '.join(parts)})"

    def view(self, name: str, sources: Sequence[str]) -> View:
        """Write one query over some of the sources."""
        rng = self.rng
        if rng.random() < 0.12:
            return self.combined(name, sources)
        number = name[1:]
        count = rng.choice((1, 1, 1, 2, 2, 3))
        bound = {f"t{number}{letter}": rng.choice(sources) for letter in "xyz"[:count]}
        aliases = list(bound)
        clauses = [f"query({aliases[0]})"]
        aliases = self.joined(clauses, aliases, bound)
        columns = self.columns(aliases, bound)
        if rng.random() < 0.35:
            clauses.append(f".where({self.condition(columns)})")
        if rng.random() < 0.06:
            clauses.append(".filter(has_x)")
        self.shapes[name] = Shape()
        choice = rng.random()
        if choice < 0.4:
            self.shapes[name].columns = self.grouped(clauses, columns)
        elif choice < 0.7:
            self.shapes[name].columns = self.selected(clauses, aliases, columns, bound)
        elif len(aliases) > 1:
            nested = [(a, c) for a in aliases for c in self.shapes[bound[a]].columns]
            self.shapes[name].columns = tuple(f".{a}{_bracketed(c)}" for a, c in nested)
            self.ordered(clauses, columns)
        else:
            self.shapes[name].columns = self.shapes[bound[aliases[0]]].columns
            self.ordered(clauses, columns)
        if rng.random() < 0.06:
            clauses.append(".map(wrap)")
            self.shapes[name].columns = (".x",)
        is_live, key = rng.random() < 0.6, None
        if is_live and self.is_keyed_by(aliases, bound, clauses):
            key = rng.choice((None, "'id'", "('id', 'id')", "field_id"))
        return View(name, tuple(bound.items()), tuple(clauses), is_live=is_live, key=key)

    def combined(self, name: str, sources: Sequence[str]) -> View:
        """Write a set operation over selects with the same columns."""
        rng = self.rng
        letters = "xyz"[: rng.choice((2, 2, 3))]
        bound = {f"t{name[1:]}{letter}": rng.choice(sources) for letter in letters}
        width = rng.choice((1, 1, 2))
        branches = []
        for alias in bound:
            columns = self.columns([alias], bound)
            where = f".where({self.condition(columns, 1)})" if rng.random() < 0.3 else ""
            likely = [self.key(columns), *[self.value(columns, 1) for _ in range(width - 1)]]
            parts = ", ".join(f"c{n}={part}" for n, part in enumerate(likely))
            branches.append(f"query({alias}){where}.select({parts})")
        self.shapes[name] = Shape(tuple(f".c{n}" for n in range(width)))
        text = f"{rng.choice(COMBINATIONS)}({', '.join(branches)})"
        return View(name, tuple(bound.items()), (text,), is_live=rng.random() < 0.6)

    def is_keyed_by(
        self, aliases: Sequence[str], bound: dict[str, str], clauses: Sequence[str]
    ) -> bool:
        """Tell whether the rows are those of one collection, each with its own id."""
        text = "".join(clauses)
        is_own = not any(f".{clause}(" in text for clause in ("join", "group_by", "map", "select"))
        return (
            is_own
            and self.shapes[bound[aliases[0]]].columns[0] == ".id"
            and not self.is_view(bound)
        )

    def is_view(self, bound: dict[str, str]) -> bool:
        return any(origin.startswith("v") for origin in bound.values())

    def joined(
        self, clauses: list[str], aliases: Sequence[str], bound: dict[str, str]
    ) -> list[str]:
        """Join all aliases to the first; return those that can be named afterwards."""
        named = [aliases[0]]
        for alias in aliases[1:]:
            if self.rng.random() < 0.1:
                clauses.append(f".where({self.condition(self.columns(named, bound))})")
            how = self.rng.choice(JOINS)
            clauses.append(self.join(named, alias, bound, how))
            if how not in ("semi", "anti"):
                named.append(alias)
        return named

    def join(self, left: Sequence[str], alias: str, bound: dict[str, str], how: str) -> str:
        if how == "cross":
            return f".join({alias}, how='cross')"
        mine, theirs = self.columns(left, bound), self.columns([alias], bound)
        parts = [f"({self.key(mine)} == {self.key(theirs)})"]
        if self.rng.random() < 0.15:
            parts.append(f"({self.key(mine)} == {self.key(theirs)})")
        if self.rng.random() < 0.2:
            operator = self.rng.choice(("<", "<=", "!=", ">"))
            parts.append(f"({self.rng.choice(mine)} {operator} {self.rng.choice(theirs)})")
            if self.rng.random() < 0.2:  # a join by range alone
                del parts[:-1]
        return f".join({alias}, on={' & '.join(parts)}, how={how!r})"

    def key(self, columns: Sequence[str]) -> str:
        """Prefer columns of few values, so that joins find partners."""
        likely = [column for column in columns if column.endswith((".k", '["k"]', ".id"))]
        return self.rng.choice(likely or columns)

    def grouped(self, clauses: list[str], columns: Sequence[str]) -> tuple[str, ...]:
        keys = self.rng.sample(columns, min(len(columns), self.rng.choice((0, 1, 1, 1, 2))))
        if self.rng.random() < 0.15:
            keys = [self.value(columns, 1) for _ in keys]
        if keys:
            clauses.append(f".group_by({', '.join(keys)})")
        parts = {f"g{n}": key for n, key in enumerate(keys)}
        parts |= {f"n{n}": self.aggregate(columns) for n in range(self.rng.randint(1, 3))}
        if self.rng.random() < 0.2:
            parts["w0"] = self.window(list(parts.values()), are_cells=True)
        text = ", ".join(f"{name}={part}" for name, part in parts.items())
        clauses.append(f".select({text})")
        selected = _orderable(parts)
        groups = [column for column in selected if column != "selected.w0"]
        if groups and self.rng.random() < 0.25:
            having = self.condition(groups, 0)
            if self.rng.random() < 0.3:
                having = f"count() > {self.rng.randint(0, 2)}"
            clauses.append(f".having({having})")
        self.ordered(clauses, selected)
        return tuple(f".{name}" for name in parts)

    def selected(
        self,
        clauses: list[str],
        aliases: Sequence[str],
        columns: Sequence[str],
        bound: dict[str, str],
    ) -> tuple[str, ...]:
        parts = {f"c{n}": self.value(columns, 2) for n in range(self.rng.randint(1, 3))}
        if self.rng.random() < 0.35:
            parts |= {f"l{n}": self.nested(columns, bound) for n in range(self.rng.choice((1, 2)))}
        if self.rng.random() < 0.3:
            parts["flag"] = self.condition(columns, 1)
        if self.rng.random() < 0.2:
            parts |= {f"w{n}": self.window(columns) for n in range(self.rng.choice((1, 1, 2)))}
        text = ", ".join(f"{name}={part}" for name, part in parts.items())
        spread = self.rng.random() < 0.3
        clauses.append(f".select({f'{aliases[0]}, ' if spread else ''}{text})")
        if self.rng.random() < 0.25:
            clauses.append(".distinct()")
            self.ordered(clauses, [] if spread else _orderable(parts))
        elif self.rng.random() < 0.5:
            self.ordered(clauses, _orderable(parts))
        else:
            self.ordered(clauses, columns)
        return tuple(f".{name}" for name in parts)

    def nested(self, outer: Sequence[str], bound: dict[str, str], depth: int = 1) -> str:
        """Write a nested query, mostly over rows that share a value with the outer row."""
        rng = self.rng
        origin = rng.choice(list(bound.values()))
        alias = f"{next(iter(bound))[:-1]}n{len(bound)}"
        bound[alias] = origin
        mine = self.columns([alias], bound)
        conditions = [f"({self.key(mine)} == {self.key(outer)})"] if rng.random() < 0.85 else []
        if rng.random() < 0.2:
            operator = rng.choice(("<", "!=", ">", "=="))
            conditions.append(f"({self.value(mine, 1)} {operator} {rng.choice(outer)})")
        if rng.random() < 0.2:
            conditions.append(self.condition(mine))
        clauses = [f"query({alias})", *[f".where({part})" for part in conditions]]
        form = rng.random()
        if form < 0.3:
            self.nested_groups(clauses, mine)
        elif form < 0.6:
            parts = {f"c{n}": self.value(mine, 1) for n in range(rng.choice((1, 1, 2)))}
            if depth and rng.random() < 0.4:
                parts["deep"] = self.nested(mine, bound, depth - 1)
            clauses.append(f".select({', '.join(f'{n}={part}' for n, part in parts.items())})")
            if rng.random() < 0.3:
                clauses.append(".distinct()")
            self.ordered(clauses, _orderable(parts))
        else:
            self.ordered(clauses, mine)
            if rng.random() < 0.2:
                clauses.append(".map(wrap)")
        is_one = rng.random() < 0.35
        step = rng.choice(("", '["id"]', '["n0"]', '["c0"]')) if is_one else rng.choice(("", "[0]"))
        return f"nested({''.join(clauses)}{'.one()' if is_one else ''}){step}"

    def nested_groups(self, clauses: list[str], columns: Sequence[str]) -> None:
        keys = self.rng.sample(columns, min(len(columns), self.rng.choice((0, 0, 1, 1, 2))))
        if keys:
            clauses.append(f".group_by({', '.join(keys)})")
        parts = {f"g{n}": key for n, key in enumerate(keys)}
        parts |= {f"n{n}": self.aggregate(columns) for n in range(self.rng.randint(1, 2))}
        clauses.append(f".select({', '.join(f'{name}={part}' for name, part in parts.items())})")
        if keys and self.rng.random() < 0.3:
            clauses.append(f".having({self.condition(_orderable(parts), 0)})")
        if keys and self.rng.random() < 0.15:
            clauses.append(".distinct()")
        self.ordered(clauses, _orderable(parts))

    def ordered(self, clauses: list[str], columns: Sequence[str]) -> None:
        if self.rng.random() < 0.5 or not columns:
            return
        clauses.append(f".order_by({self.orders(columns)})")
        if self.rng.random() < 0.7:
            offset = self.rng.choice(("", "", ", offset=1", ", offset=2"))
            clauses.append(f".limit({self.rng.choice((0, 1, 2, 2, 3, 4))}{offset})")


def _orderable(parts: dict[str, str]) -> list[str]:
    """Return the selected columns that no user function computes: those cannot be ordered by."""
    return [
        f"selected.{name}"
        for name, text in parts.items()
        if "fn(" not in text and ("nested(" not in text or text.endswith('"]'))
    ]


def _bracketed(column: str) -> str:
    """Turn `.name["a"]` into `["name"]["a"]`, as it reads inside a nested row."""
    name, bracket, rest = column[1:].partition("[")
    return f'["{name}"]{bracket}{rest}'


def random_views(
    rng: random.Random, collections: Sequence[str], count: int, *, is_wild: bool
) -> tuple[View, ...]:
    """Write queries over collections and over each other."""
    fields = FIELDS + (NESTED if is_wild else ())
    writer = Writer(rng, is_wild, {name: Shape(fields) for name in collections})
    views: list[View] = []
    for n in range(count):
        sources = [*collections, *[view.name for view in views]]
        views.append(writer.view(f"v{n}", sources))
    return tuple(views)


def bind(
    views: Sequence[View], sources: dict[str, Any], live: Callable[..., Any]
) -> dict[str, Any]:
    """Run the text of views; return what each name stands for, a live result or a query.

    Args:
        views: In order; each may read those before it.
        sources: Name -> collection.
        live: What to call `live`.
    """
    names = LIBRARY | VOCABULARY | sources | {"live": live}
    for view in views:
        exec(view.source(), names)
    return {view.name: names[view.name] for view in views}
