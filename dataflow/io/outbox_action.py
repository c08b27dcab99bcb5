"""Actions of an outbox, and their calls on the way.

A transaction shows what a call does until the call is settled: its mutation function does nothing but wait for that. Who sends, and
when, is the business of the outbox.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeAlias

from dataflow.collection.transaction import Transaction
from dataflow.errors import TransactionError
from dataflow.io.kept_rows import key_text
from dataflow.values.normal import normal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dataflow.io.outbox_file import Call

P = ParamSpec("P")
Take: TypeAlias = "Callable[[OutboxAction[...], str, tuple[Any, ...], dict[str, Any]], Transaction]"
"""(action, lane, args, kwargs) -> the transaction that shows the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to send a call.

    Attributes:
        idempotency_key: the same for all attempts of a call, also after a restart.
        attempt: 1 for the first.
    """

    idempotency_key: str
    attempt: int


class OutboxAction(Generic[P]):
    """A function that shows its mutations and has them sent; made by `Outbox.action`."""

    def __init__(
        self,
        take: Take,
        name: str,
        on_mutate: Callable[P, object],
        key: Callable[P, object] | None,
        send: Callable[Concatenate[Delivery, P], Awaitable[object] | object],
    ) -> None:
        self._take = take
        self._key = key
        self.name = name
        self.on_mutate = on_mutate
        self.send = send

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Transaction:
        """Show the mutations, write the call down, and return the transaction, which is settled when the call is.

        That is so for a call that shows nothing as well.

        Raises:
            CollectionError: if no event loop is running, the outbox is closed, a batch or mutate block is open, or calls of an
                earlier process, which come first, have not been started.
            TypeError: if an argument cannot be written: it is one of JSON, or a time, a Decimal, a UUID, bytes, a tuple or a set.
            StorageError: if the call cannot be written down.
            Exception: what `on_mutate` raised. In all cases nothing has been shown.
        """
        lane = "" if self._key is None else key_text(normal(self._key(*args, **kwargs)))
        return self._take(self, lane, args, kwargs)


class _Shown(Transaction):
    """Shows what a call does, if it shows anything, and is settled when the call is."""

    _has_work = True


class Letter:
    """A call on its way, and the transaction that shows it.

    Attributes:
        action: what was called.
        call: as it is in the file.
        transaction: shows the mutations until the call is settled.
    """

    call: Call

    def __init__(self, action: OutboxAction[...]) -> None:
        self.action = action
        self.transaction: Transaction = _Shown(mutation_fn=self._settled)
        self._confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def _settled(self, _: Transaction) -> None:
        await self._confirmed

    @property
    def is_settled(self) -> bool:
        """Whether it is known what became of the call."""
        return self._confirmed.done()

    def confirm(self) -> None:
        """Let the transaction be completed."""
        if not self._confirmed.done():
            self._confirmed.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Let the transaction fail."""
        if not self._confirmed.done():
            self._confirmed.set_exception(error)
            self._confirmed.exception()  # taken note of: the transaction has it from here

    async def keep(self) -> None:
        """Fail the transaction, because it goes on in another life."""
        self.fail(
            TransactionError("kept in the outbox: it is sent when the outbox is opened again")
        )
        with suppress(TransactionError):
            await self.transaction
