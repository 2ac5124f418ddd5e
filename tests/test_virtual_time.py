"""Time that jumps."""

import asyncio

from duet.virtual_time import run


def test_an_hour_passes_at_once_and_in_order() -> None:
    async def main() -> list[tuple[str, float]]:
        loop, log = asyncio.get_running_loop(), []

        async def note(name: str, delay: float) -> None:
            await asyncio.sleep(delay)
            log.append((name, loop.time()))

        await asyncio.gather(note("late", 3600.0), note("early", 0.25), note("middle", 60.5))
        return log

    assert run(main()) == [("early", 0.25), ("middle", 60.5), ("late", 3600.0)]


def test_a_thread_can_still_wake_the_loop() -> None:
    async def main() -> int:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: 7)

    assert run(main()) == 7
