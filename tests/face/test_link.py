"""How the face reaches the engine, and how it ends."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Listener
from pathlib import Path

import pytest

from duet.errors import DuetError
from duet.news import Cut, HandOver, Panic
from terminal_ui.link import connect
from tests.face.kit import NOW, SETUP, shown


async def test_a_closed_link_ends_the_app() -> None:
    async with shown(SETUP) as face:
        face.link.hung_up = True
        await face.tell()
    assert face.app._exit
    assert (face.app.return_code or 0) == 0


async def test_after_quit_it_waits_for_the_engine_but_not_for_ever() -> None:
    async with shown(SETUP) as face:
        await face.press("q")
        face.clock.now += 1.9
        face.app.frame()
        assert not face.app._exit
        face.clock.now += 0.2
        face.app.frame()
        assert face.app._exit


async def test_a_second_quit_does_not_wait() -> None:
    async with shown(SETUP) as face:
        await face.press("q", "q")
        assert face.app._exit


def test_a_pipe_link_carries_news_and_wishes_and_ends_with_the_engine(tmp_path: Path) -> None:
    address, key = str(tmp_path / "face"), b"secret"
    with Listener(address, family="AF_UNIX", authkey=key) as listener:
        with ThreadPoolExecutor() as pool:
            calling = pool.submit(connect, address, key.hex())
            engine = listener.accept()
        link = calling.result()
        link.send(HandOver())
        assert engine.recv() == HandOver()
        engine.send(SETUP)
        engine.send(Cut(NOW))
        engine.close()
        assert link.wait()
        assert not link.closed  # there are news to be polled yet
        assert link.poll() == [SETUP, Cut(NOW)]
        assert link.closed
        link.send(Panic())  # nobody hears it, nobody minds


@pytest.mark.parametrize("key", ["ab", "not hex"])
def test_an_engine_that_is_not_there_is_a_plain_error(key: str, tmp_path: Path) -> None:
    with pytest.raises(DuetError, match="cannot reach the engine"):
        connect(str(tmp_path / "nobody"), key)
