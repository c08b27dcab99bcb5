"""The mutating side of a collection: optimistic inserts, updates and deletes by whoever uses it.

A mutation is checked as a whole before anything is noted: the row must be there, or not be there, and the row it comes to must be
valid. Then it is recorded with a transaction: the one whose mutate block is open, or one of its own. Inside a block or a batch
mutations see what is staged, while every public read sees the last published epoch.

Cost    O(fields of the row) per mutation, whatever else is pending; building the overlay is left to `overlay`
Edges   a list is always many: of rows to insert, of keys to update or delete. Either all of them are mutated or none.
        A collection is local while it has no handlers and no synced row ever came: what is completed there stays.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.collection.batch import Batch, current_batch
from dataflow.collection.draft import Draft
from dataflow.collection.handlers import Handlers, transact
from dataflow.collection.layers import Layers
from dataflow.collection.overlay import Delete, Patch, Put
from dataflow.collection.readable import Readable
from dataflow.collection.sync import StagedRows
from dataflow.collection.validation import (
    Validator,
    check_given,
    check_names,
    fields_given,
    validated,
    validator_of,
)
from dataflow.errors import CollectionError, near
from dataflow.values.normal import expose, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.circuit.node import Node, SourceNode
    from dataflow.collection.changes import Op
    from dataflow.collection.inlet import Inlet, Journal
    from dataflow.collection.overlay import Author
    from dataflow.collection.transaction import Transaction
    from dataflow.values.row import RowAdapter

R = TypeVar("R")


class Mutable(Readable[R]):
    """A readable that can be written to optimistically.

    Args:
        name: label for plans and errors.
        handlers: called with the transactions of single mutations.
        validate: checks and coerces the rows that users write; without it the row type decides how.
    """

    __slots__ = ("_handlers", "_validate", "_was_synced")

    _node: SourceNode
    _inlet: Inlet
    _adapter: RowAdapter | None

    def __init__(self, name: str, *, handlers: Handlers, validate: Validator | None) -> None:
        super().__init__(name)
        self._handlers = handlers
        self._validate = validate
        self._was_synced = False

    @abstractmethod
    def _check_writable(self) -> None:
        """Raise if the collection is closed."""

    # -- what users call -----------------------------------------------------------------------------------------------

    def insert(self, row: R | Mapping[str, Any] | list[R] | list[Mapping[str, Any]]) -> Transaction:
        """Insert a row, or a list of rows, optimistically.

        Args:
            row: a row; where the row type is declared, also a mapping of its fields.

        Raises:
            CollectionError: if a row has a key that is there already, or is not valid; nothing has happened then. Also if the
                collection has handlers but none for inserts, or an async one while no event loop is running.
            UnknownFieldError: if a mapping has a field that the row type does not have, and does not take as an extra one.
        """
        rows = row if isinstance(row, list) else [row]

        def record(transaction: Transaction) -> None:
            for each in rows:
                self._insert(transaction, each)

        return self._transact("insert", record)

    def update(
        self, key: Any, changes: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Transaction:
        """Change fields of the row with a key, or of those with a list of keys, optimistically.

        Fields are set as a whole (`draft` changes inside them), and the changed row is validated as a whole. Fields that are not
        named stay what they are, also when synced rows change them.

        Args:
            key: which row.
            changes: field -> value, for names that are no keywords.
            fields: the same.

        Raises:
            CollectionError: if there is no such row, or what it would become is not valid or has another key, or `changes` is no
                mapping; else as for `insert`.
            UnknownFieldError: if the row type has no such field.
        """
        keys = key if isinstance(key, list) else [key]
        merged = {**_fields_of(self, changes), **fields}

        def record(transaction: Transaction) -> None:
            for each in keys:
                self._update(transaction, each, merged)

        return self._transact("update", record)

    def delete(self, key: Any) -> Transaction:
        """Delete the row with a key, or those with a list of keys, optimistically.

        Raises:
            CollectionError: if there is no such row; else as for `insert`.
        """
        keys = key if isinstance(key, list) else [key]

        def record(transaction: Transaction) -> None:
            for each in keys:
                found, row = self._find(each)
                transaction.record(self, found, Delete(), before=row, after=None)

        return self._transact("delete", record)

    def draft(self, key: Any) -> Draft:
        """Open a draft of a row, to be changed in place: `with collection.draft(key) as row:`.

        What was changed inside, however deep, becomes one `update` at the end; leaving by an exception changes nothing. The stored
        row is never touched. `draft.transaction` is the transaction then.

        Raises:
            CollectionError: if there is no such row.
        """
        self._used()
        self._check_writable()
        _, row = self._find(key)
        return Draft(row, lambda changes: self.update(key, changes))

    # -- one mutation --------------------------------------------------------------------------------------------------

    def _transact(self, op: Op, record: Callable[[Transaction], None]) -> Transaction:
        self._used().refuse_while_stepping("write to a collection")
        self._check_writable()
        return transact(op, self, self._handlers, record)

    @abstractmethod
    def keyed(self, rows: list[R]) -> dict[Any, R]:
        """Return the key of each row -> the row."""

    def _insert(self, transaction: Transaction, given: Any) -> None:
        row = self._valid(given)
        key = self.key_of(row)
        if self._seen(key) is not None:
            error = CollectionError(f"{self} has a row with key {expose(key)!r} already")
            error.add_note("update(key, ...) changes it")
            raise error
        transaction.record(self, key, Put(row), before=None, after=row)

    def _update(self, transaction: Transaction, key: Any, changes: Mapping[str, Any]) -> None:
        found, row = self._find(key)
        if not changes:
            return
        adapter = self._adapter
        assert adapter is not None, "there is a row"
        check_names(self, adapter, changes)
        validate = self._validator()
        if validate is None:
            changed = adapter.replace(row, changes)
        else:
            fields = {**fields_given(adapter, row), **changes}
            changed = validated(self, validate, fields, adapter.fields)
        if self.key_of(changed) != found:
            raise CollectionError(
                f"{self}: update cannot change the key, from {expose(found)!r} to {expose(self.key_of(changed))!r}"
            )
        if validate is not None:  # of what it returned, the fields that were asked for
            changes = {name: adapter.get(changed, name) for name in changes}
            changed = adapter.replace(row, changes)
        transaction.record(self, found, Patch(changes), before=row, after=changed)

    def _find(self, key: Any) -> tuple[Any, Any]:
        """Return a key in normal form and the row that mutations see under it.

        Raises:
            CollectionError: if there is none.
        """
        found = normal(key)
        row = self._seen(found)
        if row is None:
            texts = [each for each in self._node.rows or () if isinstance(each, str)]
            hint = near(key, texts[:1_000]) if isinstance(key, str) else ""
            error = CollectionError(f"{self} has no row with key {key!r}{hint}")
            if isinstance(key, Mapping) or type(key) is self.row_type:
                error.add_note("that is a row; write update(key, field=value) or delete(key)")
            raise error
        return found, row

    def _seen(self, key: Any) -> Any:
        """Return the row as mutations see it: as it will be when the open batch is published; None for no row."""
        staged = self._staged()
        if staged is None or not staged.has(key):
            return self._node.rows.get(key)
        overlay = self._overlaid()
        synced = staged.synced_row(key, overlay)
        return overlay.preview(key, synced, staged.mutated.get(key, ()))

    def _valid(self, given: Any) -> Any:
        validate = self._validator()
        if validate is None:
            return given
        adapter = self._adapter
        row = validated(self, validate, given, None if adapter is None else adapter.fields)
        if self._validate is None and isinstance(given, Mapping):
            check_given(self, self.row_type, given)
        return row

    def _validator(self) -> Validator | None:
        return self._validate or validator_of(self.row_type)

    # -- what transactions and the overlay ask ----------------------------------------------------------------------------

    @property
    def overlay(self) -> Layers | None:
        """What lies over the synced rows; None while nothing does."""
        return self._inlet.overlay

    @property
    def journal(self) -> Journal | None:
        """Who notes which rows were written, if anybody does."""
        return self._inlet.journal

    @journal.setter
    def journal(self, journal: Journal | None) -> None:
        self._inlet.journal = journal

    @property
    def key_of(self) -> Callable[[Any], Any]:
        """Row -> key in normal form; raises if the row is none of the collection's."""
        return self._inlet.key_of

    @property
    def equal_rows(self) -> Callable[[Any, Any], bool]:
        """Tells whether two rows are equal."""
        return self._inlet.equal_rows

    @property
    def is_local(self) -> bool:
        """Whether what is completed here becomes the synced row: nobody else will say what that is."""
        return not (self._handlers or self._was_synced)

    def replace(self, row: Any, changes: Mapping[str, Any]) -> Any:
        """Return a row with other fields."""
        assert self._adapter is not None, "there is a row"
        return self._adapter.replace(row, changes)

    def authors(self, key: Any) -> Iterable[Author]:
        """Return the transactions that have something pending on a row."""
        return () if self.overlay is None else self.overlay.authors(key)

    def stage(self, batch: Batch, key: Any, author: Author) -> None:
        """Let the overlay look at a transaction again when a batch is published."""
        staged = batch.staged(self)
        if staged is None:
            staged = StagedRows(self, self._inlet)
            batch.stage(self, staged)
        assert isinstance(staged, StagedRows)
        staged.mutate(key, author)

    def overlay_commit(
        self, synced: Mapping[Any, Any], mutated: Mapping[Any, Iterable[Author]]
    ) -> list[Node]:
        """Commit beneath and into the overlay, and let it go once it has nothing to say."""
        overlay = self._overlaid()
        changed = overlay.commit(synced, mutated)
        if overlay.is_idle:
            self._inlet.overlay = None
        return changed

    def facts_node(self) -> Node:
        """Return the relation of what is known about the rows, for the compiler."""
        self._used()
        return self._overlaid().facts_node()

    def _overlaid(self) -> Layers:
        overlay = self._inlet.overlay
        if overlay is None:
            overlay = self._inlet.overlay = Layers(self, self._node)
        return overlay

    def _note_sync(self) -> None:
        """Cease to be local: from now on somebody else says what the rows are."""
        if not self._was_synced:
            if (self._node.rows or self.overlay) and self.is_local:
                self._overlaid().own_all()
            self._was_synced = True

    def _staged(self) -> StagedRows | None:
        current = current_batch()
        staged = None if current is None else current.staged(self)
        assert staged is None or isinstance(staged, StagedRows)
        return staged


def _fields_of(owner: object, changes: object) -> Mapping[str, Any]:
    """Return what is given to `update` as its mapping of fields."""
    if changes is None:
        return {}
    if not isinstance(changes, Mapping):
        error = CollectionError(f"{owner}: update takes the changed fields, not {changes!r}")
        error.add_note("write update(key, field=value), or: with collection.draft(key) as row: ...")
        raise error
    return changes
