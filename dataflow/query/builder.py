"""The builder: chained calls that say what a query has, and refuse what means nothing.

A `Query` is immutable: every call returns a new one, so that a query can be a constant of a module,
or the common stem of several. Every call checks what it is given at once - aliases, places, kinds
of arguments - so that an error points at the line that is wrong. `clauses` holds the state between
calls and makes the tree; `live`, `run` and `explain` are what reads it.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Never,
    NoReturn,
    Self,
    TypeAlias,
    TypeVar,
    final,
    overload,
)

from dataflow.errors import UnknownFieldError
from dataflow.query import arguments, ir
from dataflow.query.alias import Alias
from dataflow.query.clauses import Clauses
from dataflow.query.grouping import over_cells
from dataflow.query.joining import joined
from dataflow.query.rows import columns_of, fields_of_type, row_type_of
from dataflow.query.scalar import Aggregate, Record, contains
from dataflow.query.scope import check_no_collection
from dataflow.query.synonyms import CLAUSES
from dataflow.query.traps import QueryPart, check_function, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataflow.query.aggregates.expression import OrderBy
    from dataflow.query.expr import Expr
    from dataflow.query.scalar import Scalar
    from dataflow.query.source import Source

T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

JoinKind: TypeAlias = Literal["inner", "left", "right", "full", "semi", "anti", "cross"]
"""Which rows of a join remain; semi and anti keep the left row alone."""


@final
class Query(QueryPart, Generic[R_co]):
    """A question about sources, whose answer has rows of type `R_co`; see `query`.

    A query does nothing by itself: `live(q)` keeps its answer up to date, `run(q)` computes it
    once.
    """

    __slots__ = ("_clauses", "_tree")

    _part = "a query"
    _instead = "name a column of it: q.alias('x').column; its rows in a column are nested(q)"

    def __init__(self, clauses: Clauses) -> None:
        self._clauses = clauses
        self._tree: ir.Node | None = None  # once it has been asked for

    # -- rows of the sources

    @overload
    def join(
        self,
        other: Source[Any] | Alias[Any],
        *,
        on: Expr[bool] | Iterable[Expr[bool]],
        how: Literal["inner", "left", "right", "full"] = "inner",
    ) -> Query[dict[str, Any]]: ...
    @overload
    def join(
        self,
        other: Source[Any] | Alias[Any],
        *,
        on: Expr[bool] | Iterable[Expr[bool]],
        how: Literal["semi", "anti"],
    ) -> Self: ...
    @overload
    def join(
        self, other: Source[Any] | Alias[Any], *, how: Literal["cross"]
    ) -> Query[dict[str, Any]]: ...
    def join(
        self,
        other: Source[Any] | Alias[Any],
        *,
        on: Expr[bool] | Iterable[Expr[bool]] | None = None,
        how: JoinKind = "inner",
    ) -> Query[Any]:
        """Combine each row with the rows of another source that match it.

        Args:
            other: A source, or an alias of a source or of a query.
            on: Equalities between columns of both sides, and any further condition on the match;
                one expression, or several that are ANDed. A null matches nothing.
            how: `inner` keeps matching pairs; `left`, `right` and `full` also the unmatched rows of
                that side, the other being null; `semi` and `anti` the left rows with and without a
                match, as they are; `cross` pairs all rows and takes no `on`.
        """
        self._clauses.check_place("join")
        tree = joined(self._clauses.source, arguments.leaf(other, "join"), on, how)
        arguments.check_join(self._clauses, tree)
        return Query(self._clauses.called("join", source=tree))

    def where(self, *conditions: Expr[bool]) -> Self:
        """Keep the rows for which all conditions are true, neither false nor unknown.

        In a query that will be nested they may name aliases of the query around it.
        """
        clauses = self._clauses
        clauses.check_place("where")
        return self._with(arguments.where_conditions(clauses, conditions)) if conditions else self

    def filter(self, *functions: Callable[[R_co], object]) -> Self:
        """Keep the rows for which all functions answer something truthy.

        A function is called with the row of the source, after a join with `{alias: row or None}`.
        It must be pure and is called at most once for a version of a row.
        """
        self._clauses.check_place("filter")
        source = self._clauses.source
        for function in functions:
            check_function(function, "filter", "an expression goes into where(...)")
            source = ir.FilterRows(source, function)
        return self._with(self._clauses.called("filter", source=source))

    # -- groups

    def group_by(self, *keys: Expr[Any], **names: Never) -> Query[dict[str, Any]]:
        """Make one row of all rows with equal keys; nulls are equal here.

        Without keys the whole input is one group, even if it is empty. Keys get their names in
        select.
        """
        clauses = self._clauses
        clauses.check_place("group_by")
        for name in names:
            raise refusal(
                f"group_by takes keys without names, not {name}=",
                f"{name} = expression; group_by({name}).select({name}={name})",
            )
        nodes = tuple(arguments.group_key(clauses, key, "group_by") for key in keys)
        return Query(clauses.called("group_by", keys=nodes))

    def having(self, *conditions: Expr[bool]) -> Self:
        """Keep the groups for which all conditions are true.

        They may use group keys, aggregates (selected or not) and `selected.name`.
        """
        clauses = self._clauses
        clauses.check_place("having")
        if clauses.keys is None:
            raise refusal(
                "having without group_by: there are no groups", "a condition on rows is where(...)"
            )
        nodes = tuple(arguments.group_condition(clauses, part, "having") for part in conditions)
        arguments.check_grouped(clauses, nodes, "having")
        return self._with(clauses.called("having", having=clauses.having + nodes))

    # -- the row

    def select(
        self,
        /,
        *spread: Alias[Any] | Expr[Any],
        **columns: Expr[Any] | Alias[Any] | Mapping[str, Any],
    ) -> Query[dict[str, Any]]:
        """Build a new row.

        Args:
            spread: Aliases, or expressions that yield a dict, whose fields become columns.
            columns: The other columns by name; a dict nests. A later column of a name wins.
        """
        clauses = self._clauses
        clauses.check_place("select")
        if not spread and not columns:
            raise refusal(
                "select without columns", "write select(alias) or select(name=expression)"
            )
        items: list[tuple[str | None, Scalar]] = [
            (None, arguments.spread(clauses, part, "select")) for part in spread
        ]
        items += arguments.columns(clauses, columns, "select")
        record = Record(tuple(items))
        if clauses.keys is None and not contains(record, Aggregate):
            return Query(clauses.called("select", record=record))
        keys = clauses.keys or ()
        cells = over_cells(keys, record)
        selected = clauses.called("select", record=record, keys=keys, cells=cells)
        arguments.check_grouped(selected, tuple([part.by for part in clauses.order]), "order_by")
        return Query(selected)

    def into(self, row_type: type[T]) -> Query[T]:
        """Build the selected row as a dataclass, pydantic model, msgspec struct or TypedDict."""
        clauses = self._clauses
        clauses.check_place("into")
        if clauses.record is None:
            raise refusal(
                "into without select: there is no new row to build",
                "write .select(...).into(T), or .map(T) to call T with each row",
            )
        if not isinstance(row_type, type):
            raise refusal(
                f"into takes a class, not {row_type!r}",
                "a function goes into map(...), after select",
            )
        fields = fields_of_type(row_type)
        columns = columns_of(ir.Project(clauses.source, clauses.record))
        for name in columns or ():
            if fields is not None and name not in fields:
                raise UnknownFieldError(name, f"row type {row_type.__name__!r}", fields)
        return Query(clauses.called("into", into=row_type))

    def map(self, function: Callable[[R_co], T]) -> Query[T]:
        """Replace each row by what a function makes of it; only `alias` may follow.

        The function must be pure and is called at most once for a version of a row.
        """
        clauses = self._clauses
        clauses.check_place("map")
        check_function(function, "map", "an expression goes into select(name=expression)")
        if clauses.keys is not None and clauses.record is None:
            raise refusal(
                "map after group_by, without select", "select the columns of the group first"
            )
        return Query(clauses.called("map", function=function))

    def distinct(self) -> Self:
        """Keep one of all rows with equal columns; nulls are equal here.

        A row is then known under the tuple of its columns and shown in normal form (1.0 as 1). An
        order may speak of its columns only.
        """
        clauses = self._clauses
        clauses.check_place("distinct")
        if clauses.keys is not None and clauses.record is None:
            raise refusal(
                "distinct after group_by, without select", "select the columns of the group first"
            )
        if clauses.record is not None:
            check_no_collection(clauses.record, "distinct")
        return Query(clauses.called("distinct", distinct=True))

    # -- order

    def order_by(self, *parts: OrderBy) -> Self:
        """Order the rows, nulls first, ties by ascending key.

        Before or after select, by columns of the sources; after it, by `selected.name` as well.
        """
        clauses = self._clauses
        clauses.check_place("order_by")
        if not parts:
            raise refusal(
                "order_by needs at least one expression", "write order_by(alias.field.desc())"
            )
        order = tuple(arguments.order_part(clauses, part, "order_by") for part in parts)
        arguments.check_grouped(clauses, tuple(part.by for part in order), "order_by")
        return self._with(clauses.called("order_by", order=order))

    def limit(self, rows: int, *, offset: int | None = None) -> Self:
        """Keep the first rows of the order.

        Args:
            rows: How many.
            offset: How many to skip before.
        """
        clauses = self._clauses
        clauses.check_place("limit")
        arguments.check_window(clauses, rows, "limit")
        query = self._with(clauses.called("limit", limit=rows))
        return query if offset is None else query.offset(offset)

    def offset(self, rows: int) -> Self:
        """Skip the first rows of the order."""
        clauses = self._clauses
        clauses.check_place("offset")
        arguments.check_window(clauses, rows, "offset")
        return self._with(clauses.called("offset", offset=rows))

    def one(self) -> Self:
        """Keep the first row alone, by key where there is no order; nested, that row or None."""
        self._clauses.check_place("one")
        return self._with(self._clauses.called("one", single=True))

    # -- the query as a whole

    def alias(self, name: str) -> Alias[R_co]:
        """Return this query under a name, as the source of another query."""
        if not isinstance(name, str):
            raise refusal(f"the name of an alias is a text, not {name!r}", "write q.alias('x')")
        return Alias(ir.Named(self._plan(), name))

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns of its rows, in order; None if they may have any."""
        return columns_of(self._plan())

    @property
    def row_type(self) -> Any:
        """The type of its rows: `dict` after a select, None if unknown (after a map)."""
        return row_type_of(self._plan())

    def __iter__(self) -> NoReturn:
        raise refusal(
            "a query has no rows to iterate", "run(q) computes them once, live(q) keeps them"
        )

    if not TYPE_CHECKING:  # a checker reports unknown methods by itself

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):  # also asked while a copy has no clauses yet
                raise AttributeError(f"a query has no attribute {name!r}")
            clauses = [known for known in dir(self) if not known.startswith("_")]
            hint = f"write {CLAUSES[name]}" if name in CLAUSES else None
            error = UnknownFieldError(name, f"the query of {self._names()}", clauses, hint)
            error.add_note(f"a column of it is named through an alias: q.alias('x').{name}")
            raise error

    def __repr__(self) -> str:
        return f"<Query of {self._names()}: {', '.join(self._clauses.calls) or 'all rows'}>"

    def _names(self) -> str:
        return ", ".join(ir.scope(self._clauses.source))

    def _with(self, clauses: Clauses) -> Self:
        return type(self)(clauses)

    def _plan(self) -> ir.Node:
        """Return the tree that this query stands for; see `clauses` for its form."""
        if self._tree is None:
            self._tree = self._clauses.plan()
        return self._tree


def query(source: Source[R] | Alias[R] | Query[R]) -> Query[R]:
    """Begin a query over a source, an alias, or another query.

    Without an alias a source goes by its own name; a query by "query".
    """
    if isinstance(source, Query):
        source = source.alias("query")
    return Query(Clauses(arguments.leaf(source, "query")))
