"""Views of a chat, for servers in tests."""

from typing import Any

from dataflow import count, query
from dataflow.query.builder import Query
from stateschema.streamdb.views import View, Views
from tests.stateschema.streamdb.chat import Chat


def texts(chat: Chat) -> Query[Any]:
    """The messages with a text, in the order of their texts."""
    row = chat.messages.alias("row")
    return query(row).where(row.text != "").order_by(row.text)


def totals(chat: Chat) -> Query[Any]:
    """How many messages there are of each text."""
    row = chat.messages.alias("row")
    return query(row).group_by(row.text).select(text=row.text, total=count())


VIEWS = Views(
    View("views/chat", of="chat", schema=Chat, type="text", query=texts),
    View("views/chat", of="chat", schema=Chat, type="total", query=totals, key="text"),
    View("views/other", of="other", schema=Chat, type="text", query=texts, order_field=None),
)
