"""Waiters: who is woken, and that nothing is left of them."""

import asyncio

from stateschema.streamdb.waiters import Waiters


def test_waking_a_name_wakes_all_who_wait_for_it_and_nobody_else() -> None:
    async def scenario() -> None:
        waiters, woken = Waiters(), []

        async def wait(label: str, name: str) -> None:
            await waiters.wait(name)
            woken.append(label)

        tasks = [asyncio.create_task(wait(label, label[0])) for label in ("a1", "b1", "a2")]
        await asyncio.sleep(0)
        assert len(waiters) == 3
        waiters.wake("a")
        waiters.wake("a")  # again, before those woken have run
        waiters.wake("nobody")
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
        assert (sorted(woken), len(waiters)) == (["a1", "a2"], 1)
        waiters.wake_all()
        await asyncio.gather(*tasks)
        assert (sorted(woken), len(waiters)) == (["a1", "a2", "b1"], 0)

    asyncio.run(scenario())


def test_of_many_names_those_that_are_waited_for_are_woken() -> None:
    async def scenario() -> None:
        waiters = Waiters()
        tasks = {name: asyncio.create_task(waiters.wait(name)) for name in "abc"}
        await asyncio.sleep(0)
        waiters.wake_each(())
        waiters.wake_each(("a",))
        waiters.wake_each(("x", "b", "y"))
        await asyncio.gather(tasks["a"], tasks["b"])
        assert (tasks["c"].done(), len(waiters)) == (False, 1)
        waiters.wake_all()
        await tasks["c"]

    asyncio.run(scenario())


def test_a_cancelled_waiter_leaves_nothing() -> None:
    async def scenario() -> None:
        waiters = Waiters()
        task = asyncio.create_task(waiters.wait("a"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert (task.cancelled(), len(waiters)) == (True, 0)
        waiters.wake("a")

    asyncio.run(scenario())
