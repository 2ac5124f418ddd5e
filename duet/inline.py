"""Models in this process: a partner in its seat, and a voice joined to a speaker, both on the session's loop.

Offline play and tests use these; live, `duet/remote.py` puts the same models into another process.
"""

import asyncio
import bisect
from collections.abc import AsyncIterator, Callable
from itertools import count

from duet.foresight import Foresight
from duet.note import Event, Sounding, at, order
from duet.phrase_end import Expectation
from duet.ports import Partner, Speaker, Voice
from duet.request import Request


class InlineSeat:
    """A partner called directly; composing takes no session time."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._foresight = Foresight(partner)
        self._take: Callable[[Expectation], None] = lambda expectation: None

    def attend(self, take: Callable[[Expectation], None]) -> None:
        """Call `take` with what the partner expects, once all keys are let go."""
        self._take = take

    def hear(self, event: Event) -> None:
        """Pass on an event of the player's."""
        self.partner.hear(event)
        if expectation := self._foresight.after(event):
            self._take(expectation)

    async def respond(self, request: Request) -> AsyncIterator[Event]:
        """Yield the answer, giving way to other tasks between events."""
        self._foresight.end_call()
        for event in self.partner.respond(request):
            yield event
            await asyncio.sleep(0)

    def cut(self, seconds: float) -> None:
        """Tell the partner how much of its answer was heard."""
        self.partner.cut(seconds)


class Score:
    """Events in order, given out up to a moment: a `Timeline` that is written while it is read."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._sounding = Sounding()

    def add(self, event: Event) -> None:
        """Put an event in its place."""
        bisect.insort(self._events, event, key=order)

    @property
    def waits(self) -> bool:
        """True while there are events not given out."""
        return bool(self._events)

    def take(self, until: float) -> list[Event]:
        """Give out the events before `until`, once."""
        index = bisect.bisect_left(self._events, until, key=lambda event: event.time)
        due, self._events = self._events[:index], self._events[index:]
        for event in due:
            self._sounding.follow(event)
        return due

    def release(self, now: float) -> None:
        """Drop what waits; let go, at `now`, of all that has been given out and still sounds."""
        self._events = self._sounding.let_go(now)


class InlineVoice:
    """A voice and a speaker as an out of the session, paced by its loop: real time live, no time offline."""

    def __init__(self, voice: Voice, speaker: Speaker) -> None:
        self._voice = voice
        self._speaker = speaker
        self._score = Score()
        self._start: float | None = None

    def send(self, event: Event) -> None:
        """Sing the event at its time."""
        self._score.add(at(event, event.time - self._started()))

    def silence(self) -> None:
        """Let go of everything now; it dies away as released strings do."""
        self._score.release(asyncio.get_running_loop().time() - self._started())

    async def run(self) -> None:
        """Render and play, block by block, each when its time has passed, until cancelled."""
        loop = asyncio.get_running_loop()
        length = self._voice.block_length / self._voice.sample_rate
        blocks = self._voice.render(self._score)
        for index in count(1):
            await asyncio.sleep(self._started() + index * length - loop.time())
            self._speaker.play(next(blocks))

    def _started(self) -> float:
        if self._start is None:
            self._start = asyncio.get_running_loop().time()
        return self._start
