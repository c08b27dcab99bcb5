"""What other libraries call things, for people who type the names they know.

SQL toolkits, data frames and other builders of queries have names of their own for the same ideas.
Whoever writes one of those gets an error anyway; these tables say what to write instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _table(entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: instead for names, instead in entries for name in names.split()}


METHODS: Final[Mapping[str, str]] = _table(
    (
        ("isin is_in inArray", "x.in_([first, second])"),
        ("notin not_isin is_not_in", "x.not_in([first, second])"),
        ("isnull isna isNull is_none isUndefined is_", "x.is_null()"),
        ("notnull notna isNotNull isnot is_not", "x.is_not_null()"),
        ("startswith istartswith", "x.starts_with(prefix)"),
        ("endswith iendswith", "x.ends_with(suffix)"),
        ("icontains", "x.ilike('%part%')"),
        ("is_between", "x.between(low, high)"),
        ("eq equals", "x == y"),
        ("ne neq", "x != y"),
        ("gt", "x > y"),
        ("gte ge", "x >= y"),
        ("lt", "x < y"),
        ("lte le", "x <= y"),
        ("and_", "(a == 1) & (b == 2)"),
        ("or_", "(a == 1) | (b == 2)"),
        ("not_ invert", "~x"),
        ("alias label as_ name", "select(name=x)"),
        ("sum", "sum_(x)"),
        ("min", "min_(x)"),
        ("max", "max_(x)"),
        ("mean average", "avg(x)"),
        ("std", "stddev(x)"),
        ("var", "variance(x)"),
        ("any", "any_(x)"),
        ("all", "all_(x)"),
        ("n_unique nunique", "count_distinct(x)"),
        ("list implode agg_list", "collect(x)"),
        ("fill_null fillna ifnull", "coalesce(x, value)"),
        ("astype", "cast(x, int)"),
        ("apply map map_elements", "fn(function, x)"),
        ("abs", "abs_(x)"),
        ("round", "round_(x, digits)"),
        ("pow", "power(x, 2)"),
        ("len", "length(x)"),
        ("str", "upper(x), concat(x, y) ...: functions, imported from dataflow"),
        ("dt", "date_part(x, 'year') ...: functions, imported from dataflow"),
        ("strip", "trim(x)"),
        ("lstrip", "ltrim(x)"),
        ("rstrip", "rtrim(x)"),
        ("json_get get extract", "x['name']"),
        ("descending", "x.desc()"),
        ("ascending", "x.asc()"),
        ("nulls_last nullslast", "x.asc(nulls='last')"),
        ("nulls_first nullsfirst", "x.asc(nulls='first')"),
        ("collate nocase unaccented natural", "x.asc(collation='nocase')"),
    )
)
"""Method of an expression elsewhere -> what it is here."""

CLAUSES: Final[Mapping[str, str]] = _table(
    (
        ("orderby orderBy order sort sort_by sort_values", "order_by(x, y.desc())"),
        ("groupby groupBy group", "group_by(x, y)"),
        ("agg aggregate summarize summarise", "group_by(x).select(x=x, total=sum_(y))"),
        ("filter_ filter_by", "where(x == y), or filter(function)"),
        ("innerJoin inner_join merge", "join(other, on=a.x == b.y)"),
        ("leftJoin left_join outerjoin", "join(other, on=a.x == b.y, how='left')"),
        ("rightJoin right_join", "join(other, on=a.x == b.y, how='right')"),
        ("fullJoin full_join", "join(other, on=a.x == b.y, how='full')"),
        ("crossJoin cross_join", "join(other, how='cross')"),
        ("semi_join semijoin exists", "join(other, on=a.x == b.y, how='semi')"),
        ("anti_join antijoin", "join(other, on=a.x == b.y, how='anti')"),
        ("with_columns add_columns mutate assign", "select(alias, name=expression)"),
        ("head take top fetch", "order_by(x).limit(n)"),
        ("skip", "offset(n)"),
        ("first findOne find_one one_or_none", "order_by(x).one()"),
        ("unique drop_duplicates", "distinct()"),
        ("union union_distinct", "union(q, other), a function"),
        ("union_all unionAll concat vstack", "union_all(q, other), a function"),
        ("intersect", "intersect(q, other), a function"),
        ("except_ difference minus", "except_(q, other), a function"),
        ("explode unnest", "unnest(q, 'column'), a function"),
        ("apply map_rows", "map(function)"),
        ("as_ label subquery cte", "q.alias('x')"),
        ("collect execute all fetchall to_list rows run toArray", "run(q), or live(q).rows()"),
        ("subscribe changes", "live(q).subscribe(function)"),
        ("explain", "explain(q), a function"),
        ("count len size", "group_by().select(n=count())"),
    )
)
"""Method of a query elsewhere -> what it is here."""
