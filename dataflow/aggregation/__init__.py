"""The states of aggregates: what a group keeps so that its result can follow adds and removes.

    sums        Total: exact sum and mean of numbers; exact: the sums of floats and of Decimals
    extremes    Extremes: minimum and maximum
    sequence    OrderedRows: the rows of a group in order (collect, first, last)
    folding     Fold: a user's left fold over ordered rows, replayed from the edit point only
    blocks      SortedBlocks: the sorted map under the last three

Pure data structures: they know values and their order, and nothing of queries, groups or epochs.
Every state is a function of the values it holds, never of the order in which they came and went.
"""
