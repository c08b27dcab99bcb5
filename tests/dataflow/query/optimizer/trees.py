"""Tables, and the text of a query's tree before and after a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.live.live import tree_of
from dataflow.query.render import render
from tests.dataflow.query.sources import Table

if TYPE_CHECKING:
    from dataflow.query.builder import Query
    from dataflow.query.optimizer.optimize import Rule

ORDERS, USERS, CITIES = Table[Any]("orders"), Table[Any]("users"), Table[Any]("cities")
order, user, city = ORDERS.alias("order"), USERS.alias("user"), CITIES.alias("city")


def after(rule: Rule, query: Query[Any]) -> str:
    """Return the text of a query's tree after one rule."""
    tree, _ = tree_of(query)
    return render(rule(tree))


def condition_after(rule: Rule, query: Query[Any]) -> str:
    """Return the first line of a query's tree after one rule."""
    return after(rule, query).splitlines()[0]


def unchanged(rule: Rule, query: Query[Any]) -> bool:
    """Tell whether a rule leaves a query's tree as it is."""
    tree, _ = tree_of(query)
    return rule(tree) == tree
