"""Random queries as program text, in the words of the public API.

A program is a list of views. Each reads collections and earlier views, and is a set operation, a
recursion, a choice of the first rows of every group, or filters and joins its sources and ends in
rows, a select, or a group-by with aggregates; then having, order, limit and map.

A program has a few wishes, features (`tests.features`) that each of its views uses if it can. Since
views read one another, wishes meet in one tree: that is how every pair of features comes to pass,
rare ones too. Clauses know what was written before them; that is why one long file writes them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests import forms
from tests.cases import View
from tests.expressions import SCALARS, Expressions, Shape
from tests.features import (
    FEATURES,
    GROUPS,
    JOINS,
    KINDS,
    NESTED,
    OPERATIONS,
    ORDERS,
    SHAPES,
    WINDOWS,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

FIELDS = (".id", ".k", ".x", ".s", ".m")
DEEP = (".deep", '.deep["a"]', ".deep[0]")
COMBINATIONS = {"union_all": 1.0, "union": 1.0, "intersect": 2.0, "except": 1.5}
JOIN_WEIGHTS = dict.fromkeys(JOINS, 1.0) | {"inner join": 3.0, "left join": 2.0}
JOINING = frozenset(
    (
        *JOINS,
        *("several equalities", "further condition", "range join"),
        *("self-join", "chain of joins", "view and its base"),
    )
)
SELECTING = frozenset((*SHAPES, *NESTED, *WINDOWS, "distinct"))
WIDEST = 7  # sources of one tree: products of more are beyond the oracle
RARE = frozenset(
    (
        *("right join", "full join", "cross join", "semi join", "anti join", "range join"),
        *("several equalities", "further condition", "chain of joins", "global aggregate"),
        *(
            "union",
            "unnest",
            "limited subquery",
            "view of a view",
            "distinct",
            "having",
            "recursion",
        ),
        *("filter", "map", "fn", "cast", "type test", "collation"),
        *KINDS,
        *WINDOWS,
    )
)
"""Features that chance alone brings into few results that are not empty and change."""
RAREST = frozenset(
    (
        *("recursion over a cycle", "intersect", "except", "expression key", "having unselected"),
        *("nested dict", "into", "variance", "stddev", "running aggregate", "order by a call"),
        *("aggregate of a partition", *NESTED),
    )
)
"""And those it brings into fewer still."""


@dataclass
class Writer(Expressions):
    """Writes one query after the other."""

    views: list[View] = field(default_factory=list)

    # -- sources

    def origin(self, beside: Sequence[str] = (), *, widest: int = WIDEST) -> str:
        """Choose a source whose tree is not too wide, often one that shares no rows with others.

        Args:
            beside: Names of the others.
            widest: How many sources its tree may have.
        """
        narrow = {name: shape for name, shape in self.shapes.items() if shape.width <= widest}
        if beside and self.rng.random() < 0.75:
            taken = frozenset[str]().union(*[self.shapes[name].collections for name in beside])
            other = {n: shape for n, shape in narrow.items() if not shape.collections & taken}
            narrow = other or narrow
        return self.rng.choices(list(narrow), list(map(self.weight_of, narrow.values())))[0]

    def weight_of(self, shape: Shape) -> float:
        """Weigh a source: views above collections, since features meet where one reads another."""
        if shape.width + shape.depth == 1:
            return 1.0
        features = {"live view"} if shape.is_live else {"subquery"}
        if shape.is_limited and not shape.is_live:
            features.add("limited subquery")
        if shape.is_live and shape.depth > 1:
            features.add("view of a view")
        likely = 2.0 if shape.is_live else 3.0
        return likely * (4 if self.wishes & features else 1)

    def origins(self) -> list[str]:
        """Choose the sources of one query."""
        count = self.rng.choice((1, 1, 1, 2, 2, 3))
        if self.likely(0, *JOINING):
            count = 3 if self.likely(0.2, "chain of joins") else 2
        chosen: list[str] = []
        for left in range(count, 0, -1):
            room = WIDEST - sum(self.shapes[name].width for name in chosen) - left + 1
            chosen.append(self.origin(chosen, widest=max(room, 1)))
        views = [name for name in chosen if self.shapes[name].is_live]
        if views and self.likely(0.1, "view and its base"):
            base = self.rng.choice(sorted(self.shapes[views[0]].collections))
            chosen = [views[0], base, *chosen[2:]]
            self.rng.shuffle(chosen)
        elif count > 1 and self.likely(0.1, "self-join"):
            chosen[1] = chosen[0]
        return chosen

    # -- views

    def write(self, name: str) -> None:
        """Write one query, and the subquery it may need."""
        kind = self.choose(
            {
                "combined": self.urge(0.18, frozenset((*OPERATIONS, "union_all"))),
                "recursive": self.urge(0.12, frozenset(("recursion", "recursion over a cycle"))),
                "top": self.urge(0.06, frozenset(("top-k per group",))),
                "unnested": 0.0 if self.is_sql else self.urge(0.05, frozenset(("unnest",))),
                "plain": 0.76,
            }
        )
        if kind == "combined":
            self.combined(name)
        elif kind == "recursive":
            self.recursive(name)
        elif kind == "top":
            self.top(name)
        elif kind == "unnested":
            self.unnested(name)
        else:
            self.plain(name, self.origins())

    def add(self, view: View, columns: tuple[str, ...]) -> None:
        """Keep a finished view, and say what its rows are."""
        sources = [self.shapes[origin] for _, origin in view.aliases]
        depth = max(source.depth for source in sources)
        self.shapes[view.name] = Shape(
            columns,
            frozenset().union(*[source.collections for source in sources]),
            1 if view.is_live else sum(source.width for source in sources) + 1,
            depth + view.is_live,
            view.is_live,
            ".limit(" in "".join(view.clauses),
        )
        self.views.append(view)

    def is_live(self) -> bool:
        if "view of a view" in self.wishes:
            return self.rng.random() < 0.75
        return self.rng.random() < (0.4 if "limited subquery" in self.wishes else 0.6)

    def plain(self, name: str, origins: Sequence[str], first: str = "") -> None:
        """Write a query over sources.

        Args:
            origins: Names of the sources.
            first: The clause that follows the first alias.
        """
        rng, is_live = self.rng, self.is_live()
        bound = {
            f"t{name[1:]}{letter}": origin for letter, origin in zip("xyz", origins, strict=False)
        }
        clauses = [f"query({next(iter(bound))})", *([first] if first else [])]
        aliases = self.joined(clauses, list(bound), bound)
        columns = self.columns(aliases, bound)
        if rng.random() < 0.35:
            clauses.append(f".where({self.condition(columns)})")
        if self.likely(0.06, "filter"):
            clauses.append(".filter(has_x)")
        is_cut = not is_live and "limited subquery" in self.wishes
        shape = self.ending(clauses, aliases, bound, is_cut=is_cut)
        if self.likely(0.05, "map"):
            clauses.append(".map(wrap)")
            shape = (".x",)
        key = None
        if is_live and self.is_keyed_by(aliases, bound, clauses):
            key = rng.choice((None, "'id'", "('id', 'id')", "field_id"))
        self.add(View(name, tuple(bound.items()), tuple(clauses), is_live, key), shape)

    def ending(
        self, clauses: list[str], aliases: Sequence[str], bound: dict[str, str], *, is_cut: bool
    ) -> tuple[str, ...]:
        """Write what rows a query has, and their order; return their columns."""
        columns = self.columns(aliases, bound)
        kind = self.choose(
            {
                "grouped": self.urge(0.4, frozenset(GROUPS)),
                "selected": self.urge(0.4, SELECTING),
                "rows": 0.25,
            }
        )
        if kind == "grouped":
            return self.grouped(clauses, columns, is_cut=is_cut)
        if kind == "selected":
            return self.selected(clauses, aliases, bound, is_cut=is_cut)
        self.ordered(clauses, columns, is_cut=is_cut)
        if len(aliases) == 1:
            return self.shapes[bound[aliases[0]]].columns
        nested = [(a, c) for a in aliases for c in self.shapes[bound[a]].columns]
        return tuple(f".{a}{_bracketed(c)}" for a, c in nested)

    def combined(self, name: str) -> None:
        """Write a set operation over selects with the same columns."""
        rng = self.rng
        letters = "xyz"[: rng.choice((2, 2, 3))]
        bound: dict[str, str] = {}
        for letter in letters:
            bound[f"t{name[1:]}{letter}"] = self.origin(list(bound.values()), widest=3)
        kind = self.choose(COMBINATIONS)
        width = rng.choice((1, 1, 1, 1, 2) if kind == "intersect" else (1, 1, 2))
        branches = []
        for alias in bound:
            columns = self.columns([alias], bound)
            where = f".where({self.condition(columns, 1)})" if rng.random() < 0.3 else ""
            shared = [column for column in columns if column.endswith((".k", '["k"]'))]
            likely = [self.key(shared or columns), *self.rng.sample(columns, 1)][:width]
            if self.likely(0.3, *SCALARS):
                likely = [*likely[: width - 1], self.value(columns, 1)]
            parts = ", ".join(f"c{n}={part}" for n, part in enumerate(likely))
            branches.append(f"query({alias}){where}.select({parts})")
        text = f"{kind.replace('except', 'except_')}({', '.join(branches)})"
        view = View(name, tuple(bound.items()), (text,), self.is_live())
        self.add(view, tuple(f".c{n}" for n in range(width)))

    def top(self, name: str) -> None:
        """Write a query over the rows that come first in their group."""
        alias = f"t{name[1:]}r"
        bound = {alias: self.origin(widest=WIDEST - 2)}
        columns = self.columns([alias], bound)
        kind = self.choose({"row_number": 1.0, "rank": 1.0, "dense_rank": 1.0})
        over = f"partition_by=[{', '.join(self.keys(columns))}], order_by=[{self.orders(columns)}]"
        clauses = (f"query({alias})", f".select({alias}, w0={kind}().over({over}))")
        ranked = View(f"{name}r", tuple(bound.items()), clauses, is_live=False)
        self.add(ranked, (*self.shapes[bound[alias]].columns, ".w0"))
        bounds = ("<= 1", "<= 2", "<= 2", "== 1", "< 3")
        first = f".where(t{name[1:]}x.w0 {self.rng.choice(bounds)})"
        others = self.origins()[1:] if self.rng.random() < 0.3 else []
        others = [other for other in others if self.shapes[other].width == 1]
        self.plain(name, [ranked.name, *others], first)

    def unnested(self, name: str) -> None:
        """Write a query over the elements of lists: of a text, of values beside, of nested rows."""
        alias = f"t{name[1:]}x"
        bound = {alias: self.origin(widest=3)}
        columns = self.columns([alias], bound)
        a, b = self.key(columns), self.rng.choice(columns)
        whole = self.rng.choice((f"split(concat({a}, ',', {b}), ',')", f"split({b}, 'a')", b))
        if self.rng.random() < 0.4:
            whole = f"nested({self.list_of(bound, columns)})"
        position = self.rng.choice(("", ", position='n'"))
        text = f"unnest(query({alias}).select(c0={a}, c1={whole}), 'c1'{position})"
        shape = (".c0", ".c1", ".n") if position else (".c0", ".c1")
        self.add(View(name, tuple(bound.items()), (text,), self.is_live()), shape)

    def list_of(self, bound: dict[str, str], outer: Sequence[str]) -> str:
        """Write a query of rows that share a value with an outer row."""
        alias = f"{next(iter(bound))[:-1]}n"
        bound[alias] = self.origin(list(bound.values()), widest=3)
        mine = self.columns([alias], bound)
        return f"query({alias}).where({self.key(mine)} == {self.key(outer)}).select(c={self.key(mine)})"

    def recursive(self, name: str) -> None:
        """Write what can be reached from a seed by steps over one or two sources."""
        rng = self.rng
        seed, edge = f"t{name[1:]}x", f"t{name[1:]}y"
        bound = {seed: self.origin(widest=4)}
        is_graph = self.likely(0.5, "recursion over a cycle")
        others = [] if is_graph else list(bound.values())
        bound[edge] = self.origin(others, widest=1 if is_graph else 3)
        mine, theirs = self.columns([seed], bound), self.columns([edge], bound)
        where = f".where({self.condition(mine, 1)})" if rng.random() < 0.5 else ""
        start = self.key(mine)
        src = self.key(theirs)
        back = [column for column in theirs if column != src and column.endswith((".k", ".id"))]
        dst = rng.choice(back or theirs) if is_graph else rng.choice(theirs)
        form = rng.choice(("reached", "reached", "depth", "pairs", "semi", "both ways"))
        match = f"{src} == near.c0"
        if rng.random() < 0.2:
            match = f"({match}) & {self.condition(theirs, 0)}"
        join = rng.choice(
            (f"query({edge}).join(near, on={match})", f"query(near).join({edge}, on={match})")
        )
        columns, step = f"c0={start}", f"{join}.select(c0={dst})"
        if form == "depth":
            columns += ", c1=lit(0)"
            step = f"{join}.where(near.c1 < 3).select(c0={dst}, c1=near.c1 + 1)"
        elif form == "pairs":
            columns += f", c1={rng.choice(mine)}"
            step = f"{join}.select(c1=near.c1, c0={dst})"
        elif form == "semi":
            step = f"query({edge}).join(near, on={match}, how='semi').select(c0={dst})"
        elif form == "both ways":
            way_back = f"query({edge}).join(near, on={dst} == near.c0).select(c0={src})"
            step = f"union_all({step}, {way_back})"
        text = f"recursive(query({seed}){where}.select({columns}), lambda near: {step})"
        shape = (".c0", ".c1") if "c1=" in columns else (".c0",)
        self.add(View(name, tuple(bound.items()), (text,), self.is_live()), shape)

    def is_keyed_by(
        self, aliases: Sequence[str], bound: dict[str, str], clauses: Sequence[str]
    ) -> bool:
        """Tell whether the rows are those of one collection, each with its own id."""
        text = "".join(clauses)
        is_own = not any(f".{clause}(" in text for clause in ("join", "group_by", "map", "select"))
        return (
            is_own and len(aliases) == 1 and bound[aliases[0]] not in {v.name for v in self.views}
        )

    # -- joins

    def joined(
        self, clauses: list[str], aliases: Sequence[str], bound: dict[str, str]
    ) -> list[str]:
        """Join all aliases to the first; return those that can be named afterwards."""
        named = [aliases[0]]
        for alias in aliases[1:]:
            if self.rng.random() < 0.1:
                clauses.append(f".where({self.condition(self.columns(named, bound))})")
            how = self.choose(JOIN_WEIGHTS).removesuffix(" join")
            clauses.append(self.join(named, alias, bound, how))
            if how not in ("semi", "anti"):
                named.append(alias)
        return named

    def join(self, left: Sequence[str], alias: str, bound: dict[str, str], how: str) -> str:
        if how == "cross":
            return f".join({alias}, how='cross')"
        mine, theirs = self.columns(left, bound), self.columns([alias], bound)
        parts = [f"({self.key(mine)} == {self.key(theirs)})"]
        if self.likely(0.15, "several equalities"):
            parts.append(f"({self.key(mine)} == {self.key(theirs)})")
        if self.likely(0.2, "further condition", "range join"):
            operator = self.rng.choice(("<", "<=", "!=", ">"))
            parts.append(f"({self.rng.choice(mine)} {operator} {self.rng.choice(theirs)})")
            if self.likely(0.2, "range join"):
                del parts[:-1]
        return f".join({alias}, on={' & '.join(parts)}, how={how!r})"

    # -- rows

    def grouped(
        self, clauses: list[str], columns: Sequence[str], *, is_cut: bool
    ) -> tuple[str, ...]:
        count = {"global aggregate": 1.0, "group by": 3.0, "several keys": 1.0}
        width = ("global aggregate", "group by", "several keys").index(self.choose(count))
        keys = [self.key(columns), *self.rng.sample(columns, 1)][:width]
        if self.likely(0.25, "expression key"):
            keys = [self.value(columns, 1) for _ in keys]
        if keys:
            clauses.append(f".group_by({', '.join(keys)})")
        parts = {f"g{n}": key for n, key in enumerate(keys)}
        parts |= {f"n{n}": self.cell(columns) for n in range(self.rng.randint(1, 3))}
        if self.likely(0.15, *WINDOWS):
            parts["w0"] = self.window(list(parts.values()), are_cells=True)
        text = ", ".join(f"{name}={part}" for name, part in parts.items())
        clauses.append(f".select({text})")
        selected = _orderable(parts)
        groups = [column for column in selected if column != "selected.w0"]
        if keys and self.likely(0.35, "having", "having unselected"):
            having = self.condition(groups, 0) if groups else "(count() > 0)"
            if not groups or self.likely(0.6, "having unselected"):
                tests = ("{} > 0", "{} != 1", "{}.is_not_null()", "count() > {}")
                having = self.rng.choice(tests[:3]).format(self.aggregate(columns))
            clauses.append(f".having({having})")
        self.ordered(clauses, selected, is_cut=is_cut, may_call=True)
        if "w0" not in parts and self.likely(0.1, "into"):
            clauses.append(".into(Made)")
        return tuple(f".{name}" for name in parts)

    def selected(
        self, clauses: list[str], aliases: Sequence[str], bound: dict[str, str], *, is_cut: bool
    ) -> tuple[str, ...]:
        columns = self.columns(aliases, bound)
        parts = {f"c{n}": self.value(columns, 2) for n in range(self.rng.randint(1, 3))}
        shape = [f".{name}" for name in parts]
        if self.likely(0.4, *NESTED):
            parts |= {
                f"l{n}": self.nested(columns, bound) for n in range(self.rng.choice((1, 2, 2)))
            }
        if self.rng.random() < 0.3:
            parts["flag"] = self.condition(columns, 1)
        if self.likely(0.15, *WINDOWS):
            parts |= {f"w{n}": self.window(columns) for n in range(self.rng.choice((1, 1, 2)))}
        shape = [f".{name}" for name in parts]
        is_made = set(parts) <= {"c0", "c1", "c2"} and self.likely(0.15, "into")
        if self.likely(0.12, "nested dict") and not is_made:
            parts["d"] = f"{{'a': {self.value(columns, 1)}, 'b': {self.value(columns, 0)}}}"
            shape += ['.d["a"]', '.d["b"]']
        text = ", ".join(f"{name}={part}" for name, part in parts.items())
        spread = not is_made and self.likely(0.25, "spread")
        clauses.append(f".select({f'{aliases[0]}, ' if spread else ''}{text})")
        orderable = _orderable(parts, may_call=not spread)
        if self.likely(0.2, "distinct"):
            clauses.append(".distinct()")
            self.ordered(clauses, [] if spread else orderable, is_cut=is_cut, may_call=True)
        else:
            by = orderable if self.rng.random() < 0.5 and orderable else columns
            self.ordered(clauses, by, is_cut=is_cut, may_call=not spread)
        if is_made:
            clauses.append(".into(Made)")
        return tuple(shape)

    def nested(self, outer: Sequence[str], bound: dict[str, str], depth: int = 1) -> str:
        """Write a nested query, mostly over rows that share a value with the outer row."""
        rng = self.rng
        origin = self.origin(list(bound.values()), widest=3)
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
        kind = self.choose(
            {
                "groups": self.urge(0.3, frozenset(("nested aggregates", "nested groups"))),
                "select": self.urge(0.3, frozenset(("nested twice",))),
                "rows": 0.4,
            }
        )
        if kind == "groups":
            self.nested_groups(clauses, mine)
        elif kind == "select":
            parts = {f"c{n}": self.value(mine, 1) for n in range(rng.choice((1, 1, 2)))}
            if depth and self.likely(0.4, "nested twice"):
                parts["deep"] = self.nested(mine, bound, depth - 1)
            clauses.append(f".select({', '.join(f'{n}={part}' for n, part in parts.items())})")
            if rng.random() < 0.3:
                clauses.append(".distinct()")
            self.ordered(clauses, _orderable(parts), may_call=True)
        else:
            self.ordered(clauses, mine, may_call=True)
            if rng.random() < 0.2:
                clauses.append(".map(wrap)")
        is_one = self.likely(0.35, "nested row")
        step = rng.choice(("", '["id"]', '["n0"]', '["c0"]') if is_one else ("", "[0]"))
        return f"nested({''.join(clauses)}{'.one()' if is_one else ''}){step}"

    def nested_groups(self, clauses: list[str], columns: Sequence[str]) -> None:
        width = self.choose({"nested aggregates": 2.0, "nested groups": 3.0})
        count = 0 if width == "nested aggregates" else self.rng.choice((1, 1, 2))
        keys = self.rng.sample(columns, min(len(columns), count))
        if keys:
            clauses.append(f".group_by({', '.join(keys)})")
        parts = {f"g{n}": key for n, key in enumerate(keys)}
        parts |= {f"n{n}": self.aggregate(columns) for n in range(self.rng.randint(1, 2))}
        clauses.append(f".select({', '.join(f'{name}={part}' for name, part in parts.items())})")
        if keys and self.rng.random() < 0.3:
            clauses.append(f".having({self.condition(_orderable(parts), 0)})")
        if keys and self.rng.random() < 0.15:
            clauses.append(".distinct()")
        self.ordered(clauses, _orderable(parts), may_call=True)

    def ordered(
        self,
        clauses: list[str],
        columns: Sequence[str],
        *,
        is_cut: bool = False,
        may_call: bool = False,
    ) -> None:
        wishes = ORDERS if may_call else tuple(n for n in ORDERS if n != "order by a call")
        if not columns or not (is_cut or self.likely(0.45, *wishes)):
            return
        clauses.append(f".order_by({self.orders(columns, may_call=may_call)})")
        if is_cut or self.likely(0.7, "limit", "offset"):
            offset = (
                self.rng.choice((", offset=1", ", offset=2")) if self.likely(0.4, "offset") else ""
            )
            clauses.append(f".limit({self.rng.choice((0, 1, 2, 2, 3, 3, 4, 5, 6))}{offset})")


def _orderable(parts: dict[str, str], *, may_call: bool = True) -> list[str]:
    """Return the selected columns that can be ordered by; with `may_call` those of functions, too."""
    return [
        f"selected.{name}"
        for name, text in parts.items()
        if (may_call or "fn(" not in text) and ("nested(" not in text or text.endswith('"]'))
    ]


def _bracketed(column: str) -> str:
    """Turn `.name["a"]` into `["name"]["a"]`, as it reads inside a nested row."""
    name, bracket, rest = column[1:].partition("[")
    return f'["{name}"]{bracket}{rest}'


def _weight(feature: str) -> int:
    return 5 if feature in RAREST else 3 if feature in RARE else 1


def random_views(
    rng: random.Random,
    collections: Sequence[str],
    count: int,
    *,
    is_wild: bool = False,
    is_deep: bool = False,
    is_sql: bool = False,
    wishes: frozenset[str] | None = None,
) -> tuple[View, ...]:
    """Write queries over collections and over each other.

    Args:
        is_wild: Whether constants may be of any kind.
        is_deep: Whether rows hold lists and dicts.
        is_sql: Whether SQL should be able to say the same.
        wishes: Features to use; None leaves them to chance, rare ones above all.
    """
    fields = FIELDS + (DEEP if is_deep else ())
    shapes = {name: Shape(fields, frozenset((name,))) for name in collections}
    if wishes is None:
        often = [name for name in FEATURES for _ in range(_weight(name))]
        wishes = frozenset(rng.sample(often, rng.choice((0, 6, 10, 12, 14))))
    writer = Writer(rng, is_wild, is_sql, wishes, shapes)
    for n in range(count):
        writer.write(f"v{n}")
    return tuple(writer.views)


def bind(
    views: Sequence[View], sources: dict[str, Any], live: Callable[..., Any]
) -> dict[str, Any]:
    """Run the text of views; return what each name stands for, a live result or a query.

    Args:
        views: In order; each may read those before it.
        sources: Name -> collection.
        live: What to call `live`.
    """
    names = forms.LIBRARY | forms.VOCABULARY | sources | {"live": live}
    for view in views:
        exec(view.source(), names)
    return {view.name: names[view.name] for view in views}
