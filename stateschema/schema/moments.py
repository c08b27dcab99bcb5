"""Moments: the timestamps of events, which RFC 3339 wants to be instants."""

from datetime import UTC, datetime

from stateschema.errors import LocalProtocolError


def rfc3339(moment: datetime | str) -> str:
    """Return a moment as text; one that is a text already as it was written.

    Raises:
        LocalProtocolError: It has no time zone, or is no moment.
    """
    read = _read_moment(moment) if isinstance(moment, str) else moment
    if read.tzinfo is None:
        raise LocalProtocolError(f"timestamp {str(moment)!r} has no time zone")
    if isinstance(moment, str):
        return moment
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise LocalProtocolError(f"timestamp {text!r} is no RFC 3339 text") from error
