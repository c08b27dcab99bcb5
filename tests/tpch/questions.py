"""All 22 queries by number."""

from tests.tpch.queries_1_to_6 import q1, q2, q3, q4, q5, q6
from tests.tpch.queries_7_to_11 import q7, q8, q9, q10, q11
from tests.tpch.queries_12_to_17 import q12, q13, q14, q15, q16, q17
from tests.tpch.queries_18_to_22 import q18, q19, q20, q21, q22

QUERIES = (
    *(q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11),
    *(q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22),
)
