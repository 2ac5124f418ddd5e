import asyncio
import threading
from multiprocessing import Pipe

import pytest

from duet.wire import Wire


async def until(true: "asyncio.Event") -> None:
    await asyncio.wait_for(true.wait(), 5)


def test_values_arrive_in_order_and_the_end_of_the_line_is_told_once() -> None:
    async def play() -> tuple[list[int], int]:
        ours, theirs = Pipe()
        heard: list[int] = []
        ends, ended = [0], asyncio.Event()

        def gone() -> None:
            ends[0] += 1
            ended.set()

        here = Wire(ours, heard.append, gone)
        there = Wire(theirs, lambda value: None, lambda: None)
        for value in range(50):
            there.send(value)
        there.close()
        await until(ended)
        here.close()
        await asyncio.sleep(0.02)
        return heard, ends[0]

    heard, ends = asyncio.run(play())
    assert heard == list(range(50))
    assert ends == 1


def test_both_ends_may_hang_up_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)

    async def hang_up() -> None:
        ours, theirs = Pipe()
        ends = [Wire(end, lambda value: None, lambda: None) for end in (ours, theirs)]
        for end in ends:
            end.send(1)
            end.close()
        while not (ours.closed and theirs.closed):  # noqa: ASYNC110 (threads close them)
            await asyncio.sleep(0.001)

    async def many() -> None:
        for _ in range(300):
            await asyncio.wait_for(hang_up(), 5)

    asyncio.run(many())
    assert raised == []
