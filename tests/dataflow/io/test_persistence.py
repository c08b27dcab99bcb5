import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from dataflow import (
    Collection,
    CollectionError,
    StorageError,
    Transaction,
    batch,
    count,
    live,
    query,
)
from dataflow.io.persistence import Store, persist
from dataflow.io.statistics import StoreStatistics

Row = dict[str, Any]


class Person(BaseModel, frozen=True):
    id: int
    name: str


@pytest.fixture
def file(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'kept.db'}"


def collection(name: str = "items", *, ready: bool = True) -> Collection[Row]:
    return Collection(name, key="id", ready=ready)


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def fail_in_a_batch(change: Callable[[], object]) -> None:
    """Make a change in a batch that is discarded."""

    def discarded() -> None:
        with batch():
            change()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        discarded()


def kept(file: str, name: str = "items") -> dict[Any, Row]:
    """The rows of a collection as the next process would see them."""
    again = collection(name)
    with persist(again, file):
        return dict(again)


def test_rows_survive_and_are_followed_from_then_on(file: str) -> None:
    items = collection()
    with persist(items, file):
        write(items, {"id": 1, "n": 1}, {"id": "1", "n": (1, 2)})
        with items.sync() as writer:
            writer.update({"id": 1, "n": 2})
            writer.insert({"id": 3, "n": 3})
    assert kept(file) == {1: {"id": 1, "n": 2}, "1": {"id": "1", "n": (1, 2)}, 3: {"id": 3, "n": 3}}
    again = collection()
    with persist(again, file):
        with again.sync() as writer:
            writer.delete(1)
        with again.sync() as writer:
            writer.truncate()
            writer.insert({"id": 9})
    assert kept(file) == {9: {"id": 9}}


def test_rows_of_a_declared_type_come_back_as_its_instances(file: str) -> None:
    people = Collection("people", key="id", row=Person)
    with persist(people, file), people.sync() as writer:
        writer.insert(Person(id=1, name="Ada"))
    again = Collection("people", key="id", row=Person)
    with persist(again, file):
        assert again.rows() == [Person(id=1, name="Ada")]


def test_several_collections_and_metadata_are_one_epoch(file: str) -> None:
    left, right = collection("left"), collection("right")
    with persist([left, right], file) as store:
        assert store.metadata == {}
        with batch():
            write(left, {"id": 1})
            write(right, {"id": 1}, {"id": 2})
            store.set_metadata(offset="a", at=1)
            store.set_metadata(at=(2, 3))
            assert store.metadata == {}
        assert store.metadata == {"offset": "a", "at": (2, 3)}

        def change() -> None:
            write(left, {"id": 2})
            store.set_metadata(offset="b")

        fail_in_a_batch(change)
        store.set_metadata(at=None)
    left, right = collection("left"), collection("right")
    with persist([left, right], file) as store:
        assert (store.metadata, set(left), set(right)) == ({"offset": "a"}, {1}, {1, 2})


def test_kept_rows_reach_queries_in_one_epoch_and_make_the_collection_ready(file: str) -> None:
    items = collection(ready=False)
    with persist(items, file):
        write(items, {"id": 1})
    again = collection(ready=False)
    with persist(again, file):
        assert (again.status, len(again)) == ("loading", 1)  # it never was past its first rows
        again.mark_ready()
    third = collection(ready=False)
    row = third.alias("row")
    total = live(query(row).select(n=count()))
    seen: list[Any] = []
    total.subscribe(lambda changes: seen.append([each.value for each in changes]))
    with persist(third, file):
        assert (third.status, total.status, seen) == ("ready", "ready", [[{"n": 1}]])


def test_only_what_is_synced_is_kept(file: str) -> None:
    items = Collection("items", key="id", on_update=print)
    with persist(items, file):
        write(items, {"id": 1, "n": 1, "m": 1})
        transaction = Transaction(mutation_fn=lambda _: None)
        with transaction:
            items.update(1, n=2)
            items.insert({"id": 2})
        write(items, {"id": 1, "n": 1, "m": 5})
        assert items[1] == {"id": 1, "n": 2, "m": 5}
        transaction.rollback()
    assert kept(file) == {1: {"id": 1, "n": 1, "m": 5}}


def test_a_local_collection_keeps_what_is_confirmed_and_stays_local(file: str) -> None:
    drafts = collection()
    with persist(drafts, file):
        drafts.insert({"id": 1, "text": "a"})
        drafts.update(1, text="b")
        drafts.insert({"id": 2})
        drafts.delete(2)
    again = collection()
    with persist(again, file):
        assert (again.is_local, dict(again)) == (True, {1: {"id": 1, "text": "b"}})
        again.update(1, text="c")
    assert kept(file) == {1: {"id": 1, "text": "c"}}


def test_a_collection_that_was_synced_is_not_local_after_a_restart(file: str) -> None:
    items = collection()
    with persist(items, file):
        write(items, {"id": 1})
    again = collection()
    with persist(again, file):
        assert not again.is_local


def test_rows_there_before_are_kept_too_but_those_of_the_file_win(file: str) -> None:
    items = collection()
    with persist(items, file):
        write(items, {"id": 1, "from": "file"})
    other = collection()
    write(other, {"id": 1, "from": "before"}, {"id": 2, "from": "before"})
    with persist(other, file):
        assert [row["from"] for row in other.rows()] == ["file", "before"]
    assert [row["from"] for row in kept(file).values()] == ["file", "before"]


def test_what_callbacks_write_is_kept(file: str) -> None:
    items, log = collection("items"), collection("log")
    with persist([items, log], file):
        items.subscribe(lambda changes: write(log, *({"id": each.key} for each in changes)))
        write(items, {"id": 1}, {"id": 2})
    assert set(kept(file, "log")) == {1, 2}


def test_a_write_that_fails_surfaces_and_is_made_up_for(file: str) -> None:
    class Failing(sqlite3.Connection):
        fails = False

        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            if Failing.fails and sql == "COMMIT":
                raise sqlite3.OperationalError("disk full")
            return super().execute(sql, parameters)

    items = collection()
    seen: list[int] = []
    items.subscribe(lambda changes: seen.append(len(changes)))
    with persist(items, file, connect=partial(sqlite3.connect, factory=Failing)) as store:
        write(items, {"id": 1})
        Failing.fails = True

        def commit() -> None:
            with batch():
                write(items, {"id": 2})
                store.set_metadata(offset=2)

        with pytest.raises(ExceptionGroup) as caught:
            commit()
        assert [str(error) for error in caught.value.exceptions] == [
            f"file {file.removeprefix('sqlite:///')!r} cannot be written: disk full"
        ]
        assert (set(items), seen) == ({1, 2}, [1, 1])
        with pytest.raises(StorageError, match="disk full"):
            store.flush()
        Failing.fails = False
        write(items, {"id": 3})
    again = collection()
    with persist(again, file) as store:
        assert (set(again), store.metadata) == ({1, 2, 3}, {"offset": 2})


def test_what_cannot_be_written_surfaces_until_it_is_gone(file: str) -> None:
    items = collection()
    with persist(items, file) as store:
        with pytest.raises(ExceptionGroup) as caught:
            write(items, {"id": 1, "f": print}, {"id": 2})
        assert "a value of type builtin_function_or_method" in str(caught.value.exceptions[0])
        with pytest.raises(TypeError, match="cannot be written"):
            store.set_metadata(f=print)
        write(items, {"id": 1, "f": "print"})
    assert kept(file) == {1: {"id": 1, "f": "print"}, 2: {"id": 2}}


def test_a_commit_costs_the_rows_that_it_touched_and_one_transaction(file: str) -> None:
    items = collection()
    with persist(items, file) as store:
        write(items, *({"id": i} for i in range(100)))
        before = store.statistics()
        write(items, {"id": 7, "n": 1})
        assert store.statistics() == StoreStatistics(
            rows_due=0,
            rows_written=before.rows_written + 1,
            transactions=before.transactions + 1,
        )


def test_rows_there_before_that_cannot_be_written_refuse_the_store(file: str) -> None:
    items = collection()
    write(items, {"id": 1, "f": print})
    with pytest.raises(CollectionError, match="cannot write row"):
        persist(items, file)
    write(items, {"id": 1})
    with persist(items, file):
        assert items.journal is not None
    assert kept(file) == {1: {"id": 1}}


def test_a_closed_store_writes_nothing_and_lets_go(file: str) -> None:
    items = collection()
    store = persist(items, file)
    write(items, {"id": 1})
    store.close()
    store.close()
    write(items, {"id": 2})
    with pytest.raises(StorageError, match="is closed"):
        store.flush()
    with pytest.raises(StorageError, match="is closed"):
        store.set_metadata(offset=1)
    assert kept(file) == {1: {"id": 1}}
    with persist(items, file):
        assert set(items) == {1, 2}
    assert set(kept(file)) == {1, 2}


# -- versions ------------------------------------------------------------------------------------------------------------


def newer(name: str, version: int, fields: Row) -> Row | None:
    assert (name, version) == ("items", 1)
    return None if fields["n"] < 0 else {"id": f"#{fields['id']}", "number": fields["n"]}


def version_1(file: str) -> None:
    items = collection()
    with persist(items, file) as store:
        write(items, {"id": 1, "n": 1}, {"id": 2, "n": -1})
        store.set_metadata(offset="x")


def test_rows_of_an_older_version_are_migrated_once(file: str) -> None:
    version_1(file)
    items = collection()
    with persist(items, file, version=2, migrate=newer) as store:
        assert dict(items) == {"#1": {"id": "#1", "number": 1}}
        assert store.metadata == {"offset": "x"}
    items = collection()
    with persist(items, file, version=2):
        assert dict(items) == {"#1": {"id": "#1", "number": 1}}


def test_a_migration_that_raises_changes_nothing(file: str) -> None:
    version_1(file)

    def fails(name: str, version: int, fields: Row) -> Row:
        if fields["id"] == 2:
            raise LookupError("no")
        return fields

    with pytest.raises(LookupError, match="no"):
        persist(collection(), file, version=2, migrate=fails)
    assert set(kept(file)) == {1, 2}


def test_rows_of_an_older_version_can_be_discarded_with_the_metadata(file: str) -> None:
    version_1(file)
    items = collection(ready=False)
    with persist(items, file, version=2, migrate="discard") as store:
        assert (items.rows(), items.status, store.metadata) == ([], "loading", {})
        write(items, {"id": 5})
    again = collection()
    with persist(again, file, version=2):
        assert set(again) == {5}


@pytest.mark.parametrize(("written", "asked"), [(1, 2), (3, 2)])
def test_another_version_is_refused(file: str, written: int, asked: int) -> None:
    items = collection()
    with persist(items, file, version=written):
        write(items, {"id": 1})
    with pytest.raises(StorageError, match=f"keeps version {written} of collection 'items', not 2"):
        persist(collection(), file, version=asked, migrate=newer if written > asked else None)


# -- files that are not what they should be ------------------------------------------------------------------------------


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")


def text(path: Path) -> None:
    path.write_text("hello " * 1000)


def newer_layout(path: Path) -> None:
    persist(collection(), path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=7")


def cut(path: Path) -> None:
    items = collection()
    with persist(items, path):
        write(items, *({"id": i, "text": "x" * 500} for i in range(200)))
    path.write_bytes(path.read_bytes()[:20_000])


def scribbled(path: Path) -> None:
    items = collection()
    with persist(items, path):
        write(items, *({"id": i, "text": "x" * 500} for i in range(200)))
    data = bytearray(path.read_bytes())
    data[8_192:40_960] = b"\xa5" * 32_768
    path.write_bytes(data)


def other_shape(path: Path) -> None:
    with persist(collection(), path):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""INSERT INTO rows VALUES ('items', '1', '[1]')""")


class Renamed(BaseModel):
    """Read from another form than it is kept in."""

    id: int
    name: str

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return {"id": fields["id"], "name": fields["title"]}


def test_a_row_type_that_cannot_read_its_own_rows_is_a_storage_error(file: str) -> None:
    items = Collection("items", key="id", row=Renamed)
    with persist(items, file), items.sync() as writer:
        writer.insert(Renamed.model_validate({"id": 1, "title": "a"}))
    with pytest.raises(StorageError, match=r"something else than expected: KeyError\('title'\)"):
        persist(Collection("items", key="id", row=Renamed), file)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (foreign, "is a database of something else"),
        (text, "is no SQLite database"),
        (newer_layout, "has layout 7, and this version of the library reads 1"),
        (cut, "is damaged"),
        (scribbled, "is damaged"),
        (other_shape, "keeps something else than expected: not a row"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_a_file_that_is_foreign_or_damaged_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "kept.db"
    spoil(path)
    items = collection()
    with pytest.raises(StorageError, match=message) as caught:
        persist(items, path)
    assert repr(str(path)) in str(caught.value)
    assert (items.rows(), items.journal) == ([], None)


def test_a_file_is_open_once_at_a_time(file: str) -> None:
    items = collection()
    with persist(items, file):
        with pytest.raises(StorageError, match="is in use"):
            persist(collection("others"), file)
        with pytest.raises(CollectionError, match="is kept by another store"):
            persist(items, file + "2")
        write(items, {"id": 1})
    assert set(kept(file)) == {1}


@pytest.mark.parametrize("location", ["sqlite://", "sqlite:///:memory:", "postgres://x", ""])
def test_a_location_that_names_no_file_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        persist(collection(), location)


@pytest.mark.parametrize("location", [True, 1, None, b"kept.db"])
def test_what_is_neither_text_nor_path_names_no_file(location: Any) -> None:
    with pytest.raises(TypeError, match="a file is named by a text or a path, not by"):
        persist(collection(), location)


def test_two_collections_of_one_name_are_refused(file: str) -> None:
    with pytest.raises(CollectionError, match="two collections to keep are named 'items'"):
        persist([collection(), collection()], file)


# -- any history ---------------------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "delete", "truncate", "insert", "fail", "restart"]),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=20,
)


@settings(max_examples=settings().max_examples // 5)
@given(steps)
def test_a_restart_anywhere_shows_the_synced_rows_of_before(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, int, int]]
) -> None:
    file = tmp_path_factory.mktemp("kept") / "kept.db"
    items, store = _opened(file)
    expected: dict[int, Row] = {}
    for number, (step, key, n) in enumerate(history):
        row = {"id": key, "n": n}
        match step:
            case "write":
                write(items, row)
                expected[key] = row
            case "delete":
                with items.sync() as writer:
                    writer.delete(key)
                expected.pop(key, None)
            case "truncate":
                with items.sync() as writer:
                    writer.truncate()
                    writer.insert(row)
                expected = {key: row}
            case "insert":  # shown and confirmed later on, by a sync that never comes
                pending = Transaction(mutation_fn=lambda _: None)
                with pending:
                    items.update(key, n=9) if key in items else items.insert(row)
                if n:
                    pending.commit()
            case "fail":
                fail_in_a_batch(partial(write, items, row))
            case _:
                store.close()
                items, store = _opened(file)
                assert dict(items) == expected
        store.set_metadata(number=number)
    store.close()
    items, store = _opened(file)
    assert dict(items) == expected
    assert store.metadata == ({"number": len(history) - 1} if history else {})
    store.close()


def _opened(file: Path) -> tuple[Collection[Row], Store]:
    items: Collection[Row] = Collection("items", key="id", on_insert=print)
    return items, persist(items, file)


# -- holding -----------------------------------------------------------------------------------------------------------


def test_what_is_held_is_written_with_the_batch_that_releases_it(file: str) -> None:
    items = collection()
    with persist(items, file) as store:
        with batch():
            write(items, {"id": 1, "n": 1})
            store.set_metadata(offset="1")
        store.hold()
        write(items, {"id": 2, "n": 2})
        write(items, {"id": 1, "n": 9})
        before = store.statistics()
        with batch():
            store.release()
            write(items, {"id": 3, "n": 3})
            store.set_metadata(offset="3")
        after = store.statistics()
    assert (after.transactions - before.transactions, after.rows_written - before.rows_written) == (
        1,
        3,
    )
    assert [row["n"] for row in kept(file).values()] == [9, 2, 3]
    with persist(collection(), file) as store:
        assert store.metadata == {"offset": "3"}


@pytest.mark.parametrize("inside", [False, True])
def test_a_release_alone_writes_what_was_held(file: str, inside: bool) -> None:
    items = collection()
    with persist(items, file) as store:
        store.hold()
        write(items, {"id": 1, "n": 1})
        with batch() if inside else nullcontext():
            store.release()
    assert list(kept(file)) == [1]


def test_what_is_held_to_the_end_is_lost(file: str) -> None:
    items = collection()
    with persist(items, file) as store:
        write(items, {"id": 1, "n": 1})
        store.hold()
        write(items, {"id": 2, "n": 2})
    assert list(kept(file)) == [1]


def test_rows_of_a_newer_version_can_be_discarded_too(file: str) -> None:
    items = collection()
    with persist(items, file, version=3) as store:
        write(items, {"id": 1, "n": 1})
        store.set_metadata(offset="1")
    older = collection()
    with persist(older, file, version=2, migrate="discard") as store:
        assert (list(older), store.metadata) == ([], {})
