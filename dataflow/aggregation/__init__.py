"""The states of aggregates: what a group keeps so that its result can follow adds and removes.

    sums        Total: exact sum and mean of numbers; exact: the sums of floats and of Decimals
    extremes    Extremes: minimum and maximum
    sequence    OrderedRows: the rows of a group in order (collect, first, last)
    distinct    Distinct: how many different values
    median      Median: the middle of the numbers
    moments     Moments: variance and standard deviation
    retractable Retractable: an aggregate of the user, with functions that add and retract
    folding     Fold: a user's left fold over ordered rows, replayed from the edit point only
    blocks      SortedBlocks: the sorted map under extremes, sequence and folding

Pure data structures: they know values and their order, and nothing of queries, groups or epochs.
Every state is a function of the values it holds, never of the order in which they came and went.
"""
