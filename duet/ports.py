"""The sockets: what the session plugs into and what the models and devices must offer.

Times are seconds. `Listener`, `Seat` and `MidiOut` are on the session's side and speak of session-clock
time (`time.monotonic()`); a `Partner` and a `Voice` are the models' side, plain synchronous code that
knows no clock. What joins the sides is `duet/inline.py` (same process) or `duet/remote.py` (another).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from duet.note import Event
from duet.phrase_end import Expectation
from duet.request import Request
from duet.turn import HandOver

Block = NDArray[np.float32]
"""A piece of sound: float32 in [-1, 1], shape (length, channels)."""


class Listener(Protocol):
    """Yields what the player does, stamped on the session clock, in order, until closed."""

    def __aiter__(self) -> AsyncIterator[Event | HandOver]: ...


class Partner(Protocol):
    """A network (or a chain) that composes. Synchronous; called from one thread at a time."""

    styles: Sequence[str]
    """The style labels it knows; may be empty."""

    def hear(self, event: Event) -> None:
        """Take one event of the player's, as it happens. Must be quick: it fills the cache."""

    def respond(self, request: Request) -> Iterator[Event]:
        """Compose the answer, event by event; time 0 is the answer's first onset.

        Times never fall from one event to the next; every key pressed is released, and the pedal is up
        at the end. What was yielded counts as played, until `cut` says otherwise.
        """

    def cut(self, seconds: float) -> None:
        """The last answer was interrupted: only what lies before `seconds` of it was heard."""

    def forget(self) -> None:
        """Forget the whole conversation."""


class Forecast(Protocol):
    """When a partner expects the next key to be struck, counted from what it heard last."""

    def chance(self, within: float, waited: float = 0.0) -> float:
        """How likely a key is struck in the next `within` seconds, `waited` seconds having gone by."""


@runtime_checkable
class Forecaster(Protocol):
    """A partner that also has an idea of what the player does next; not all do."""

    def next_onset(self) -> Forecast:
        """Look ahead from what was heard last; changes nothing."""


class Seat(Protocol):
    """Where a partner sits, as the session sees it: in this process or in another one."""

    def attend(self, take: Callable[[Expectation], None]) -> None:
        """Call `take` on the loop with what the partner expects, whenever it has heard all keys let go."""

    def hear(self, event: Event) -> None: ...

    def respond(self, request: Request) -> AsyncIterator[Event]: ...

    def cut(self, seconds: float) -> None: ...


class Timeline(Protocol):
    """What a voice reads while it renders: the events known so far, handed out once each."""

    def take(self, until: float) -> list[Event]:
        """Events due before `until` seconds and not handed out yet, in playing order."""


class Voice(Protocol):
    """A network (or a sine) that sounds. Synchronous; called from one thread at a time."""

    sample_rate: int
    """Samples a second."""
    channels: int
    """1 or 2."""
    block_length: int
    """Samples in each rendered block."""

    def render(self, timeline: Timeline) -> Iterator[Block]:
        """Yield blocks for ever; block k covers [k, k + 1) * block_length / sample_rate seconds.

        Before each block it takes the events due in it, and it does no work ahead. Silence (nothing
        sounding and nothing ringing) costs next to nothing. Starting again is starting from silence.
        """


@runtime_checkable
class Blender(Protocol):
    """A voice that can become another one, or a mixture, while it sounds; not all can."""

    def blend(self, name: str) -> bool:
        """Become the voice of that name without a break; False, and nothing done, if it is none of ours."""


class Speaker(Protocol):
    """Plays blocks: a ring to an audio device, or a file."""

    def play(self, block: Block) -> None: ...


class MidiOut(Protocol):
    """Sends events at their times: a MIDI port, a file, or a voice joined to a speaker."""

    def send(self, event: Event) -> None:
        """Send the event when its time (session clock) comes; at once if that is past."""

    def silence(self) -> None:
        """Drop what is not sent yet; end every note that sounds and lift the pedal, now."""


@runtime_checkable
class Delayed(Protocol):
    """A `MidiOut` whose events are heard later than their time, all by the same delay: a voice that renders ahead."""

    @property
    def delay(self) -> float:
        """Seconds from an event's time to its sound."""

    def advance(self, spare: float) -> None:
        """The next answer begins `spare` seconds later than it could: be so much earlier with it, up to the delay."""
