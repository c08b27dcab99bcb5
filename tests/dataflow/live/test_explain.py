"""What `explain` says, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from dataflow.circuit.graph import current_graph
from dataflow.collection.collection import Collection
from dataflow.live.explain import explain
from dataflow.live.live import live
from dataflow.live.statistics import plan_nodes
from dataflow.query.aggregates import collect, count, fold, string_agg
from dataflow.query.builder import query
from dataflow.query.compiler.outline import Outline, counterparts
from dataflow.query.functions import fn, lit, selected
from dataflow.query.nesting import nested
from tests.laws.running import Run, attempt
from tests.strategies import cases

if TYPE_CHECKING:
    from tests.cases import Case
    from tests.laws.shrinking import Failure


class Chat:
    """Three messages of two users, of whom one wrote none."""

    def __init__(self) -> None:
        self.messages = Collection[Any]("messages", key="id")
        self.users = Collection[Any]("users", key="id")
        self.m, self.u = self.messages.alias("m"), self.users.alias("u")
        with self.users.sync() as write:
            for number in range(2):
                write.insert({"id": number, "name": f"user {number}", "age": 20 + number})
        with self.messages.sync() as write:
            for number in range(3):
                write.insert({"id": number, "author": 0, "text": "hello", "size": 5, "role": "a"})


@pytest.fixture
def chat() -> Chat:
    return Chat()


def plan_of(asked: Any) -> str:
    """Return the plan of a query, without what comes before."""
    return explain(asked).partition("\n\nplan")[2]


def test_a_query_its_rewritten_form_and_its_plan(chat: Chat) -> None:
    m, u = chat.m, chat.u
    asked = (
        query(m)
        .join(u, on=m.author == u.id)
        .where(m.role == "a", u.age >= lit(20) + 1)
        .select(id=m.id, name=u.name)
    )
    assert (
        explain(asked)
        == """\
query
  select id=m.id, name=u.name
    where (m.role == 'a') & (u.age >= (20 + 1))
      inner join on m.author == u.id
        scan messages as m
        scan users as u

optimized
  select id=m.id, name=u.name
    inner join on m.author == u.id
      reads m.author, m.id
        where m.role == 'a'
          scan messages as m
      reads u.id, u.name
        where u.age >= 21
          scan users as u

plan
   0  source messages
        delta  id -> m
        holds  3 rows
   1  source users
        delta  id -> u
        holds  2 rows
   2  where m.role == 'a' <- 0
        delta  id -> m
   3  where u.age >= 21 <- 1
        delta  id -> u
   4  arrangement by author <- 2
   5  inner join on m.author == u.id: select id=m.id, name=u.name <- 2, 3, 4
        delta  (m, u) -> {id, name}
        reads  m.author, m.id, u.id, u.name"""
    )


def test_a_running_query_tells_what_it_holds_and_shares(chat: Chat) -> None:
    m, u = chat.m, chat.u
    joined = query(m).join(u, on=m.author == u.id)
    first = live(joined.select(id=m.id, name=u.name).order_by(m.size).limit(2), key="id")
    second = live(joined.select(id=m.id, name=u.name))
    assert (
        plan_of(first)
        == """\
, running
   0  source messages
        delta  id -> m
        holds  3 rows
   1  source users
        delta  id -> u
        holds  2 rows
   2  arrangement by author <- 0; shared by 2
        holds  3 rows
   3  inner join on m.author == u.id: keep rows <- 0, 1, 2
        delta  (m, u) -> (m, u)
        reads  m.author, m.id, m.size, u.id, u.name
        holds  3 rows
   4  order by m.size limit 2 <- 3
        delta  (m, u) -> (m, u)
        holds  3 rows
   5  select id=m.id, name=u.name <- 4
        delta  (m, u) -> {id, name}
        holds  2 rows
   6  key id <- 5
        delta  id -> {id, name}
        holds  2 rows"""
    )
    assert second.status == "ready"


def test_groups_tell_what_costs_as_much_as_they_have_rows(chat: Chat) -> None:
    m = chat.m
    asked = (
        query(m)
        .group_by(m.author)
        .having(count() > 1)
        .select(
            author=m.author,
            texts=collect(m.text),
            text=string_agg(m.text, ", "),
            size=fold(m.size, 0, max),
        )
        .order_by(selected.author)
    )
    assert (
        plan_of(asked)
        == """\

   0  source messages
        delta  id -> m
        holds  3 rows
   1  group by m.author: where count() > 1 <- 0
        delta  m.author -> (m.author, collect(m.text), string_agg(m.text, ', '), fold(m.size),
               count())
        reads  m.author, m.size, m.text
        costs  every row of each changed group, for collect and string_agg; fold runs again from
               the first changed row of a group on
   2  order by m.author <- 1
        delta  m.author -> (m.author, collect(m.text), string_agg(m.text, ', '), fold(m.size),
               count())
   3  select author=m.author, texts=collect(m.text), text=string_agg(m.text, ', '),
      size=fold(m.size) <- 2
        delta  m.author -> {author, texts, text, size}"""
    )


def test_joins_without_equality_tell_that_they_scan(chat: Chat) -> None:
    m, u = chat.m, chat.u
    asked = query(m).join(u, on=m.size > u.age, how="left").select(id=m.id, name=u.name)
    assert (
        plan_of(asked)
        == """\

   0  source messages
        delta  id -> m
        holds  3 rows
   1  source users
        delta  id -> u
        holds  2 rows
   2  arrangement of all rows <- 0
   3  arrangement of all rows <- 1
   4  pairs that match: where m.size > u.age <- 0, 1, 2, 3
        costs  each changed row is compared with every row of the other side
   5  left join on m.size > u.age <- 4, 0, 1
        delta  (m, u) -> (m, u or none)
        reads  m.id, m.size, u.age, u.name
   6  select id=m.id, name=u.name <- 5
        delta  (m, u) -> {id, name}"""
    )


def loud(row: dict[str, Any]) -> dict[str, Any]:
    """Say a message loud."""
    return row | {"text": row["text"].upper()}


def test_a_subquery_used_twice_is_one_operator(chat: Chat) -> None:
    m = chat.m
    sub = query(m).where(m.size > 2).select(m, twice=fn(abs, m.size)).map(loud)
    a, b = sub.alias("a"), sub.alias("b")
    assert (
        plan_of(query(a).join(b, on=a.author == b.id))
        == """\

   0  source messages
        delta  id -> m
        holds  3 rows
   1  where m.size > 2; select *m, twice=fn(abs, m.size); map loud <- 0; shared by 2
        delta  id -> a
        costs  abs, loud called once for each version of a row; what it returns is kept
   2  arrangement by author <- 1
   3  arrangement by id <- 1
   4  inner join on a.author == b.id: select a=a, b=b <- 1, 2, 3
        delta  (a, b) -> {a, b}"""
    )


def test_set_operations_on_whole_rows_warn(chat: Chat) -> None:
    assert (
        plan_of(query(chat.m).distinct())
        == """\

   0  source messages
        delta  id -> m
        holds  3 rows
   1  distinct of whole rows <- 0
        delta  value -> row
        costs  whole rows are compared and kept as keys; name the columns that matter"""
    )
    named = query(chat.m).select(role=chat.m.role).distinct()
    assert "costs" not in plan_of(named)
    assert "delta  (role) -> {role}" in plan_of(named)


def test_nested_rows_tell_what_they_cost(chat: Chat) -> None:
    m, u = chat.m, chat.u
    mine = query(m).where(m.author == u.id).order_by(m.size).select(text=m.text)
    assert (
        plan_of(query(u).select(name=u.name, said=nested(mine)))
        == """\

   0  source users
        delta  id -> u
        holds  2 rows
   1  source messages
        delta  id -> m
        holds  3 rows
   2  select c0={text: m.text}, c1=m.size, c2=m.author <- 1
        delta  id -> {c0, c1, c2}
   3  arrangement by id <- 0
   4  arrangement by c2 <- 2
   5  inner join on u.id == child.c2 <- 0, 2, 3, 4
        delta  (u, child) -> (u, child)
        reads  u.id, all of child
   6  rows by owner <- 5
   7  nest nested 1 <- 0, 6
        delta  id -> (u, nested 1)
        costs  the whole list of each outer row with a changed child
   8  select name=u.name, said=nested 1 <- 7
        delta  id -> {name, said}"""
    )


def test_code_is_that_of_the_operators(chat: Chat) -> None:
    result = live(query(chat.m).where(chat.m.size > 2))
    assert result.last_node is not None
    code = "\n".join(f"  {line}".rstrip() for line in result.last_node.source.splitlines())
    text = explain(result, code=True)
    assert text == f"{explain(result)}\n\ncode of 1: filter\n{code}"
    assert "def step(delta, rows, changes):" in code


def test_a_query_over_a_source_that_is_loading_has_no_plan(chat: Chat) -> None:
    loading = Collection[Any]("loading", key="id", ready=False)
    x = loading.alias("x")
    assert (
        explain(query(x).where(x.id > 1))
        == """\
query
  where x.id > 1
    scan loading as x

plan
  none yet: a source is still loading"""
    )


@settings(max_examples=settings().max_examples // 2)
@given(cases(commits=1, views=1))
def test_any_plan_can_be_told_and_is_the_one_that_runs(case: Case) -> None:
    def told(run: Run) -> Failure | None:
        run.start_views()
        for view in run.watched:
            last = view.result.last_node
            assert last is not None
            drawn = Outline(current_graph()).build(view.result.tree, stored=True, outermost=True)
            found = counterparts(drawn.node, last)
            assert {found.get(node, node) for node in plan_nodes((drawn.node,))} <= set(
                plan_nodes((last,))
            )
            lines = explain(view.result).splitlines()
            assert max(map(len, lines[lines.index("plan, running") :])) <= 200
        return None

    assert attempt(case, told) is None


def test_explaining_reads_no_row_calls_nothing_and_leaves_nothing(chat: Chat) -> None:
    called: list[Any] = []
    asked = query(chat.m).select(x=fn(called.append, chat.m.id)).order_by(chat.m.id).limit(1)
    before = chat.messages.physical()[0].consumers
    explain(asked)
    assert called == []
    assert before == {}
