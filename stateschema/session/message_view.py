"""Messages of a session, as a query over its chunks.

    chunks ─ read ─┬─ no control rows ─ group by message, fold ──────────────┐ union, group by message
                   ├─ rows that ask for something ─┐                         ├─ apply_answers
                   └─ control rows ────────────────┴─ answers per message ───┘

Law        the rows are `apply_answers(materialize(chunks of the message), answers of the session)`,
           in order of the earliest chunk, whatever the order of arrival
Cost       one more chunk: its JSON is read once, the fold takes one step, and a fixed number of rows
           is touched, however long the message and the session are. A chunk that arrives late, is
           replaced or deleted is replayed from its place (`dataflow.aggregation.folding`). An answer
           touches the messages that ask for it. A chunk that asks for several things at once (an
           imported message, a snapshot, several interrupts) is compared with every answer of the
           session, and every answer with those chunks
Key        the message id of the rows, which a whole message cannot change: two of them that claim
           one id inside are still two rows
Edges      a control row is no message, and no part of one, not even with the id of a message. An
           answer counts once its request is there, and no longer when it is gone; of several answers
           to one request the earliest; what two messages ask for is answered in both
"""

from typing import Any

from dataflow.query.aggregates import collect, first, fold, min_
from dataflow.query.builder import Query, query
from dataflow.query.combining import union_all
from dataflow.query.functions import fn, length, lit
from dataflow.query.source import Source
from stateschema.session.answers import apply_answers
from stateschema.session.chunk import ChunkRow, parse
from stateschema.session.control import Answer, control_of, is_control, requests_of
from stateschema.session.fold import EMPTY, finish, step
from stateschema.session.message import Message

Row = dict[str, Any]


def messages(chunks: Source[ChunkRow]) -> Query[Message]:
    """Return the messages of a session, answers in place, by the time of their earliest chunk."""
    row = union_all(_folded(chunks), _answers_to_one(chunks), _answers_to_several(chunks)).alias(
        "row"
    )
    answered = (
        query(row)
        .group_by(row.message_id)
        .select(
            message=first(row.message),
            started_at=min_(row.started_at),
            to_one=first(row.to_one),
            to_several=first(row.to_several),
        )
        .alias("answered")
    )
    return query(answered).order_by(answered.started_at).map(_answered)


def _answered(row: Row) -> Message:
    message: Message = row["message"]
    answers: list[Answer] = [*(row["to_one"] or ()), *(row["to_several"] or ())]
    return apply_answers(message, answers) if answers else message


def _read(chunks: Source[ChunkRow]) -> Query[Row]:
    """Read each chunk once, for all that follows."""
    row = chunks.alias("row")
    chunk = fn(parse, row)
    return query(row).select(
        message_id=row.message_id,
        seq=row.seq,
        created_at=row.created_at,
        chunk=chunk,
        is_control=fn(is_control, chunk),
        answer=fn(control_of, chunk),
        requests=fn(requests_of, chunk),
    )


def _folded(chunks: Source[ChunkRow]) -> Query[Row]:
    row = _read(chunks).alias("row")
    return (
        query(row)
        .where(~row.is_control)
        .group_by(row.message_id)
        .select(
            message_id=row.message_id,
            started_at=min_(row.created_at),
            message=fold(row.chunk, EMPTY, step, finish=finish, order_by=row.seq),
            to_one=lit(None),
            to_several=lit(None),
        )
    )


def _answers(chunks: Source[ChunkRow]) -> Query[Row]:
    row = _read(chunks).alias("row")
    return (
        query(row)
        .where(row.answer.is_not_null())
        .select(answer=row.answer, target=row.answer["target"], session=lit(0))
    )


def _answers_to_one(chunks: Source[ChunkRow]) -> Query[Row]:
    """Collect, per message, the answers to what its chunks ask one at a time, as streams do."""
    row = _read(chunks).alias("row")
    asks = query(row).where(~row.is_control, length(row.requests) == 1)
    request = asks.select(message_id=row.message_id, target=row.requests[0]).alias("request")
    answer = _answers(chunks).alias("answer")
    return (
        query(request)
        .join(answer, on=request.target == answer.target)
        .group_by(request.message_id)
        .select(
            message_id=request.message_id,
            started_at=lit(None),
            message=lit(None),
            to_one=collect(answer.answer),
            to_several=lit(None),
        )
    )


def _answers_to_several(chunks: Source[ChunkRow]) -> Query[Row]:
    """Collect, per message, the answers to what its chunks ask several at once."""
    row = _read(chunks).alias("row")
    asks = query(row).where(~row.is_control, length(row.requests) > 1)
    request = asks.select(message_id=row.message_id, targets=row.requests, session=lit(0)).alias(
        "request"
    )
    answer = _answers(chunks).alias("answer")
    return (
        query(request)
        .join(answer, on=request.session == answer.session)
        .where(request.targets.contains(answer.target))
        .group_by(request.message_id)
        .select(
            message_id=request.message_id,
            started_at=lit(None),
            message=lit(None),
            to_one=lit(None),
            to_several=collect(answer.answer),
        )
    )
