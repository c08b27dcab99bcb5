"""The function library of queries: everything that is no operator and no method of an expression.

    references  lit, fn; selected and facts, which name what is no column of a source
    logic       conditions and choices
    numbers     rounding, powers
    texts       case, parts, searching and replacing
    patterns    regular expressions
    times       dates and datetimes
    casts       one kind into another; tests of kind
    containers  lists and dicts
    argument    what functions take

Each module writes what the module of the same name in `dataflow.query.operations` computes. A name
that would hide a builtin ends in an underscore (`round_`). Arguments are expressions or constants;
`is_null`, `coalesce` and `fn` also take an alias, which stands for its whole row.
"""

from dataflow.query.functions.casts import (
    cast,
    is_bool,
    is_datetime,
    is_dict,
    is_list,
    is_number,
    is_text,
)
from dataflow.query.functions.containers import keys, length, path
from dataflow.query.functions.logic import (
    and_,
    case,
    coalesce,
    greatest,
    is_null,
    least,
    not_,
    nullif,
    or_,
)
from dataflow.query.functions.numbers import abs_, ceil, exp, floor, ln, power, round_, sign, sqrt
from dataflow.query.functions.patterns import regexp_extract, regexp_matches, regexp_replace
from dataflow.query.functions.references import facts, fn, lit, selected
from dataflow.query.functions.texts import (
    concat,
    lower,
    ltrim,
    pad_end,
    pad_start,
    position,
    replace,
    rtrim,
    split,
    substring,
    trim,
    upper,
)
from dataflow.query.functions.times import (
    date_add,
    date_diff,
    date_part,
    date_trunc,
    from_local,
    from_timestamp,
    parse_datetime,
    timestamp,
    to_local,
)

__all__ = [
    "abs_",
    "and_",
    "case",
    "cast",
    "ceil",
    "coalesce",
    "concat",
    "date_add",
    "date_diff",
    "date_part",
    "date_trunc",
    "exp",
    "facts",
    "floor",
    "fn",
    "from_local",
    "from_timestamp",
    "greatest",
    "is_bool",
    "is_datetime",
    "is_dict",
    "is_list",
    "is_null",
    "is_number",
    "is_text",
    "keys",
    "least",
    "length",
    "lit",
    "ln",
    "lower",
    "ltrim",
    "not_",
    "nullif",
    "or_",
    "pad_end",
    "pad_start",
    "parse_datetime",
    "path",
    "position",
    "power",
    "regexp_extract",
    "regexp_matches",
    "regexp_replace",
    "replace",
    "round_",
    "rtrim",
    "selected",
    "sign",
    "split",
    "sqrt",
    "substring",
    "timestamp",
    "to_local",
    "trim",
    "upper",
]
