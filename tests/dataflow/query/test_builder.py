"""The trees that queries become, as values."""

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from dataflow.query.aggregates import collect, count, fold, max_, sum_
from dataflow.query.builder import Query, query
from dataflow.query.functions import fn, is_null, lit, selected
from dataflow.query.ir import (
    Filter,
    FilterRows,
    Group,
    Join,
    MapRows,
    Named,
    Node,
    Order,
    Project,
    Scan,
    SourceRef,
)
from dataflow.query.scalar import (
    Aggregate,
    Call,
    Cell,
    Column,
    Const,
    Item,
    Ordering,
    Record,
    RowOf,
    Scalar,
)
from tests.dataflow.query.sources import ACTORS, EVENTS, MESSAGES, Message

message = MESSAGES.alias("message")
actor = ACTORS.alias("actor")
event = EVENTS.alias("event")

MESSAGE: Node = Scan(SourceRef(MESSAGES), "message")
ACTOR: Node = Scan(SourceRef(ACTORS), "actor")
EVENT: Node = Scan(SourceRef(EVENTS), "event")
ID: Scalar = Column("message", "id")
ROLE: Scalar = Column("message", "role")
SEQ: Scalar = Column("message", "seq")
ACTOR_ID: Scalar = Column("actor", "id")


@dataclass(frozen=True)
class Summary:
    role: str
    n: int


class Card(TypedDict):
    role: str


def named(**columns: Scalar) -> Record:
    return Record(tuple(columns.items()))


def call(name: str, *args: Scalar) -> Call:
    return Call(name, args)


def is_user(row: Any) -> bool:
    return row is not None


# -- rows of the sources


def test_a_source_goes_by_its_own_name() -> None:
    assert query(MESSAGES)._plan() == Scan(SourceRef(MESSAGES), "messages")
    assert query(message)._plan() == MESSAGE


def test_a_query_can_be_the_source_of_another() -> None:
    inner = query(message).where(message.pending)
    assert query(inner)._plan() == Named(inner._plan(), "query")
    assert query(inner.alias("open"))._plan() == Named(inner._plan(), "open")


def test_where_and_filter_stand_in_call_order() -> None:
    built = (
        query(message)
        .where(message.seq > 1, message.role == "user")
        .filter(is_user, bool)
        .where(message.pending)
    )
    condition = call("and", call("gt", SEQ, Const(1)), call("eq", ROLE, Const("user")))
    rows = FilterRows(FilterRows(Filter(MESSAGE, condition), is_user), bool)
    assert built._plan() == Filter(rows, Column("message", "pending"))


def test_no_condition_keeps_all_rows() -> None:
    assert query(message).where().filter()._plan() == MESSAGE


def test_a_call_leaves_the_query_it_is_made_on_as_it_was() -> None:
    start = query(message)
    start.where(message.pending)
    start.select(id=message.id)
    assert start._plan() == MESSAGE


# -- joins


def test_equalities_between_the_sides_become_pairs_left_side_first() -> None:
    on = (actor.id == message.role) & (message.seq + 1 == actor.name)
    built = query(message).join(actor, on=on).select(id=message.id)
    pairs = ((ROLE, ACTOR_ID), (call("add", SEQ, Const(1)), Column("actor", "name")))
    assert built._plan() == Project(Join(MESSAGE, ACTOR, "inner", pairs), named(id=ID))


def test_several_conditions_of_a_join_are_one() -> None:
    parts = [message.role == actor.id, message.seq > 1]
    together = query(message).join(actor, on=parts[0] & parts[1], how="left")
    assert query(message).join(actor, on=parts, how="left")._plan() == together._plan()
    assert query(message).join(actor, on=iter(parts), how="left")._plan() == together._plan()


def test_every_other_condition_of_a_join_becomes_its_residual() -> None:
    on = (
        (actor.id == message.role)
        & (message.seq == message.id)
        & (actor.role != "bot")
        & (actor.name < message.content)
    )
    built = query(message).join(actor, on=on, how="left").select(id=message.id)
    residual = call(
        "and",
        call("eq", SEQ, ID),
        call("ne", Column("actor", "role"), Const("bot")),
        call("lt", Column("actor", "name"), Column("message", "content")),
    )
    join = Join(MESSAGE, ACTOR, "left", ((ROLE, ACTOR_ID),), residual)
    assert built._plan() == Project(join, named(id=ID))


def test_a_join_by_range_has_a_residual_alone() -> None:
    built = query(message).join(actor, on=actor.name < message.content, how="anti")
    residual = call("lt", Column("actor", "name"), Column("message", "content"))
    assert built._plan() == Join(MESSAGE, ACTOR, "anti", (), residual)


def test_a_join_without_select_yields_a_row_per_alias() -> None:
    built = (
        query(message)
        .join(actor, on=message.role == actor.id)
        .join(event, how="cross")
        .order_by(actor.name)
    )
    join = Join(Join(MESSAGE, ACTOR, "inner", ((ROLE, ACTOR_ID),)), EVENT, "cross")
    rows = named(message=RowOf("message"), actor=RowOf("actor"), event=RowOf("event"))
    assert built._plan() == Project(Order(join, (Ordering(Column("actor", "name")),)), rows)
    assert built.columns == ("message", "actor", "event")
    assert built.row_type is dict


def test_functions_after_a_join_see_its_rows_without_a_select() -> None:
    built = query(message).join(actor, on=message.role == actor.id).filter(is_user).map(str)
    join = Join(MESSAGE, ACTOR, "inner", ((ROLE, ACTOR_ID),))
    assert built._plan() == MapRows(FilterRows(join, is_user), str)


def test_a_condition_before_a_join_stays_before_it() -> None:
    built = (
        query(message)
        .where(message.pending)
        .join(actor, on=message.role == actor.id, how="left")
        .where(is_null(actor))
        .select(message)
    )
    left = Filter(MESSAGE, Column("message", "pending"))
    join = Join(left, ACTOR, "left", ((ROLE, ACTOR_ID),))
    assert built._plan() == Project(
        Filter(join, call("is_null", RowOf("actor"))), Record(((None, RowOf("message")),))
    )


@pytest.mark.parametrize("how", ["semi", "anti"])
def test_semi_and_anti_joins_yield_the_left_row(how: Any) -> None:
    built: Query[Message] = query(message).join(actor, on=message.role == actor.id, how=how)
    assert built._plan() == Join(MESSAGE, ACTOR, how, ((ROLE, ACTOR_ID),))
    assert built.row_type is Message
    assert built.columns == ("id", "role", "content", "seq", "meta", "pending")


def test_a_source_can_be_joined_by_its_own_name() -> None:
    built = query(message).join(ACTORS, on=message.role == ACTORS.alias().id, how="semi")
    actors = Scan(SourceRef(ACTORS), "actors")
    assert built._plan() == Join(MESSAGE, actors, "semi", ((ROLE, Column("actors", "id")),))


def test_a_subquery_can_be_joined() -> None:
    totals = query(event).group_by(event.role).select(role=event.role, n=count()).alias("total")
    built = query(message).join(totals, on=message.role == totals.role).select(n=totals.n)
    subquery = Named(
        Project(
            Group(EVENT, (Column("event", "role"),), (Aggregate("count"),)),
            named(role=Cell(0), n=Cell(1)),
        ),
        "total",
    )
    join = Join(MESSAGE, subquery, "inner", ((ROLE, Column("total", "role")),))
    assert built._plan() == Project(join, named(n=Column("total", "n")))


# -- select, into, map


def test_select_spreads_names_and_nests() -> None:
    built = query(message).select(
        message,
        message.meta["author"],
        total=message.seq + 1,
        row=message,
        nested={"id": message.id, "deeper": {"kind": lit("user")}},
    )
    record = Record(
        (
            (None, RowOf("message")),
            (None, Item(Column("message", "meta"), "author")),
            ("total", call("add", SEQ, Const(1))),
            ("row", RowOf("message")),
            ("nested", named(id=ID, deeper=named(kind=Const("user")))),
        )
    )
    assert built._plan() == Project(MESSAGE, record)
    assert built.columns is None  # what the spread dict holds is not known
    assert built.row_type is dict


def test_the_columns_of_a_select_are_known_if_those_of_its_spreads_are() -> None:
    built = query(message).select(message, seq=lit(1), total=message.seq)
    assert built.columns == ("id", "role", "content", "seq", "meta", "pending", "total")
    assert query(event).select(event, total=event.seq).columns is None
    assert query(event).columns is None


@pytest.mark.parametrize("row_type", [Summary, Card])
def test_into_names_the_type_of_the_new_row(row_type: Any) -> None:
    built = query(message).select(role=message.role).into(row_type)
    assert built._plan() == Project(MESSAGE, named(role=ROLE), row_type)
    assert built.row_type is row_type


def test_map_stands_on_top_and_leaves_the_row_type_open() -> None:
    built = query(message).select(role=message.role).order_by(message.seq).into(Summary).map(str)
    order = Order(MESSAGE, (Ordering(SEQ),))
    assert built._plan() == MapRows(Project(order, named(role=ROLE), Summary), str)
    assert (built.columns, built.row_type) == (None, None)


# -- order


def test_order_stands_below_the_select_wherever_it_is_called() -> None:
    before = query(message).order_by(message.seq.desc(), message.id).limit(3).select(id=message.id)
    after = query(message).select(id=message.id).order_by(message.seq.desc(), selected.id).limit(3)
    by = (Ordering(SEQ, descending=True), Ordering(ID))
    assert before._plan() == after._plan() == Project(Order(MESSAGE, by, 3), named(id=ID))


def test_a_window_is_a_limit_and_an_offset_in_either_order() -> None:
    ordered = query(message).order_by(message.seq)
    window = Order(MESSAGE, (Ordering(SEQ),), 3, 2)
    assert ordered.limit(3, offset=2)._plan() == window
    assert ordered.limit(3).offset(2)._plan() == window
    assert ordered.offset(2).limit(3)._plan() == window
    assert ordered.offset(2)._plan() == Order(MESSAGE, (Ordering(SEQ),), None, 2)


def test_a_selected_column_stands_for_the_expression_behind_it() -> None:
    built = (
        query(message)
        .select(message, total=message.seq + 1, content=message.role)
        .order_by(selected.total * 2, selected.content, selected.role)
    )
    total = call("add", SEQ, Const(1))
    by = (Ordering(call("mul", total, Const(2))), Ordering(ROLE), Ordering(ROLE))
    record = Record(((None, RowOf("message")), ("total", total), ("content", ROLE)))
    assert built._plan() == Project(Order(MESSAGE, by), record)


def test_a_selected_column_may_come_from_the_one_spread_of_unknown_fields() -> None:
    payload = Column("event", "payload")
    spread_row = query(event).select(event).order_by(selected.at)
    spread_value = query(event).select(event.payload, id=event.id).order_by(selected.at)
    at = (Ordering(Column("event", "at")),)
    assert spread_row._plan() == Project(Order(EVENT, at), Record(((None, RowOf("event")),)))
    assert spread_value._plan() == Project(
        Order(EVENT, (Ordering(Item(payload, "at")),)),
        Record(((None, payload), ("id", Column("event", "id")))),
    )


# -- groups


def test_a_group_is_made_of_cells_from_the_group_up() -> None:
    late = count().where(message.seq > 3)
    built = (
        query(message)
        .group_by(message.role, message.seq % 2)
        .having(count() > 1)
        .select(role=message.role, odd=(message.seq % 2) == 1, n=count(), late=late - count())
        .having(selected.late < 9, max_(message.seq) > 5)
        .order_by(sum_(message.seq), selected.n.desc(nulls="last"), message.role)
        .limit(5)
    )
    is_late = call("gt", SEQ, Const(3))
    group = Group(
        MESSAGE,
        (ROLE, call("mod", SEQ, Const(2))),
        (
            Aggregate("count"),
            Aggregate("count", where=is_late),
            Aggregate("max", (SEQ,)),
            Aggregate("sum", (SEQ,)),
        ),
    )
    difference = call("sub", Cell(3), Cell(2))
    having = call(
        "and",
        call("gt", Cell(2), Const(1)),
        call("lt", difference, Const(9)),
        call("gt", Cell(4), Const(5)),
    )
    by = (
        Ordering(Cell(5)),
        Ordering(Cell(2), descending=True, nulls_last=True),
        Ordering(Cell(0)),
    )
    row = named(role=Cell(0), odd=call("eq", Cell(1), Const(1)), n=Cell(2), late=difference)
    assert built._plan() == Project(Order(Filter(group, having), by, 5), row)
    assert built.columns == ("role", "odd", "n", "late")


def test_aggregates_without_group_by_make_one_group() -> None:
    built = query(message).select(n=count(), per=sum_(message.seq) / count(), one=lit(1))
    group = Group(MESSAGE, (), (Aggregate("count"), Aggregate("sum", (SEQ,))))
    per = call("div", Cell(1), Cell(0))
    assert built._plan() == Project(group, named(n=Cell(0), per=per, one=Const(1)))
    assert built.having(selected.n > 1)._plan() == Project(
        Filter(group, call("gt", Cell(0), Const(1))), named(n=Cell(0), per=per, one=Const(1))
    )
    assert query(message).group_by().select(n=count())._plan() == Project(
        Group(MESSAGE, (), (Aggregate("count"),)), named(n=Cell(0))
    )


def test_groups_without_aggregates_have_their_keys() -> None:
    built = query(message).group_by(message.role).select(role=message.role)
    assert built._plan() == Project(Group(MESSAGE, (ROLE,), ()), named(role=Cell(0)))


def test_a_part_of_a_group_key_is_found_in_its_cell() -> None:
    built = (
        query(message)
        .group_by(message.meta)
        .select(author=message.meta["author"], rows=collect(message, order_by=message.meta["n"]))
    )
    meta = Column("message", "meta")
    rows = Aggregate("collect", (RowOf("message"),), order_by=(Ordering(Item(meta, "n")),))
    assert built._plan() == Project(
        Group(MESSAGE, (meta,), (rows,)), named(author=Item(Cell(0), "author"), rows=Cell(1))
    )


def test_functions_of_the_user_are_one_cell_if_they_are_one_function() -> None:
    built = (
        query(message)
        .group_by(fn(str, message.seq))
        .select(text=fn(str, message.seq), other=fn(repr, count()))
    )
    plan = built._plan()
    assert isinstance(plan, Project)
    assert isinstance(plan.row, Record)
    assert [type(value).__name__ for _, value in plan.row.items] == ["Cell", "Apply"]


def test_folds_that_differ_in_the_type_of_their_start_are_two() -> None:
    def step(state: int, row: Message) -> int:
        return state + row.seq

    built = query(message).select(
        a=fold(message, 0, step), b=fold(message, False, step), c=fold(message, 0, step)
    )
    plan = built._plan()
    assert isinstance(plan, Project)
    assert plan.row == named(a=Cell(0), b=Cell(1), c=Cell(0))


def test_a_query_says_what_has_been_called() -> None:
    built = query(message).join(actor, on=message.id == actor.id).order_by(message.seq).limit(1)
    assert repr(built) == "<Query of message, actor: join, order_by, limit>"
    assert repr(query(message)) == "<Query of message: all rows>"
