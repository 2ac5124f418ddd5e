"""Every MIDI event is one step of the partner: a gap, a token and a velocity.

A step is factorised: the gap since the step before it (128 bins: 10 ms apart up to 0.32 s, then 3.45 % apart
up to 8 s), a token (88 keys down, 88 keys up, pedal down, pedal up, and two that say whose turn begins) and,
for a key going down, one of 32 velocities. Times do not drift: up to 0.32 s the rounding of one gap is
made good by the next, and a longer gap starts afresh. The silence before a turn's first event belongs to the
room, not to the music, so a turn token and the event after it both have gap 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn, Pedal

KEYS = 88
LOWEST = 21
ON, OFF, PEDAL_DOWN, PEDAL_UP, PLAYER, PARTNER = 0, 88, 176, 177, 178, 179
PLAYED = 178
"""Tokens that somebody plays; the two after them say whose turn begins."""
TOKENS = 180
FINE, FINE_BINS = 0.01, 33
GAPS = np.concatenate([np.arange(FINE_BINS) * FINE, 0.32 * 25.0 ** (np.arange(1, 96) / 95)])
"""Seconds of each gap bin, rising from 0 to 8."""
EDGES = (GAPS[1:] + GAPS[:-1]) / 2
VELOCITIES = 32
TOGETHER, AT_ONCE = 0.03, 0.003
"""Seconds within which two strokes of a key are one, and within which a release came with a stroke."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event as the partner sees it."""

    gap: int
    """Bin of the time since the step before, an index of GAPS."""
    token: int
    """What happened, 0..179."""
    velocity: int = 0
    """0..31 for a key going down, else 0."""


def bin_of(seconds: float) -> int:
    """The gap bin nearest to a time; beyond 8 s it is the last."""
    if seconds < EDGES[FINE_BINS - 2]:
        return max(0, int(seconds / FINE + 0.5))
    return int(np.searchsorted(EDGES, seconds))


def velocity_of(level: int) -> int:
    """The MIDI velocity, 2..126, in the middle of a velocity bin."""
    return 4 * level + 2


def key_of(pitch: int) -> int:
    """The piano key 0..87 of a pitch; a pitch beyond the keyboard is moved by octaves onto it."""
    while pitch < LOWEST:
        pitch += 12
    while pitch >= LOWEST + KEYS:
        pitch -= 12
    return pitch - LOWEST


def event_of(token: int, time: float, velocity: int = 0) -> Event:
    """The event a played token stands for, at a time."""
    if token < OFF:
        return NoteOn(time, token + LOWEST, velocity_of(velocity))
    if token < PEDAL_DOWN:
        return NoteOff(time, token - OFF + LOWEST)
    return Pedal(time, 127 if token == PEDAL_DOWN else 0)


class Keyboard:
    """One well-behaved piano: tokens out only for what changes a key or the pedal.

    A key struck while down goes up first, unless two voices strike it together: that is one stroke, and a
    release that comes with the second is none. A key let go while up says nothing; of the pedal's many values
    only the crossings of 64 count.
    """

    def __init__(self) -> None:
        self.held: dict[int, float] = {}
        """The keys that are down, and when they were struck."""
        self.pedal = False
        self._doubled: dict[int, float] = {}

    def take(self, event: Event) -> list[tuple[int, int]]:
        """The tokens of one event with their velocities 1..127 (0 but for a key going down)."""
        match event:
            case NoteOn(time, pitch, velocity):
                key = key_of(pitch)
                struck = self.held.get(key)
                if struck is not None and time - struck < TOGETHER:
                    self._doubled[key] = time
                    return []
                self.held[key] = time
                press = (ON + key, velocity)
                return [press] if struck is None else [(OFF + key, 0), press]
            case NoteOff(time, pitch):
                key = key_of(pitch)
                with_stroke = time - self._doubled.pop(key, -1.0) < AT_ONCE
                if with_stroke or key not in self.held:
                    return []
                del self.held[key]
                return [(OFF + key, 0)]
            case Pedal():
                if event.down == self.pedal:
                    return []
                self.pedal = event.down
                return [(PEDAL_DOWN if event.down else PEDAL_UP, 0)]

    def release(self) -> list[tuple[int, int]]:
        """The tokens that let everything go."""
        tokens = [(OFF + key, 0) for key in sorted(self.held)]
        self.held.clear()
        self._doubled.clear()
        if self.pedal:
            tokens.append((PEDAL_UP, 0))
        self.pedal = False
        return tokens


@dataclass(slots=True)
class Metre:
    """Turns times into gap bins without drift; its field is where the steps so far say it is."""

    now: float | None = None
    """Seconds of the last step as its gaps tell it; None where the next gap is 0 whatever the time."""

    def gap(self, time: float) -> int:
        """The bin of the gap up to a time; times come in rising order."""
        if self.now is None:
            self.now = time
            return 0
        gap = bin_of(time - self.now)
        self.now = self.now + GAPS[gap] if gap < FINE_BINS else time
        return gap


TOKEN_TYPE = np.dtype([("time", "f8"), ("token", "u1"), ("velocity", "u1")])
"""A piece's events cleaned but not yet quantised: seconds, token 0..177, velocity 0..127."""


def tokens_of(events: Iterable[Event]) -> NDArray[np.void]:
    """A piece's events, in playing order, as an array of TOKEN_TYPE; everything is released at the end."""
    keyboard = Keyboard()
    rows: list[tuple[float, int, int]] = []
    time = 0.0
    for event in events:
        time = max(time, event.time)
        rows += [(time, token, velocity) for token, velocity in keyboard.take(event)]
    rows += [(time, token, velocity) for token, velocity in keyboard.release()]
    return np.array(rows, TOKEN_TYPE)


def steps_of(events: Iterable[Event], turn: int = PLAYER) -> list[Step]:
    """The steps of one turn: its turn token, then its events, in playing order."""
    metre = Metre()
    rows = tokens_of(events).tolist()
    steps = [Step(metre.gap(time), token, velocity // 4) for time, token, velocity in rows]
    return [Step(0, turn), *steps]


def events_of_steps(steps: Iterable[Step]) -> list[Event]:
    """The events of a turn's steps, from time 0; turn tokens make none."""
    time = 0.0
    events: list[Event] = []
    for step in steps:
        time += float(GAPS[step.gap])
        if step.token < PLAYED:
            events.append(event_of(step.token, time, step.velocity))
    return events
