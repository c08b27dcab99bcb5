from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Any

import pytest

from dataflow import Collection, query, run, sum_


class Word(StrEnum):
    REGION = "region"
    AMOUNT = "amount"


class Mixed(str, Enum):  # noqa: UP042 - whose str() is not its text
    REGION = "region"
    AMOUNT = "amount"


@pytest.mark.parametrize("named", [Word, Mixed, str])
def test_a_member_of_an_enum_names_a_field_as_its_text_does(named: Callable[[str], Any]) -> None:
    orders: Collection[dict[str, Any]] = Collection("orders", key="id")
    with orders.sync() as write:
        write.insert({"id": 1, "region": "north", "amount": 2})
        write.insert({"id": 2, "region": "north", "amount": 3})
    order = orders.alias("order")
    region, amount = order[named("region")], order[named("amount")]
    grouped = query(order).group_by(region).select(region=region, total=sum_(amount))
    assert run(grouped) == [{"region": "north", "total": 5}]
    chosen = query(order).where(amount > 2).select(amount=amount)
    assert run(chosen) == run(query(order).where(order.amount > 2).select(amount=order.amount))
    assert run(chosen) == [{"amount": 3}]
