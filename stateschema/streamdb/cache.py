"""The cache of a StreamDB: rows and offset in a SQLite file, so that the next start resumes there.

Law        What the file holds is the fold of the stream up to the offset it holds (law 8): both are
           written by one transaction per epoch, and while a snapshot is under way neither is
Use        What was kept of another stream, or under another version or shape of the schema, is
           dropped when the file is opened; so is everything without an offset
Defaults   Rows come back with all their fields; which of them were never set is not kept
Pending    Only synced rows are kept. For writes that must survive a restart there is the `Outbox`.
"""

from hashlib import sha256
from pathlib import Path

from dataflow.collection.batch import batch
from dataflow.io.persistence import Store, persist
from stateschema.schema.entity import StateSchema
from stateschema.schema.json_schema import fingerprint
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import collections_of

_DIGITS = 15  # hexadecimal ones: what SQLite takes for a number


class Cache:
    """Rows and offset of one attached schema in a file.

    Args:
        location: `sqlite:///relative.db`, `sqlite:////absolute.db`, or a path.
        stream: Name of the stream that the rows come from.
    """

    def __init__(self, location: str | Path, *, stream: str) -> None:
        self._location = location
        self._stream = stream
        self._store: Store | None = None

    def open(self, collections: StateSchema) -> Offset | None:
        """Show what is kept, and keep what is committed from now on; return the offset, if there is one.

        Raises:
            StorageError: The file is in use, damaged, or of something else.
        """
        by_name = collections_of(collections)
        origin = f"{fingerprint(type(collections))} {self._stream}"
        version = int(sha256(origin.encode()).hexdigest()[:_DIGITS], 16)
        store = self._store = persist(
            by_name.values(), self._location, version=version, migrate="discard"
        )
        offset = store.metadata.get("offset")
        if offset is not None:
            return Offset(offset)
        with batch():
            for collection in by_name.values():
                with collection.sync() as write:
                    write.truncate()
        return None

    def note(self, offset: Offset, *, is_whole: bool) -> None:
        """Say where the rows of the open batch lead to; called inside of it.

        Args:
            offset: Where the stream goes on after them.
            is_whole: Whether to resume from there; if not, the file stays as it is for now.
        """
        if self._store is None:
            return
        if is_whole:
            self._store.release()
            self._store.set_metadata(offset=offset)
        else:
            self._store.hold()

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._store is not None:
            self._store.close()
