"""The answers as SQLite tables, written by hand: what builds each, and the triggers that keep it up to date.

What is delivered is told by more triggers, made here as well: on the answer where it is a table, else on what it is read from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.floors.three_way import COUNTRIES
from benchmarks.peers.sql import SELECT


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteView:
    """One answer.

    Attributes:
        build: creates indexes and the table `answer`; `{select}` is the question.
        triggers: keep it up to date.
        rows: reads the answer.
        reads: whether the answer is only known by reading it, so that every commit has to.
        key: the columns that tell rows of the answer apart.
        columns: of the rows of the answer.
        told_by: the table whose changes are those of the answer.
    """

    build: str
    triggers: str
    rows: str = "SELECT * FROM answer"
    reads: bool = False
    key: tuple[str, ...]
    columns: tuple[str, ...]
    told_by: str = "answer"

    @property
    def news(self) -> str:
        """The triggers that call `came`, `went` and `changed` with key and row, or with both of before and after."""
        told = (*self.key, *self.columns)
        new, old = (", ".join(f"{side}.{name}" for name in told) for side in ("NEW", "OLD"))
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in told)
        return f"""
        CREATE TRIGGER news_came AFTER INSERT ON {self.told_by} BEGIN SELECT came({new}); END;
        CREATE TRIGGER news_went AFTER DELETE ON {self.told_by} BEGIN SELECT went({old}); END;
        CREATE TRIGGER news_changed AFTER UPDATE ON {self.told_by} WHEN {changed} BEGIN SELECT changed({old}, {new}); END;
        """


_ORDER: Final = ("id", "user_id", "status", "priority", "amount", "score", "region", "note")

_TABLE: Final = "CREATE TABLE answer ({columns}); INSERT INTO answer {{select}};"

_PASSES: Final = "{row}.status = 'open' AND {row}.priority >= 1"
_NEW_PASSES, _OLD_PASSES = _PASSES.format(row="NEW"), _PASSES.format(row="OLD")
_INTO: Final = f"INSERT INTO answer VALUES ({', '.join(f'NEW.{name}' for name in _ORDER)})"
_FILTER: Final = SqliteView(
    build=_TABLE.format(columns=", ".join(("id INTEGER PRIMARY KEY", *_ORDER[1:]))),
    triggers=f"""
    CREATE TRIGGER inserted AFTER INSERT ON orders WHEN {_NEW_PASSES} BEGIN {_INTO}; END;
    CREATE TRIGGER enters AFTER UPDATE ON orders WHEN {_NEW_PASSES} AND NOT ({_OLD_PASSES}) BEGIN {_INTO}; END;
    CREATE TRIGGER stays AFTER UPDATE ON orders WHEN {_NEW_PASSES} AND {_OLD_PASSES} BEGIN
      UPDATE answer SET {", ".join(f"{name} = NEW.{name}" for name in _ORDER[1:])} WHERE id = NEW.id;
    END;
    CREATE TRIGGER leaves AFTER UPDATE ON orders WHEN {_OLD_PASSES} AND NOT ({_NEW_PASSES}) BEGIN
      DELETE FROM answer WHERE id = OLD.id;
    END;
    CREATE TRIGGER deleted AFTER DELETE ON orders WHEN {_OLD_PASSES} BEGIN DELETE FROM answer WHERE id = OLD.id; END;
    """,
    key=("id",),
    columns=_ORDER,
)

_COUNT_NEW: Final = """
      INSERT INTO answer VALUES (NEW.region, NEW.amount, 1) ON CONFLICT DO UPDATE SET n = n + 1;"""
_COUNT_OLD: Final = """
      UPDATE answer SET n = n - 1 WHERE region = OLD.region AND amount = OLD.amount;
      DELETE FROM answer WHERE region = OLD.region AND amount = OLD.amount AND n = 0;"""
_DISTINCT: Final = SqliteView(
    build="""
    CREATE TABLE answer (region, amount, n, PRIMARY KEY (region, amount)) WITHOUT ROWID;
    INSERT INTO answer SELECT region, amount, count(*) FROM orders GROUP BY region, amount;
    """,
    triggers=f"""
    CREATE TRIGGER inserted AFTER INSERT ON orders BEGIN {_COUNT_NEW} END;
    CREATE TRIGGER updated AFTER UPDATE ON orders WHEN NEW.region <> OLD.region OR NEW.amount <> OLD.amount
    BEGIN {_COUNT_OLD} {_COUNT_NEW} END;
    CREATE TRIGGER deleted AFTER DELETE ON orders BEGIN {_COUNT_OLD} END;
    """,
    rows="SELECT region, amount FROM answer",
    key=("region", "amount"),
    columns=("region", "amount"),
)

_NAMES: Final = """
CREATE INDEX by_user ON orders (user_id);
CREATE TABLE answer (id INTEGER PRIMARY KEY, user, amount, name);
INSERT INTO answer SELECT o.id, u.id, o.amount, u.name FROM orders AS o {how} JOIN users AS u ON u.id = o.user_id;
"""
_NAMED: Final = ("id", "amount", "name")
_MINE: Final = "id IN (SELECT id FROM orders WHERE user_id = {row}.id)"
_PAIR: Final = (
    "INSERT INTO answer SELECT NEW.id, id, NEW.amount, name FROM users WHERE id = NEW.user_id;"
)
_JOIN: Final = SqliteView(
    build=_NAMES.format(how="INNER"),
    triggers=f"""
    CREATE TRIGGER inserted AFTER INSERT ON orders BEGIN {_PAIR} END;
    CREATE TRIGGER amount AFTER UPDATE ON orders WHEN NEW.user_id IS OLD.user_id AND NEW.amount IS NOT OLD.amount BEGIN
      UPDATE answer SET amount = NEW.amount WHERE id = NEW.id;
    END;
    CREATE TRIGGER user AFTER UPDATE ON orders WHEN NEW.user_id IS NOT OLD.user_id BEGIN
      DELETE FROM answer WHERE id = OLD.id; {_PAIR}
    END;
    CREATE TRIGGER deleted AFTER DELETE ON orders BEGIN DELETE FROM answer WHERE id = OLD.id; END;
    CREATE TRIGGER came AFTER INSERT ON users BEGIN
      INSERT INTO answer SELECT id, NEW.id, amount, NEW.name FROM orders WHERE user_id = NEW.id;
    END;
    CREATE TRIGGER renamed AFTER UPDATE ON users WHEN NEW.name IS NOT OLD.name BEGIN
      UPDATE answer SET name = NEW.name WHERE {_MINE.format(row="NEW")};
    END;
    CREATE TRIGGER left AFTER DELETE ON users BEGIN DELETE FROM answer WHERE {_MINE.format(row="OLD")}; END;
    """,
    rows="SELECT id, amount, name FROM answer",
    key=("id", "user"),
    columns=_NAMED,
)

_LEFT_JOIN: Final = SqliteView(
    build=_NAMES.format(how="LEFT"),
    triggers=f"""
    CREATE TRIGGER inserted AFTER INSERT ON orders BEGIN
      INSERT INTO answer SELECT NEW.id, u.id, NEW.amount, u.name FROM (SELECT 1) LEFT JOIN users AS u ON u.id = NEW.user_id;
    END;
    CREATE TRIGGER amount AFTER UPDATE ON orders WHEN NEW.user_id IS OLD.user_id AND NEW.amount IS NOT OLD.amount BEGIN
      UPDATE answer SET amount = NEW.amount WHERE id = NEW.id;
    END;
    CREATE TRIGGER user AFTER UPDATE ON orders WHEN NEW.user_id IS NOT OLD.user_id BEGIN
      UPDATE answer SET amount = NEW.amount, (user, name) = (SELECT id, name FROM users WHERE id = NEW.user_id)
      WHERE id = NEW.id;
    END;
    CREATE TRIGGER deleted AFTER DELETE ON orders BEGIN DELETE FROM answer WHERE id = OLD.id; END;
    CREATE TRIGGER came AFTER INSERT ON users BEGIN
      UPDATE answer SET user = NEW.id, name = NEW.name WHERE {_MINE.format(row="NEW")};
    END;
    CREATE TRIGGER renamed AFTER UPDATE ON users WHEN NEW.name IS NOT OLD.name BEGIN
      UPDATE answer SET name = NEW.name WHERE {_MINE.format(row="NEW")};
    END;
    CREATE TRIGGER left AFTER DELETE ON users BEGIN
      UPDATE answer SET user = NULL, name = NULL WHERE {_MINE.format(row="OLD")};
    END;
    """,
    rows="SELECT id, amount, name FROM answer",
    key=("id", "user"),
    columns=_NAMED,
)


def _group(by: str) -> SqliteView:
    """Return a view of groups; smallest and largest come from an index when their row goes."""
    take = f"""
      INSERT INTO answer VALUES (NEW.{by}, 1, NEW.amount, NEW.amount, NEW.amount)
      ON CONFLICT DO UPDATE SET n = n + 1, total = total + NEW.amount,
        low = min(low, NEW.amount), high = max(high, NEW.amount);"""
    drop = f"""
      UPDATE answer SET n = n - 1, total = total - OLD.amount,
        low = CASE WHEN low < OLD.amount THEN low ELSE (SELECT min(amount) FROM orders WHERE {by} = OLD.{by}) END,
        high = CASE WHEN high > OLD.amount THEN high ELSE (SELECT max(amount) FROM orders WHERE {by} = OLD.{by}) END
      WHERE {by} = OLD.{by};
      DELETE FROM answer WHERE {by} = OLD.{by} AND n = 0;"""
    within = f"""
      UPDATE answer SET total = total + NEW.amount - OLD.amount,
        low = CASE WHEN NEW.amount <= low THEN NEW.amount WHEN low < OLD.amount THEN low
          ELSE (SELECT min(amount) FROM orders WHERE {by} = NEW.{by}) END,
        high = CASE WHEN NEW.amount >= high THEN NEW.amount WHEN high > OLD.amount THEN high
          ELSE (SELECT max(amount) FROM orders WHERE {by} = NEW.{by}) END
      WHERE {by} = NEW.{by};"""
    return SqliteView(
        build=f"CREATE INDEX by_group ON orders ({by}, amount);"
        + _TABLE.format(columns=f"{by} INTEGER PRIMARY KEY, n, total, low, high"),
        triggers=f"""
        CREATE TRIGGER inserted AFTER INSERT ON orders BEGIN {take} END;
        CREATE TRIGGER within AFTER UPDATE ON orders WHEN NEW.{by} IS OLD.{by} AND NEW.amount <> OLD.amount
        BEGIN {within} END;
        CREATE TRIGGER moved AFTER UPDATE ON orders WHEN NEW.{by} IS NOT OLD.{by} BEGIN {take} {drop} END;
        CREATE TRIGGER deleted AFTER DELETE ON orders BEGIN {drop} END;
        """,
        key=(by,),
        columns=(by, "n", "total", "low", "high"),
    )


_SHOWN: Final = f"""
      INSERT INTO answer SELECT l.order_id, count(*), sum(l.price) FROM orders AS o
        CROSS JOIN users AS u ON u.id = o.user_id CROSS JOIN lines AS l ON l.order_id = o.id
        WHERE {{which}} AND o.status = 'open' AND u.country < {COUNTRIES} GROUP BY l.order_id;"""


_LINE_NEW: Final = f"""
      INSERT INTO answer SELECT NEW.order_id, 1, NEW.price FROM orders AS o CROSS JOIN users AS u ON u.id = o.user_id
        WHERE o.id = NEW.order_id AND o.status = 'open' AND u.country < {COUNTRIES}
        ON CONFLICT DO UPDATE SET n = n + 1, total = total + excluded.total;"""
_LINE_OLD: Final = """
      UPDATE answer SET n = n - 1, total = total - OLD.price WHERE order_id = OLD.order_id;
      DELETE FROM answer WHERE order_id = OLD.order_id AND n = 0;"""


def _anew(key: str) -> str:
    """Return what puts one order together again: it has few lines."""
    return f"DELETE FROM answer WHERE order_id = {key};" + _SHOWN.format(which=f"o.id = {key}")


_HIS: Final = (
    "DELETE FROM answer WHERE order_id IN (SELECT id FROM orders WHERE user_id = {row}.id);"
)
_THREE_WAY: Final = SqliteView(
    build="CREATE INDEX by_order ON lines (order_id); CREATE INDEX by_user ON orders (user_id);"
    + _TABLE.format(columns="order_id INTEGER PRIMARY KEY, n, total"),
    triggers=f"""
    CREATE TRIGGER l_inserted AFTER INSERT ON lines BEGIN {_LINE_NEW} END;
    CREATE TRIGGER l_updated AFTER UPDATE ON lines WHEN NEW.price <> OLD.price AND NEW.order_id = OLD.order_id BEGIN
      UPDATE answer SET total = total + NEW.price - OLD.price WHERE order_id = NEW.order_id;
    END;
    CREATE TRIGGER l_moved AFTER UPDATE ON lines WHEN NEW.order_id <> OLD.order_id BEGIN
      {_LINE_OLD} {_LINE_NEW}
    END;
    CREATE TRIGGER l_deleted AFTER DELETE ON lines BEGIN {_LINE_OLD} END;
    CREATE TRIGGER o_inserted AFTER INSERT ON orders BEGIN {_anew("NEW.id")} END;
    CREATE TRIGGER o_updated AFTER UPDATE ON orders BEGIN {_anew("NEW.id")} END;
    CREATE TRIGGER o_deleted AFTER DELETE ON orders BEGIN DELETE FROM answer WHERE order_id = OLD.id; END;
    CREATE TRIGGER u_inserted AFTER INSERT ON users BEGIN {_SHOWN.format(which="o.user_id = NEW.id")} END;
    CREATE TRIGGER u_updated AFTER UPDATE ON users WHEN NEW.country <> OLD.country BEGIN
      {_HIS.format(row="NEW")} {_SHOWN.format(which="o.user_id = NEW.id")}
    END;
    CREATE TRIGGER u_deleted AFTER DELETE ON users BEGIN {_HIS.format(row="OLD")} END;
    """,
    key=("order_id",),
    columns=("order_id", "n", "total"),
)

_ORDERED: Final = SqliteView(
    build="CREATE INDEX by_score ON orders (score DESC, id);",
    triggers="",
    rows=SELECT["sorted"],
    key=("id",),
    columns=_ORDER,
    told_by="orders",
)

VIEWS: Final = {
    "filter": _FILTER,
    "distinct": _DISTINCT,
    "join": _JOIN,
    "leftjoin": _LEFT_JOIN,
    "group100": _group("region"),
    "groupfk": _group("user_id"),
    "groupfloat": _group("region"),
    "top100": replace(_ORDERED, rows=SELECT["top100"], reads=True),
    "sorted": _ORDERED,
    "threeway": _THREE_WAY,
}
