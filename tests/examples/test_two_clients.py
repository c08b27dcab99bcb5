from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from examples.two_clients import Client, TwoClients

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot


class Gate:
    """A server that answers when it is told to."""

    def __init__(self) -> None:
        self._turn = asyncio.Event()

    async def __call__(self) -> None:
        await self._turn.wait()
        self._turn.clear()

    def answer(self) -> None:
        self._turn.set()


async def say(pilot: Pilot[None], name: str, text: str) -> None:
    box = pilot.app.query_one(f"#{name} Input", Input)
    box.focus()
    box.value = text
    await pilot.press("enter")


def lines(pilot: Pilot[None], name: str) -> list[str]:
    return pilot.app.query_one(f"#{name}", Client).lines


def status(pilot: Pilot[None], name: str) -> str:
    return str(pilot.app.query_one(f"#{name} .status", Static).render())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause()


def test_a_message_shows_at_once_here_and_when_the_server_took_it_everywhere() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with TwoClients(pause=gate).run_test(size=(80, 24)) as pilot:
            await say(pilot, "Ada", "hello")
            await until(pilot, lambda: lines(pilot, "Ada") == ["Ada  hello  ..."])
            assert lines(pilot, "Ben") == []
            gate.answer()
            await until(pilot, lambda: lines(pilot, "Ada") == ["Ada  hello"])
            await until(pilot, lambda: lines(pilot, "Ben") == ["Ada  hello"])

    asyncio.run(scenario())


def test_a_refused_message_is_taken_back_and_its_text_can_be_mended() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with TwoClients(pause=gate).run_test(size=(80, 24)) as pilot:
            await say(pilot, "Ben", "buy spam")
            await until(pilot, lambda: lines(pilot, "Ben") == ["Ben  buy spam  ..."])
            gate.answer()
            await until(pilot, lambda: lines(pilot, "Ben") == [])
            await until(pilot, lambda: status(pilot, "Ben") == "taken back: no spam in here")
            assert pilot.app.query_one("#Ben Input", Input).value == "buy spam"
            assert lines(pilot, "Ada") == []

    asyncio.run(scenario())
