"""What Python would answer by itself: truth, membership, None, containers, conversions."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import numpy as np

from dataflow.query.functions import facts, lit, selected
from tests.dataflow.query.refused.parts import (
    Refused,
    later,
    message,
    nothing,
    row,
    sale,
    start,
    unfinished,
    x,
)
from tests.dataflow.query.sources import MESSAGES, Message

REFUSED: list[Refused] = [
    Refused(
        "truth",
        lambda: bool(message.seq > 1),
        "expression 'message.seq > 1' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "truth",
        lambda: x and 1,
        "expression 'message.seq' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "truth",
        lambda: x or 1,
        "expression 'message.seq' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "truth",
        lambda: not message.pending,
        "expression 'message.pending' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "truth",
        lambda: 1 if row.pending else 2,
        "expression 'message.pending' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "truth",
        lambda: 1 < message.seq < 3,
        "expression 'message.seq > 1' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "truth",
        lambda: message.seq in (1, 2),
        "expression 'message.seq == 1' has no truth value: it is computed for each row",
        "and, or, not are & | ~ in a query, with parentheses: (a == 1) & ~(b == 2)",
    ),
    Refused(
        "in",
        lambda: "a" in x,
        "expression 'message.seq' is computed for each row: 'in' cannot ask it",
        "write x.contains(part), or x.in_([1, 2]) for x in (1, 2)",
    ),
    Refused(
        "== None",
        lambda: message.role == None,  # noqa: E711 - the mistake in question
        "message.role == None is never true: null equals nothing",
        "write message.role.is_null()",
    ),
    Refused(
        "!= None",
        lambda: message.role != None,  # noqa: E711 - the mistake in question
        "message.role != None is never true: null equals nothing",
        "write message.role.is_not_null()",
    ),
    Refused(
        "<",
        lambda: message.seq < nothing,
        "< with None has no answer: null is never equal, less or more",
        "write x.is_null() or x.is_not_null(); a null on purpose is lit(None)",
    ),
    Refused(
        "+",
        lambda: message.seq + nothing,
        "+ with None has no answer: null is never equal, less or more",
        "write x.is_null() or x.is_not_null(); a null on purpose is lit(None)",
    ),
    Refused(
        "in_",
        lambda: message.seq.in_([1, None]),
        "in_ with None has no answer: null is never equal, less or more",
        "write x.is_null() or x.is_not_null(); a null on purpose is lit(None)",
    ),
    Refused(
        "like",
        lambda: message.role.like(None),
        "like with None has no answer: null is never equal, less or more",
        "write x.is_null() or x.is_not_null(); a null on purpose is lit(None)",
    ),
    Refused(
        "between",
        lambda: message.seq.between(None, 3),
        "between with None has no answer: null is never equal, less or more",
        "write x.is_null() or x.is_not_null(); a null on purpose is lit(None)",
    ),
    Refused(
        "==",
        lambda: message.seq == len,
        "a function stands where == expects a value: <built-in function len>",
        "call it, or write fn(function, column, ...) to call it for each row",
    ),
    Refused(
        "==",
        lambda: message.seq == Message,
        "a function stands where == expects a value: <class 'tests.dataflow.query.sources.Message'>",
        "call it, or write fn(function, column, ...) to call it for each row",
    ),
    Refused(
        "==",
        lambda: message.seq == message,
        "an alias stands where == expects a value",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
    Refused(
        ">",
        lambda: message.seq > MESSAGES,
        "a source stands where > expects a value",
        "name a field of it: source.alias('x').field",
    ),
    Refused(
        "==",
        lambda: message.seq == start,
        "a query stands where == expects a value",
        "name a column of it: q.alias('x').column; its rows in a column are nested(q)",
    ),
    Refused(
        "==",
        lambda: message.seq == selected,
        "selected stands where == expects a value",
        "name a selected column: selected.total",
    ),
    Refused(
        "==",
        lambda: message.seq == message.seq.desc(),
        "an order stands where == expects a value",
        "asc and desc belong in order_by",
    ),
    Refused(
        "==",
        lambda: message.seq == facts(message),
        "the facts of an alias stands where == expects a value",
        "name one of them: facts(alias).pending",
    ),
    Refused(
        "+",
        lambda: message.seq + unfinished,
        "a window function without over stands where + expects a value",
        "say over which rows: row_number().over(order_by=alias.field)",
    ),
    Refused(
        "==",
        lambda: message.seq == later,
        "a function stands where == expects a value: ...",
        "call it, or write fn(function, column, ...) to call it for each row",
    ),
    Refused(
        "==",
        lambda: message.seq == partial(later, 1),
        "a function stands where == expects a value: functools.partial(...",
        "call it, or write fn(function, column, ...) to call it for each row",
    ),
    Refused(
        "==",
        lambda: message.seq == later(1),
        "a coroutine stands where == expects a value",
        "await it first",
    ),
    Refused(
        "in_",
        lambda: message.seq.in_([later(1)]),
        "a coroutine stands where in_ expects a value",
        "await it first",
    ),
    Refused(
        "==",
        lambda: message.seq == np.array([1, 2]),
        "a value of type 'ndarray' stands where == expects a constant: no single truth comes of comparing it",
        "of an array write x.in_(array.tolist()) for one of its elements; as a whole it is lit(array.tolist())",
    ),
    Refused(
        "in_",
        lambda: message.seq.in_([np.array([1, 2])]),
        "a value of type 'ndarray' stands where in_ expects a constant: no single truth comes of comparing it",
        "of an array write x.in_(array.tolist()) for one of its elements; as a whole it is lit(array.tolist())",
    ),
    Refused(
        "in_",
        lambda: message.seq.in_("ab"),
        "in_ takes several values, not 'ab'",
        "write x.in_([first, second]); for a list in a column write column.contains(x)",
    ),
    Refused(
        "in_",
        lambda: x.in_(3),
        "in_ takes several values, not 3",
        "write x.in_([first, second]); for a list in a column write column.contains(x)",
    ),
    Refused(
        "in_",
        lambda: x.in_(message.meta),
        "in_ takes several values, not <Expr message.meta>",
        "write x.in_([first, second]); for a list in a column write column.contains(x)",
    ),
    Refused(
        "in_",
        lambda: x.in_(len),
        "in_ takes several values, not <built-in function len>",
        "write x.in_([first, second]); for a list in a column write column.contains(x)",
    ),
    Refused(
        "brackets",
        lambda: x[0:2],
        "brackets of an expression take a field name or a position, not slice(0, 2, None)",
        "a part of a text is substring(x, start, size)",
    ),
    Refused(
        "brackets",
        lambda: x[True],
        "brackets of an expression take a field name or a position, not True",
        "a part of a text is substring(x, start, size)",
    ),
    Refused(
        "iterated",
        lambda: list(message.meta),
        "expression 'message.meta' is computed for each row: it cannot be iterated",
        "name the columns one by one; sum, min, max, any and all of Python are sum_(x) ...",
    ),
    Refused(
        "iterated",
        lambda: sum(message.seq),
        "expression 'message.seq' is computed for each row: it cannot be iterated",
        "name the columns one by one; sum, min, max, any and all of Python are sum_(x) ...",
    ),
    Refused(
        "iterated",
        lambda: max(message.seq),
        "expression 'message.seq' is computed for each row: it cannot be iterated",
        "name the columns one by one; sum, min, max, any and all of Python are sum_(x) ...",
    ),
    Refused(
        "len",
        lambda: len(x),
        "expression 'message.seq' is computed for each row: it has no length yet",
        "write length(x)",
    ),
    Refused(
        "text",
        lambda: f"{message.role}: {message.content}",
        "expression 'message.role' is computed for each row: it has no text yet",
        "write concat('a', x); to show the expression itself: f'{x!r}'",
    ),
    Refused(
        "int",
        lambda: int(x),
        "expression 'message.seq' is computed for each row: it is no int yet",
        "write cast(x, int)",
    ),
    Refused(
        "float",
        lambda: float(x),
        "expression 'message.seq' is computed for each row: it is no float yet",
        "write cast(x, float)",
    ),
    Refused(
        "abs",
        lambda: abs(x),
        "expression 'message.seq' is computed for each row: abs cannot ask it",
        "write abs_(x)",
    ),
    Refused(
        "round",
        lambda: round(x, 2),
        "expression 'message.seq' is computed for each row: round cannot ask it",
        "write round_(x, digits)",
    ),
    Refused(
        "power",
        lambda: x**2,
        "expression 'message.seq' is computed for each row: it has no power yet",
        "write power(x, 2)",
    ),
    Refused(
        "seq",
        lambda: message.seq > "x",
        "message.seq > 'x' has one answer for all rows: "
        "field 'seq' is declared as int, and 'x' is of type str",
        "compare it with a value of type int, or cast it: cast(message.seq, T)",
    ),
    Refused(
        "seq",
        lambda: message.seq == "1",
        "message.seq == '1' has one answer for all rows: "
        "field 'seq' is declared as int, and '1' is of type str",
        "compare it with a value of type int, or cast it: cast(message.seq, T)",
    ),
    Refused(
        "pending",
        lambda: message.pending != 1,
        "message.pending != 1 has one answer for all rows: "
        "field 'pending' is declared as bool, and 1 is of type int",
        "compare it with a value of type bool, or cast it: cast(message.pending, T)",
    ),
    Refused(
        "role",
        lambda: lit(b"user") == message.role,
        "b'user' == message.role has one answer for all rows: "
        "field 'role' is declared as str, and b'user' is of type bytes",
        "compare it with a value of type str, or cast it: cast(message.role, T)",
    ),
    Refused(
        "price",
        lambda: sale.price.between(Decimal(1), "2"),
        "sale.price <= '2' has one answer for all rows: "
        "field 'price' is declared as Decimal, and '2' is of type str",
        "compare it with a value of type Decimal, or cast it: cast(sale.price, T)",
    ),
    Refused(
        "role",
        lambda: message.role.in_(["user", 1]),
        "message.role in_ 1 has one answer for all rows: "
        "field 'role' is declared as str, and 1 is of type int",
        "compare it with a value of type str, or cast it: cast(message.role, T)",
    ),
    Refused(
        "==",
        lambda: sale.price == 9.99,
        "sale.price == 9.99 compares a decimal and a float, whose exact values differ",
        "write Decimal('9.99'); to compare them as floats write cast(x, float)",
    ),
    Refused(
        "<",
        lambda: sale.price < 0.1,
        "sale.price < 0.1 compares a decimal and a float, whose exact values differ",
        "write Decimal('0.1'); to compare them as floats write cast(x, float)",
    ),
    Refused(
        "in_",
        lambda: sale.price.in_([1, 9.99]),
        "sale.price in_ 9.99 compares a decimal and a float, whose exact values differ",
        "write Decimal('9.99'); to compare them as floats write cast(x, float)",
    ),
    Refused(
        "==",
        lambda: sale.weight == Decimal("0.1"),
        "sale.weight == Decimal('0.1') compares a decimal and a float, whose exact values differ",
        "cast one of them: cast(x, Decimal); to compare them as floats write cast(x, float)",
    ),
    Refused(
        ">=",
        lambda: sale.price >= 0.3,
        "sale.price >= 0.3 compares a decimal and a float, whose exact values differ",
        "write Decimal('0.3'); to compare them as floats write cast(x, float)",
    ),
    Refused(
        "==",
        lambda: sale.price == sale.weight,
        "sale.price == sale.weight compares a decimal and a float, whose exact values differ",
        "cast one of them: cast(x, Decimal); to compare them as floats write cast(x, float)",
    ),
]
