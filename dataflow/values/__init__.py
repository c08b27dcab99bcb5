"""The meaning of values, defined here once and nowhere else.

    null         what counts as null; ABSENT, the missing side of an outer join in a key
    kinds        which classes of values belong together
    equality     equal: total, True is not 1, NaN is NaN, a missing field is a null field
    normal       normal: one hashable representative of all equal values; expose: back again
    frozen       the stand-ins that normal forms are made of
    order        sort_key: a total order over all values; keys for ORDER BY
    logic        three-valued comparisons and connectives of expressions
    arithmetic   + - * / // % and unary minus of expressions; null where there is no answer
    temporal     aware and naive times; instants
    fields       which fields a class declares
    comparison   the generated comparison of objects, field by field
    row          RowAdapter: how rows of one kind are read, compared and replaced

Python's own operators disagree with this contract without raising: `None != 1` is true, `True < 2`
too, `nan > 5` is not, and a dict takes 1, 1.0 and True for one key. Code of the engine therefore
uses them on users' values only where it has shown that they give the contract's answer.
"""
