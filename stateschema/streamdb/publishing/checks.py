"""What cannot be published, and where from or to: refused when a publisher is made."""

from collections import Counter
from collections.abc import Iterable, Sequence

from dataflow.collection.readable import Readable
from stateschema.errors import SchemaError
from stateschema.streamdb.arguments import check_stream
from stateschema.streamdb.publishing.events import CLAIM_TYPE
from stateschema.streamdb.publishing.publication import TXID_TYPE, Commits, Part


def check_published(
    parts: Sequence[Part], stream: object, sources: Iterable[Commits]
) -> tuple[Commits, ...]:
    """Refuse what cannot be published, and return the sources.

    Raises:
        TypeError: A part is no collection, a source no StreamDB, or the stream no stream.
        SchemaError: A type is empty, or a publisher's own, or two parts have the same.
    """
    for part in parts:
        _check_view(part.view)
        _check_type(part.type)
    check_stream(stream, "publish")
    for row_type, count in Counter(part.type for part in parts).items():
        if count > 1:
            raise SchemaError(f"{count} collections are published with the type {row_type!r}")
    if hasattr(sources, "subscribe_commits"):
        raise TypeError(f"sources= takes a list of StreamDBs: write [{sources!r}]")
    found = tuple(sources)
    for source in found:
        if not hasattr(source, "subscribe_commits"):
            raise TypeError(f"sources= takes StreamDBs, not {source!r}")
    return found


def _check_view(view: object) -> None:
    if not isinstance(view, Readable):
        error = TypeError(f"publish takes a live query or a collection, not {view!r}")
        error.add_note("write publish(live(query(...)), stream, type=...)")
        raise error


def _check_type(row_type: object) -> None:
    if not isinstance(row_type, str) or not row_type:
        raise SchemaError(f"type of what is published must be a non-empty text, not {row_type!r}")
    if row_type in {CLAIM_TYPE, TXID_TYPE}:
        raise SchemaError(f"type {row_type!r} is that of what publishers say themselves")
