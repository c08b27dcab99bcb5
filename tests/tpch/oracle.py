"""DuckDB holds the same rows, is asked the same questions in SQL, and judges the answers.

Rows are compared in order. Where the order leaves rows tied they may come in any sequence, and a
limit may cut through ties anywhere; so DuckDB is asked without the limit. Ints, texts, days and
Decimals have to be equal; only quotients, which DuckDB computes as floats, may differ by rounding.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from math import isclose
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from tests.tpch.tables import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.tpch.tables import Row
    from tests.tpch.updates import Write

_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Question:
    """A question in SQL, split where the comparison needs to know.

    Attributes:
        sql: The text without its limit.
        order: Columns of the outermost order; empty for an answer of one row.
        limit: Rows asked for; None for all.
    """

    sql: str
    order: tuple[str, ...]
    limit: int | None

    @classmethod
    def of(cls, function: object) -> Self:
        """Read the question that the docstring of a function asks."""
        sql, _, limit = (inspect.getdoc(function) or "").partition("\nlimit ")
        *_, order = re.split(r"^order by ", sql, flags=re.MULTILINE)
        columns = order.split(",") if order != sql else []
        return cls(
            sql,
            tuple(column.strip().removesuffix(" desc") for column in columns),
            int(limit) if limit else None,
        )

    def accepts(self, answer: Sequence[Row], full: Sequence[Row]) -> bool:
        """Tell whether an answer is right, given the full answer of the oracle."""
        if len(answer) != min(len(full), len(full) if self.limit is None else self.limit):
            return False
        begin = 0
        for _, rows in groupby(full, lambda row: [row[name] for name in self.order]):
            tied = list(rows)
            part = answer[begin : begin + len(tied)]
            begin += len(tied)
            if not _all_among(part, tied):
                return False
        return True


class Oracle:
    """The tables in DuckDB.

    Args:
        files: The folder of a Parquet file per table.
        share: One order of so many is loaded, with its lines; all rows of the other tables are.
    """

    def __init__(self, files: Path, share: int) -> None:
        self._database = duckdb.connect()
        for table in KEYS:
            self._database.execute(
                f"create table {table} as from read_parquet('{files / table}.parquet')"
            )
        for table, key in (("orders", "o_orderkey"), ("lineitem", "l_orderkey")):
            self._database.execute(f"delete from {table} where {key} % ? <> 0", (share,))

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table."""
        return self._rows(f"from {table}")

    def write(self, writes: Iterable[Write]) -> None:
        """Put rows in place of those with their keys, all at once; None deletes."""
        self._database.begin()
        for table, key, row in writes:
            condition = " and ".join(f"{name} = ?" for name in KEYS[table])
            self._database.execute(f"delete from {table} where {condition}", key)
            if row is not None:
                marks = ", ".join("?" * len(row))
                self._database.execute(f"insert into {table} values ({marks})", tuple(row.values()))
        self._database.commit()

    def answer(self, question: Question) -> list[Row]:
        """Return the full answer to a question."""
        return self._rows(question.sql)

    def _rows(self, sql: str) -> list[Row]:
        result = self._database.execute(sql)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _all_among(rows: Iterable[Row], tied: Iterable[Row]) -> bool:
    """Tell whether rows are found among others, each at most once."""
    left = list(tied)
    for row in rows:
        match = next((one for one in left if _equal_rows(row, one)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _equal_rows(row: Row, other: Row) -> bool:
    return row.keys() == other.keys() and all(_equal(row[name], other[name]) for name in row)


def _equal(value: Any, other: Any) -> bool:
    if isinstance(other, float) and isinstance(value, Decimal):
        return isclose(value, other, rel_tol=_ROUNDING)
    return bool(value == other)
