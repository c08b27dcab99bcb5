import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dataflow import Collection, Source, count, live, query
from dataflow.__main__ import main

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Make a module that users could have written."""
    module = ModuleType("shop")
    orders: Collection[Any] = Collection("orders", key="id")
    customers: Collection[Any] = Collection("customers", key="id")
    with orders.sync() as write:
        write.insert({"id": 1, "open": True})
        write.insert({"id": 2, "open": False})
    order = orders.alias("order")

    def of_sources(orders: Source[Any], customers: Source[Any], *, least: int = 1) -> Any:
        order, customer = orders.alias("order"), customers.alias("customer")
        return query(order).join(customer, on=order.customer == customer.id).where(order.n > least)

    def of_nobody(ordres: Source[Any]) -> Any:
        raise AssertionError

    vars(module).update(
        orders=orders,
        people=customers,
        open_orders=query(order).where(order.open == True),  # noqa: E712 - an expression
        totals=lambda: query(order).select(n=count()),
        of_sources=of_sources,
        of_nobody=of_nobody,
        running=live(query(order)),
        number=7,
    )
    monkeypatch.setitem(sys.modules, "shop", module)
    return module


def printed(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["open_orders", "orders", "running", "totals", "of_sources"])
def test_explain_describes_whatever_stands_for_a_query(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, "explain", f"shop:{name}")
    assert text.startswith("query\n")
    assert "\nplan" in text


def test_explain_shows_code_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert "def make(" not in printed(capsys, "explain", "shop:open_orders")
    assert "def make(" in printed(capsys, "explain", "shop:open_orders", "--code")


def test_inspect_runs_a_query_and_shows_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "inspect", "shop:open_orders").splitlines()
    assert lines[0].endswith(", ready, 1 row")
    assert [line.split()[:3] for line in lines[2:]] == [
        ["0", "source", "orders"],
        ["1", "filter", "0"],
    ]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("shop", "error: expected MODULE:QUERY, not 'shop'"),
        ("shop:", "error: expected MODULE:QUERY, not 'shop:'"),
        (":open_orders", "error: expected MODULE:QUERY, not ':open_orders'"),
        (".shop:open_orders", "error: expected MODULE:QUERY, not '.shop:open_orders'"),
        ("nowhere:x", "error: no module 'nowhere'"),
        ("shop:open_order", "error: shop has no 'open_order' (did you mean"),
        ("shop:number", "error: shop:number is no query but of type int"),
        ("shop:of_nobody", "error: no source 'ordres' in shop (did you mean 'orders' "),
    ],
)
def test_what_is_no_query_is_said_in_one_line(
    target: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", target]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)


def test_inspect_of_a_collection_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "shop:orders"]) == 1
    assert "expected a live query or an effect, not Collection" in capsys.readouterr().err


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    (tmp_path / "views.py").write_text(
        "from dataflow import Collection, query\n"
        "users = Collection('users', key='id')\n"
        "everybody = query(users)\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "dataflow", "explain", "views:everybody"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("query\n")
