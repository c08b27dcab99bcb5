"""The scalar operations by name: what each one computes from evaluated arguments.

    operation   Operation: name, function, number of arguments, one line on what it computes
    registry    OPERATIONS: every operation by its name
    reading     arguments of one kind, read from values of any
    logic       comparisons, connectives, null tests, choices
    numbers     arithmetic, rounding, powers
    texts       case, parts, searching and replacing
    patterns    regular expressions
    times       dates and datetimes: reading, parts, truncation, differences, zones
    casts       one kind into another; tests of kind
    containers  lists and dicts

A name is what `scalar.Call` carries. Eager operations have a Python function over evaluated
arguments, which follows the rules of `dataflow.values`: null in, null out unless stated otherwise;
an argument of a kind the operation does not know gives null; equal arguments give equal results;
none of them raises for a value, but for a Decimal meeting a float in arithmetic. Lazy operations
have no function: which arguments they evaluate depends on the others, so that evaluator and
compiler treat them themselves.
"""
