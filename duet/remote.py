"""A partner and a voice in another process that look local: what the engine holds, and what it says to them.

The other side is `duet/models_process.py`. A crash or stall there ends one answer, not the evening.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from duet.errors import DuetError
from duet.note import Event
from duet.phrase_end import Expectation
from duet.request import Request
from duet.ring import Ring
from duet.wire import Wire

STALL = 5.0
"""Seconds without a composed event after which an answer is given up."""


@dataclass(frozen=True, slots=True)
class HearIt:
    """To the partner: the player did this."""

    event: Event


@dataclass(frozen=True, slots=True)
class Compose:
    """To the partner: answer."""

    request: Request


@dataclass(frozen=True, slots=True)
class CutIt:
    """To the partner: only this many seconds of the answer were heard."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """To either: change to another partner or voice."""

    name: str


@dataclass(frozen=True, slots=True)
class Sing:
    """To the voice: this event, at its session time."""

    event: Event


@dataclass(frozen=True, slots=True)
class Hush:
    """To the voice: the ring has been cut; start again from silence."""

    position: int
    """The ring's sample from which on it fades out."""


@dataclass(frozen=True, slots=True)
class Advance:
    """To the voice: the answer that comes is sent so many seconds before its time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Record:
    """To the voice: keep what is heard in this .wav, until another is named."""

    path: Path
    zero: float
    """The session time that the file begins at."""


@dataclass(frozen=True, slots=True)
class Composed:
    """From the partner: the next event of the answer, or its end (None)."""

    turn: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class Failed:
    """From either: a line in plain words; `turn` is 0 when no answer is concerned."""

    text: str
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """From either: ready, under this name."""

    name: str
    styles: tuple[str, ...] = ()
    delay: float = 0.0
    """Of a voice: seconds from an event's time to the audio callback that plays it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """From the voice: seconds of sound a second of computing, over the last second that sounded."""

    real_time_factor: float


class RemoteSeat:
    """A `Seat` whose partner is at the other end of a wire."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self._turn = 0
        self._answer: asyncio.Queue[Event | Failed | None] = asyncio.Queue()
        self._take: Callable[[Expectation], None] = lambda expectation: None

    def attend(self, take: Callable[[Expectation], None]) -> None:
        """Call `take` with each expectation that comes over the wire."""
        self._take = take

    def hear(self, event: Event) -> None:
        """Pass on an event of the player's; returns at once."""
        self._send(HearIt(event))

    async def respond(self, request: Request) -> AsyncIterator[Event]:
        """Yield the answer as it arrives. Raises DuetError if the partner fails or stalls."""
        self._turn, self._answer = request.turn, asyncio.Queue()
        self._send(Compose(request))
        while True:
            try:
                item = await asyncio.wait_for(self._answer.get(), STALL)
            except TimeoutError:
                raise DuetError(
                    f"the partner said nothing for {STALL:.0f} s; this answer is left out"
                ) from None
            match item:
                case None:
                    return
                case Failed(text):
                    raise DuetError(text)
                case event:
                    yield event

    def cut(self, seconds: float) -> None:
        """Tell the partner how much of its answer was heard."""
        self._send(CutIt(seconds))

    def deliver(self, item: Composed | Failed | Expectation) -> None:
        """Take what came over the wire; what belongs to an earlier turn is dropped."""
        if isinstance(item, Expectation):
            self._take(item)
        elif item.turn == self._turn:
            self._answer.put_nowait(item.event if isinstance(item, Composed) else item)

    def fail(self, text: str) -> None:
        """The process is gone: end the answer under way."""
        self._answer.put_nowait(Failed(text, self._turn))

    def _send(self, item: object) -> None:
        if self.wire:
            self.wire.send(item)


class Pulse:
    """Tells when a voice, which renders all the time, has stopped: a loop that hangs says nothing itself."""

    def __init__(self) -> None:
        self._written = -1
        self._still = 0

    def check(self, written: int, fill: int) -> str | None:
        """Called once a second with the ring's samples written and left; return what the player should know."""
        moved = written != self._written or fill > 0
        self._written, still = written, self._still
        self._still = 0 if moved else self._still + 1
        if self._still == round(STALL):
            return "the voice has stalled: MIDI goes on; choose another voice, or restart Duet"
        return "the voice sounds again" if moved and still >= STALL else None


class RemoteVoice:
    """A `MidiOut` whose voice is at the other end of a wire, and whose sound comes back through the ring."""

    def __init__(self, ring: Ring) -> None:
        self.wire: Wire | None = None
        self.delay = 0.0
        """Seconds from an event's time to the audio callback that plays it, once the voice is loaded."""
        self._ring = ring

    def send(self, event: Event) -> None:
        """Sing the event at its time."""
        if self.wire:
            self.wire.send(Sing(event))

    def tell_early(self, seconds: float) -> None:
        """The answer that comes is sent so much before its time."""
        if self.wire:
            self.wire.send(Advance(seconds))

    def silence(self) -> None:
        """Fade out in 10 ms, whatever the voice is doing."""
        position = self._ring.clock[0]
        self._ring.cut()
        if self.wire:
            self.wire.send(Hush(position))
