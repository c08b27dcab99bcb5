"""What else a session shows: queries over its messages and its presence.

Each view is a function of the source it reads, so that it can be tested with `run`, attached with
`live`, or be the source of another query. `SessionViews` attaches them all.

Order      views of messages go by `created_at`, ties by message id
Cost       one more chunk of a message touches one row in each view that shows it. The exception is
           named: `model_messages` joins the text of a message when it is complete, and again for
           each chunk that comes after that
"""

from typing import Any

from dataflow.query.aggregates import AggregateExpr, collect, count, last, max_, min_, sum_
from dataflow.query.builder import Query, query
from dataflow.query.expr import Expr
from dataflow.query.functions import coalesce, lit
from dataflow.query.source import Source
from stateschema.session.message import Message, Usage
from stateschema.session.schema import Presence
from stateschema.session.transcript import Tally
from stateschema.session.view_rows import ActiveGeneration, Actor, ModelMessage, SessionStats

LATEST = 3
"""How many messages `latest_approvals` shows."""


def tool_calls(messages: Source[Message]) -> Query[Message]:
    """Return the messages that call a tool."""
    message = messages.alias("message")
    return query(message).filter(_has_tool_call).order_by(message.created_at)


def tool_results(messages: Source[Message]) -> Query[Message]:
    """Return the messages that hold the result of a tool."""
    message = messages.alias("message")
    return query(message).filter(_has_tool_result).order_by(message.created_at)


def pending_approvals(messages: Source[Message]) -> Query[Message]:
    """Return the messages with a tool call that waits for an approval."""
    message = messages.alias("message")
    return query(message).filter(_has_pending_approval).order_by(message.created_at)


def latest_approvals(messages: Source[Message]) -> Query[Message]:
    """Return the latest of the messages that wait for an approval, newest first."""
    message = messages.alias("message")
    pending = query(message).filter(_has_pending_approval)
    return pending.order_by(message.created_at.desc()).limit(LATEST)


def active_generations(messages: Source[Message]) -> Query[ActiveGeneration]:
    """Return the messages that are still being written, and how far each has come."""
    message = messages.alias("message")
    return (
        query(message)
        .where(~message.is_complete)
        .order_by(message.created_at)
        .select(
            message_id=message.id,
            actor_id=message.actor_id,
            started_at=message.created_at,
            last_chunk_seq=message.last_seq,
            last_chunk_at=message.last_chunk_at,
        )
        .into(ActiveGeneration)
    )


def model_messages(messages: Source[Message]) -> Query[ModelMessage]:
    """Return what a language model is told: the text of each complete message that can be read."""
    message = messages.alias("message")
    complete = query(message).where(message.is_complete, message.readable)
    return complete.order_by(message.created_at).map(_model_message)


def actors(presence: Source[Presence]) -> Query[Actor]:
    """Return who is online: one row per person or agent, whatever the number of devices.

    A row is a kind of actor and an id, the key of the result: a person and an agent of one id are
    two, and somebody who changed the name is one. The name is the latest that a device brought.
    """
    device = presence.alias("device")
    return (
        query(device)
        .where(device.status == "online")
        .group_by(device.actor_id, device.actor_type)
        .select(
            actor_id=device.actor_id,
            actor_type=device.actor_type,
            name=last(device.name, order_by=device.last_seen_at),
            device_ids=collect(device.device_id, order_by=device.device_id),
            device_count=count(),
        )
        .into(Actor)
    )


def session_stats(messages: Source[Message], session_id: str) -> Query[SessionStats]:
    """Return one row with the figures of a session."""
    message = messages.alias("message")
    tally, usage = message.tally, message.usage
    return (
        query(message)
        .select(
            session_id=lit(session_id),
            message_count=count(),
            user_message_count=count().where(message.role == "user"),
            assistant_message_count=count().where(message.role == "assistant"),
            tool_call_count=_total(tally, Tally, "tool_calls"),
            approval_count=_total(tally, Tally, "pending_approvals"),
            total_tokens=_total(usage, Usage, "total"),
            prompt_tokens=_total(usage, Usage, "prompt"),
            completion_tokens=_total(usage, Usage, "completion"),
            active_generation_count=count().where(~message.is_complete),
            first_message_at=min_(message.created_at),
            last_message_at=max_(message.created_at),
        )
        .into(SessionStats)
    )


def _total(figures: Expr[Any], kind: type[Tally] | type[Usage], name: str) -> Expr[int]:
    """Sum a field of a named tuple, to which a query knows the way by its position; 0 of nothing."""
    summed: AggregateExpr[int] = sum_(figures[kind._fields.index(name)])
    return coalesce(summed, 0)


def _has_tool_call(message: Message) -> bool:
    return message.has_tool_call


def _has_tool_result(message: Message) -> bool:
    return message.has_tool_result


def _has_pending_approval(message: Message) -> bool:
    return message.has_pending_approval


def _model_message(message: Message) -> ModelMessage:
    return ModelMessage(id=message.id, role=message.role, content=message.text)
