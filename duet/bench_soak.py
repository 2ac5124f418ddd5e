"""A long evening in virtual time: whether memory grows, a note hangs, or the sound drifts from the MIDI.

The session, the partner, the take's journal and the voice are the real ones; the player is a seeded generator. All of
the sound is rendered, and each answer's first note is looked for in it: it comes out of silence.
"""

import asyncio
import gc
import os
import random
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np

from duet import virtual_time
from duet.errors import DuetError
from duet.inline import InlineSeat, InlineVoice
from duet.midi import read_midi
from duet.news import Answered, Message, News, Played, Turned, Who
from duet.note import Event, NoteOff, NoteOn, Pedal, Sounding, order
from duet.ports import Block, Partner, Voice
from duet.session import Session
from duet.takes import Take
from duet.turn import HandOver

WARM = 300.0
"""Seconds at each end of the evening that are compared; a third of a shorter one."""
SILENT = 1e-3
"""Below this peak nothing is heard."""
APART = 0.1
"""Seconds of silence before an onset that is measured."""
SCALE = (0, 2, 4, 5, 7, 9, 11)
MEMORY = Path("/proc/self/statm")


class Player:
    """A `Listener`: phrases, pedal, barge-ins, hand-overs, knobs and panics, the same for the same seed."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.session: Session
        self.phrases = self.panics = self.barge_ins = 0
        self._draw = random.Random(seed)
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[Event | HandOver]:
        loop, draw = asyncio.get_running_loop(), self._draw
        while loop.time() < self._seconds:
            async for event in self._phrase():
                yield event
            if draw.random() < 0.1:
                yield HandOver(loop.time())
            await asyncio.sleep(2.0)
            if draw.random() < 0.25:  # into the answer, most often
                self.barge_ins += self.session.turn.state.name == "RESPONSE"
                continue
            self._turn_knobs()
            await self.session.wait_until_idle()
            if draw.random() < 0.08:
                draw.choice([self.session.again, self.session.replay])()
                await self.session.wait_until_idle()
            await asyncio.sleep(draw.uniform(0.2, 6.0))

    async def _phrase(self) -> AsyncIterator[Event]:
        loop, draw = asyncio.get_running_loop(), self._draw
        self.phrases += 1
        pace, degree, pedal = draw.uniform(0.12, 0.5), draw.randrange(21), draw.random() < 0.3
        if pedal:
            yield Pedal(loop.time(), 127)
        for _ in range(draw.randrange(3, 20)):
            degree = min(34, max(0, degree + draw.choice([-2, -1, 1, 1, 2, 4])))
            keys = {
                36 + 12 * (step // 7) + SCALE[step % 7] for step in (degree, degree + draw.choice([0, 2]))
            }
            velocity = draw.randrange(25, 115)
            for key in keys:
                yield NoteOn(loop.time(), key, velocity)
            await asyncio.sleep(pace * draw.uniform(0.5, 1.1))
            for key in keys:
                yield NoteOff(loop.time(), key)
            await asyncio.sleep(pace * draw.choice([0.05, 0.3, 1.0]))
        if pedal:
            yield Pedal(loop.time(), 0)

    def _turn_knobs(self) -> None:
        draw = self._draw
        if draw.random() < 0.1:
            self.session.change(temperature=draw.uniform(0.6, 1.3), length=draw.uniform(0.5, 2.0))
        if draw.random() < 0.05:
            self.panics += 1
            self.session.panic()


class Wire:
    """A `MidiOut` as the synth at its end sees it: events arrive at their time, unless they were taken back."""

    def __init__(self) -> None:
        self.sounding = Sounding()
        self.notes_sent = 0
        self._waiting: list[Event] = []

    def send(self, event: Event) -> None:
        """It will arrive at its time."""
        self._waiting.append(event)

    def silence(self) -> None:
        """Nothing of what waits arrives; what sounds ends."""
        now = asyncio.get_running_loop().time()
        self.arrive(now)
        self._waiting = self.sounding.let_go(now)
        self.arrive(now)

    def arrive(self, now: float) -> None:
        """What is due by now has arrived."""
        self._waiting.sort(key=order)
        while self._waiting and self._waiting[0].time <= now:
            event = self._waiting.pop(0)
            self.sounding.follow(event)
            self.notes_sent += isinstance(event, NoteOn)


class Ear:
    """A `Speaker` that finds where sound begins after silence, and what note was sent for that moment."""

    def __init__(self, rate: int) -> None:
        self.offsets: list[tuple[float, float]] = []
        """When a note was to begin, and how much later it was heard, seconds."""
        self._rate = rate
        self._heard = 0
        self._loud_at = 0
        self._sent: deque[float] = deque(maxlen=64)

    def send(self, event: Event) -> None:
        """The voice is to play this."""
        if isinstance(event, NoteOn):
            self._sent.append(event.time)

    def silence(self) -> None:
        """What was to come does not; what is heard next belongs to what is sent after this."""
        self._sent.clear()

    def play(self, block: Block) -> None:
        """The next of the sound."""
        loud = np.flatnonzero(np.abs(block).max(axis=1) > SILENT)
        if len(loud):
            onset = self._heard + int(loud[0])
            if onset - self._loud_at > APART * self._rate and self._sent:
                time = onset / self._rate
                due = min(self._sent, key=lambda sent: abs(sent - time))
                self.offsets.append((due, time - due))
            self._loud_at = self._heard + int(loud[-1])
        self._heard += len(block)


def bench_soak(partner: Partner, voice: Voice, minutes: float, seed: int = 0) -> dict[str, Any]:
    """Play for so long; return what became of notes, memory and time. Raises DuetError without /proc."""
    if not MEMORY.exists():
        raise DuetError("`duet bench soak` reads the memory it takes from /proc: run it on Linux")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = virtual_time.run(_evening(partner, voice, 60 * minutes, seed, Path(folder)))
    return {"minutes": minutes, **report, "computing_s": time.perf_counter() - began}


async def _evening(partner: Partner, voice: Voice, seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    warm = min(WARM, seconds / 3)
    loop, wire, ear = asyncio.get_running_loop(), Wire(), Ear(voice.sample_rate)
    singer, player = InlineVoice(voice, ear), Player(seconds, seed)
    counted = {"answers": 0, "hanging_notes": 0, "errors": 0, "partner": 0}
    take = Take(folder, lambda text: None)

    def observe(news: News) -> None:
        take.observe(news)
        match news:
            case Answered():
                counted["answers"] += 1
            case Played(Who.PARTNER, NoteOn()):
                counted["partner"] += 1
            case Message(error=True):
                counted["errors"] += 1
            case Turned(state) if state != "RESPONSE":
                wire.arrive(loop.time())
                counted["hanging_notes"] += len(wire.sounding.keys) + wire.sounding.pedal_down

    async def remember() -> float:
        await asyncio.sleep(warm)
        return _memory()

    session = player.session = Session(player, InlineSeat(partner), [wire, singer, ear], observe)
    singing, early = asyncio.create_task(singer.run()), asyncio.create_task(remember())
    await session.run()
    end, memory = loop.time(), _memory()
    singing.cancel()
    counted["hanging_notes"] += len(wire.sounding.keys) + wire.sounding.pedal_down
    path = take.close()
    first = [late for due, late in ear.offsets if due < warm]
    last = [late for due, late in ear.offsets if due > end - warm]
    kept = sum(isinstance(event, NoteOn) for event in read_midi(path)) if path else 0
    return {
        "phrases": player.phrases,
        "answers": counted["answers"],
        "barge_ins": player.barge_ins,
        "panics": player.panics,
        "notes_sent": wire.notes_sent,
        "notes_in_the_take": kept,
        "hanging_notes": counted["hanging_notes"],
        "errors": counted["errors"],
        "rss_start_mb": early.result(),
        "rss_end_mb": memory,
        "memory_growth_share": memory / early.result() - 1,
        "onsets_measured": len(ear.offsets),
        "onset_off_ms_max": 1000 * max(abs(late) for _, late in ear.offsets) if ear.offsets else None,
        "drift_ms": 1000 * abs(float(np.median(last) - np.median(first))) if first and last else None,
    }


def _memory() -> float:
    """Megabytes that this process has in memory."""
    gc.collect()
    return int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
