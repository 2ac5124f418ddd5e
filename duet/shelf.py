"""The evenings that were kept, to be heard again in this one; read in a thread, so that no note waits for a disk."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

from duet.errors import DuetError
from duet.news import Message, News, TakeLine, Takes
from duet.note import Event, at
from duet.session import Session
from duet.take_list import TakeFile, choose_take, list_takes
from duet.take_music import read_music
from duet.turn import State


class Shelf:
    """Tells what there is, and has the session play one: both players' notes."""

    def __init__(self, session: Session, observe: Callable[[News], None]) -> None:
        self._session = session
        self._observe = observe
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, folder: Path) -> None:
        """Tell of the takes in that folder, soon."""
        self._begin(self._tell(folder))

    def play(self, path: Path) -> None:
        """Play the take in that file, as soon as it is read; a key of the player's ends it like any answer."""
        self._begin(self._play(path))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the loop itself would let it be collected
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, folder: Path) -> None:
        takes = await asyncio.to_thread(list_takes, folder)
        self._observe(Takes(str(folder), tuple(_line(take) for take in takes)))

    async def _play(self, path: Path) -> None:
        try:
            events = await asyncio.to_thread(_read, path)
        except DuetError as error:
            self._observe(Message(str(error), error=True))
            return
        if self._session.turn.state is State.CALL:
            self._observe(Message("it is your turn: choose the take again after your phrase"))
            return
        self._observe(Message(f"playing {path.stem}: any key of yours ends it, esc too"))
        self._session.replay(events)


def _line(take: TakeFile) -> TakeLine:
    return TakeLine(
        str(take.path), take.date, take.turns, take.seconds, tuple(take.asked("style")), tuple(take.kept)
    )


def _read(path: Path) -> list[Event]:
    music = read_music(choose_take(str(path), path.parent))
    return [at(event, event.time - music.start) for event in music.both]
