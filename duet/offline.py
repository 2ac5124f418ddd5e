"""The same session on files: a call is played into it in virtual time, the answer is caught, a voice sings it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from duet import virtual_time
from duet.errors import FileError
from duet.inline import InlineSeat, InlineVoice, Score
from duet.news import Answered, News, Played, Who
from duet.note import Event, NoteOn, at, cut, let_go
from duet.ports import Block, MidiOut, Partner, Voice
from duet.request import Request, Settings
from duet.session import Session
from duet.turn import HandOver

RING_OUT = 6.0
"""Seconds at most that a rendering goes on after its last event."""
SILENT = 10 ** (-66 / 20)
"""Below this peak a block is taken for silence, and the rendering ends."""


class ScriptedListener:
    """Plays events into the session at their times on the loop's clock."""

    def __init__(self, events: Sequence[Event | HandOver]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[Event | HandOver]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for event in self._events:
            await asyncio.sleep(max(0.0, start + event.time - loop.time()))
            yield replace(event, time=start + event.time)


class TimedSeat(InlineSeat):
    """Also measures, in real seconds, how long the partner took to its first event."""

    def __init__(self, partner: Partner) -> None:
        super().__init__(partner)
        self.composing = 0.0

    async def respond(self, request: Request) -> AsyncIterator[Event]:
        began = time.perf_counter()
        first = True
        async for event in super().respond(request):
            if first:
                self.composing, first = time.perf_counter() - began, False
            yield event


class Recorder:
    """A `MidiOut` that keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def send(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def silence(self) -> None:
        """Take back what lies ahead; end what sounds now."""
        self.events = cut(self.events, asyncio.get_running_loop().time())


class Collector:
    """A `Speaker` that keeps the blocks it is given."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def play(self, block: Block) -> None:
        """Keep it."""
        self.blocks.append(block)

    @property
    def silent(self) -> bool:
        """True when the last block is as good as silence."""
        return not self.blocks or float(np.abs(self.blocks[-1]).max()) < SILENT


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer, on one timeline whose 0 is the call's first event."""

    call: list[Event]
    answer: list[Event]
    sound: Block | None
    """Both, sung; None without a voice."""
    listening: float
    """Seconds of silence it took to know that the call was over."""
    composing: float
    """Real seconds from there to the answer's first composed event."""


def answer_call(
    call: Sequence[Event], partner: Partner, settings: Settings, voice: Voice | None = None
) -> Exchange:
    """Play a call into a session and return what came back; a voice, if there is one, sings both players.

    Raises FileError if the call has no note.
    """
    if not any(isinstance(event, NoteOn) for event in call):
        raise FileError("the call has no note to answer: play or choose another")
    start = call[0].time
    heard = [at(event, event.time - start) for event in call]
    heard += let_go(heard, heard[-1].time)  # a file may end in mid-air; a player's hands do not
    recorder, seat, news, speaker = Recorder(), TimedSeat(partner), list[News](), Collector()

    async def main() -> None:
        outs: list[MidiOut] = [recorder]
        singer = InlineVoice(voice, speaker) if voice else None
        singing = asyncio.create_task(singer.run()) if singer else None
        if singer:
            outs.append(singer)

        def observe(item: News) -> None:
            news.append(item)
            if singer and isinstance(item, Played) and item.who is Who.PLAYER:
                singer.send(item.event)

        await Session(ScriptedListener(heard), seat, outs, observe, settings).run()
        if singing:
            for _ in range(round(RING_OUT / 0.05)):
                await asyncio.sleep(0.05)
                if speaker.silent:
                    break
            singing.cancel()

    virtual_time.run(main())
    answer = [event for event in recorder.events if event.time >= heard[-1].time]
    listening = max((item.wait - item.decision for item in news if isinstance(item, Answered)), default=0.0)
    sound = np.concatenate(speaker.blocks) if voice else None
    return Exchange(heard, answer, sound, listening, seat.composing)


def play_again(
    player: Sequence[Event], partner: Partner, settings: Settings, observe: Callable[[News], None]
) -> list[Event]:
    """Let a partner answer what was played in a whole evening, and be interrupted where somebody was; its events."""
    recorder = Recorder()

    async def main() -> None:
        await Session(ScriptedListener(player), InlineSeat(partner), [recorder], observe, settings).run()

    virtual_time.run(main())
    return recorder.events


def sing(events: Sequence[Event], voice: Voice) -> Iterator[Block]:
    """Render events from time 0 until the last has died away (see `sung_seconds`)."""
    score = Score()
    for event in events:
        score.add(event)
    length = voice.block_length / voice.sample_rate
    end = max((event.time for event in events), default=0.0)
    blocks = voice.render(score)
    yield from islice(blocks, int(end / length) + 1)
    for block in islice(blocks, int(RING_OUT / length)):
        yield block
        if np.abs(block).max() < SILENT:
            return
