"""Arguments of functions and aggregates."""

from __future__ import annotations

from dataflow.query.aggregates import collect, count, first, last, max_, string_agg, sum_
from dataflow.query.functions import (
    case,
    cast,
    coalesce,
    concat,
    date_add,
    date_diff,
    date_part,
    date_trunc,
    facts,
    from_local,
    greatest,
    least,
    pad_end,
    pad_start,
    path,
    regexp_extract,
    regexp_matches,
    regexp_replace,
    selected,
    split,
    to_local,
    upper,
)
from dataflow.query.nesting import nested
from tests.dataflow.query.refused.parts import (
    Refused,
    anything_of,
    false,
    message,
    mine,
    nothing,
    place,
    row,
    totals,
    x,
)

REFUSED: list[Refused] = [
    Refused(
        "sum",
        lambda: sum_(count()),
        "aggregate 'count()' stands inside aggregate 'sum'",
        "aggregate twice: group in a subquery, then group query(q.alias('x')) again",
    ),
    Refused(
        "selected.total",
        lambda: collect(message, order_by=selected.total),
        "selected.total is a column of the result and cannot be aggregated in it",
        "aggregate the column of the source",
    ),
    Refused(
        "order_by",
        lambda: first(message.role, order_by=anything_of("seq")),
        "order_by of an aggregate takes expressions, not 'seq'",
        "write alias.field, alias.field.desc(), or selected.field for a selected column",
    ),
    Refused(
        "sum_",
        lambda: sum_(row),
        "sum_ takes a column, not a whole row",
        "name a field of the alias",
    ),
    Refused(
        "last",
        lambda: last(nothing),
        "aggregate last takes an expression, not None",
        "name a field: alias.field",
    ),
    Refused(
        "string_agg",
        lambda: string_agg(message.role, nothing),
        "the separator of string_agg is a text, not None",
        "several values in one text are string_agg(concat(x, y), ', ')",
    ),
    Refused(
        "max",
        lambda: max_(nested(mine.one())["id"]),
        "a nested query stands inside aggregate 'max'",
        "nest in a subquery, then aggregate query(q.alias('x'))",
    ),
    Refused(
        "sum",
        lambda: sum_(place),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc())' stands inside aggregate 'sum'",
        "compute it in a subquery, then aggregate query(q.alias('x'))",
    ),
    Refused(
        "count",
        lambda: count().where(place < 3),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc()) < 3' stands inside aggregate 'count'",
        "compute it in a subquery, then aggregate query(q.alias('x'))",
    ),
    Refused(
        "case",
        lambda: anything_of(case)(row.pending, "yes"),
        "case takes pairs (condition, value), not <Expr message.pending>",
        "write case((x > 9, 'many'), (x > 0, 'some'), else_='none')",
    ),
    Refused(
        "case",
        lambda: case(),
        "case needs at least one (condition, value)",
        "write case((x > 9, 'many'), (x > 0, 'some'), else_='none')",
    ),
    Refused(
        "case",
        lambda: case((false, 1)),
        "case got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "coalesce",
        lambda: coalesce(),
        "coalesce needs at least one value",
        "write coalesce(x, 'none')",
    ),
    Refused(
        "concat", lambda: concat(), "concat needs at least one text", "write concat(x, ': ', y)"
    ),
    Refused("least", lambda: least(), "least needs at least one value", "write least(x, y)"),
    Refused(
        "greatest", lambda: greatest(), "greatest needs at least one value", "write greatest(x, y)"
    ),
    Refused(
        "facts",
        lambda: facts(totals.alias("total")),
        "alias 'total' stands for a subquery, whose rows have no facts",
        "select the facts inside the subquery",
    ),
    Refused(
        "facts",
        lambda: facts(nothing),
        "facts takes an alias, not None",
        "write facts(source.alias('x'))",
    ),
    Refused(
        "split",
        lambda: split(message.role, ""),
        "split needs a separator, not the empty text",
        "one character is substring(x, 0, 1)",
    ),
    Refused(
        "pad_start",
        lambda: pad_start(message.role, -1),
        "the width of pad_start is a number from 0 to 10000, not -1",
        "write pad_start(x, 8)",
    ),
    Refused(
        "pad_end",
        lambda: pad_end(message.role, 3, ""),
        "pad_end fills up with one character, not ''",
        "write pad_end(x, 8, '0')",
    ),
    Refused(
        "regexp_matches",
        lambda: regexp_matches(message.role, "("),
        "pattern '(' of regexp_matches is invalid: missing ), unterminated subpattern at position 0",
        "re.escape(text) is the pattern of a text as it stands",
    ),
    Refused(
        "regexp_matches",
        lambda: regexp_matches(message.role, x),
        "the pattern of regexp_matches is a text or a compiled one, not <Expr message.seq>",
        "a text that differs from row to row is searched with position, contains or like",
    ),
    Refused(
        "regexp_extract",
        lambda: regexp_extract(message.role, "(a)", 2),
        "pattern '(a)' of regexp_extract has no group 2",
        "its last group, in parentheses, is 1; 0 is the whole occurrence",
    ),
    Refused(
        "regexp_extract",
        lambda: regexp_extract(message.role, "(?P<year>a)", "yaer"),
        "pattern '(?P<year>a)' of regexp_extract has no group 'yaer' (did you mean 'year'?)",
        "a group with a name is written (?P<yaer>...)",
    ),
    Refused(
        "regexp_replace",
        lambda: regexp_replace(message.role, "a", r"\1"),
        "replacement '\\\\1' of regexp_replace is invalid: invalid group reference 1 at position 1",
        "\\1 and \\g<name> are groups of the pattern, \\\\ is a backslash",
    ),
    Refused(
        "regexp_replace",
        lambda: regexp_replace(message.role, "a", x),
        "the replacement of regexp_replace is a text, not <Expr message.seq>",
        "a text that differs from row to row is put in with replace(x, part, instead)",
    ),
    Refused(
        "date_part",
        lambda: anything_of(date_part)(message.seq, "yeer"),
        "the part in date_part cannot be 'yeer' (did you mean 'year'?)",
        "one of year, quarter, month, week, day, hour, minute, second, microsecond, weekday, dayofyear, isoyear",
    ),
    Refused(
        "date_trunc",
        lambda: anything_of(date_trunc)(message.seq, "days"),
        "the unit of date_trunc cannot be 'days' (did you mean 'day'?)",
        "one of year, quarter, month, week, day, hour, minute, second, millisecond, microsecond",
    ),
    Refused(
        "date_add",
        lambda: anything_of(date_add)(message.seq, 1, None),
        "the unit of date_add cannot be None",
        "one of year, quarter, month, week, day, hour, minute, second, millisecond, microsecond",
    ),
    Refused(
        "date_diff",
        lambda: anything_of(date_diff)(message.seq, message.seq, "fortnight"),
        "the unit of date_diff cannot be 'fortnight'",
        "one of year, quarter, month, week, day, hour, minute, second, millisecond, microsecond",
    ),
    Refused(
        "to_local",
        lambda: to_local(message.seq, "Europe/Berlim"),
        "to_local knows no time zone 'Europe/Berlim' (did you mean 'Europe/Berlin' or 'Europe/Belfast' or 'Europe/Paris'?)",
        "a zone is written 'Europe/Berlin', or comes from a column",
    ),
    Refused(
        "from_local",
        lambda: from_local(message.seq, 2),
        "from_local knows no time zone 2",
        "a zone is written 'Europe/Berlin', or comes from a column",
    ),
    Refused(
        "cast",
        lambda: cast(message.seq, list),
        "cast knows no kind <class 'list'>",
        "one of int, float, str, bool, Decimal, date, datetime",
    ),
    Refused(
        "path",
        lambda: path(message.seq, "$.a[*]"),
        "path '$.a[*]' cannot be read from '[*]' on",
        "a path has names and positions only: $.parts[0].text, $['any name']",
    ),
    Refused(
        "path",
        lambda: path(message.seq, "$a"),
        "path '$a' cannot be read from 'a' on",
        "a path has names and positions only: $.parts[0].text, $['any name']",
    ),
    Refused(
        "path",
        lambda: path(nothing, "$.a"),
        "path takes an expression, not None",
        "name a field: alias.field",
    ),
    Refused(
        "path",
        lambda: path(message.seq, nothing),
        "the steps of path are a text, not None",
        "write x[expression] otherwise",
    ),
    Refused(
        "upper",
        lambda: upper(row),
        "an alias stands where upper expects a value",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
]
