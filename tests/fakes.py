"""The fake ports: small, exact, and of the same shape as the real ones."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import numpy as np

from duet.note import Event, NoteOff, NoteOn, Pedal, at
from duet.phrase_end import Expectation
from duet.ports import Block, Timeline
from duet.request import Request


class EchoPartner:
    """Plays the player's last phrase back, from its first key press."""

    styles: Sequence[str] = ("plain", "fancy")

    def __init__(self, answer: Sequence[Event] | None = None) -> None:
        self.answer = answer
        self.heard: list[Event] = []
        self.cuts: list[float] = []
        self.requests: list[Request] = []

    def hear(self, event: Event) -> None:
        self.heard.append(event)

    def respond(self, request: Request) -> Iterator[Event]:
        self.requests.append(request)
        phrase = self.heard if self.answer is None else self.answer
        origin = next((event.time for event in phrase if isinstance(event, NoteOn)), 0.0)
        yield from [at(event, max(0.0, event.time - origin)) for event in phrase]

    def cut(self, seconds: float) -> None:
        self.cuts.append(seconds)

    def forget(self) -> None:
        self.heard.clear()


class SlowSeat:
    """A seat whose partner takes its time over each event."""

    def __init__(self, answer: Sequence[Event], delays: Sequence[float]) -> None:
        self.answer, self.delays = answer, delays
        self.heard: list[Event] = []
        self.cuts: list[float] = []

    def attend(self, take: Callable[[Expectation], None]) -> None:
        pass

    def hear(self, event: Event) -> None:
        self.heard.append(event)

    async def respond(self, request: Request) -> AsyncIterator[Event]:
        for event, delay in zip(self.answer, self.delays, strict=True):
            await asyncio.sleep(delay)
            yield event

    def cut(self, seconds: float) -> None:
        self.cuts.append(seconds)


class RecordingOut:
    """A MIDI out that keeps what it was asked to do, and what a listener would have heard of it."""

    def __init__(self) -> None:
        self.sent: list[Event] = []
        self._pending: list[Event] = []
        self.silenced: list[float] = []

    def send(self, event: Event) -> None:
        self.flush()
        self._pending.append(event)

    def silence(self) -> None:
        self.flush()
        now = asyncio.get_running_loop().time()
        self._pending.clear()
        self.silenced.append(now)
        self.sent.extend(NoteOff(now, pitch) for pitch in sorted(self.sounding))
        if self.pedal_down:
            self.sent.append(Pedal(now, 0))

    @property
    def sounding(self) -> set[int]:
        keys: set[int] = set()
        for event in self.sent:
            match event:
                case NoteOn(_, pitch, _):
                    assert pitch not in keys, f"{pitch} struck twice without a release"
                    keys.add(pitch)
                case NoteOff(_, pitch):
                    assert pitch in keys, f"{pitch} released without a key down"
                    keys.discard(pitch)
        return keys

    @property
    def pedal_down(self) -> bool:
        pedals = [event for event in self.sent if isinstance(event, Pedal)]
        return bool(pedals) and pedals[-1].down

    def flush(self) -> None:
        """What is due has gone out, as a real sender would have it."""
        now = asyncio.get_running_loop().time() + 1e-9  # timers may be early by the clock's resolution
        self.sent.extend(event for event in self._pending if event.time <= now)
        self._pending = [event for event in self._pending if event.time > now]

    def finish(self) -> None:
        self.sent.extend(self._pending)
        self._pending.clear()


class ToneVoice:
    """1 while any key is down, else 0: enough to see when something sounds."""

    sample_rate, channels, block_length = 1000, 1, 10

    def render(self, timeline: Timeline) -> Iterator[Block]:
        keys: set[int] = set()
        index = 0
        while True:
            index += 1
            for event in timeline.take(index * self.block_length / self.sample_rate):
                match event:
                    case NoteOn(_, pitch, _):
                        keys.add(pitch)
                    case NoteOff(_, pitch):
                        keys.discard(pitch)
            yield np.full((self.block_length, 1), float(bool(keys)), np.float32)


class RecordingSpeaker:
    """Keeps every block."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def play(self, block: Block) -> None:
        self.blocks.append(block)
