"""Notes on a grid: the piano roll that conditions a voice, frame by frame and without look-ahead.

A frame is `hop_length` samples; the frame rate is derived from it, never rounded. A note shorter than a
frame is never lost: its onset is latched into the frame it falls in, and its release into the same frame.
The sustain pedal holds a released note until it comes up (MIDI 1.0, CC 64).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn, Pedal

PITCHES = 128


@dataclass(frozen=True, slots=True)
class Grid:
    """How seconds map to frames."""

    sample_rate: int
    """Samples a second."""
    hop_length: int
    """Samples in a frame."""

    def __post_init__(self) -> None:
        if self.sample_rate < 1 or self.hop_length < 1:
            raise ValueError(f"sample rate and hop length must be positive, got {self}")

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.hop_length

    def frame_of(self, seconds: float) -> int:
        """The frame a moment falls in; a moment that is a frame's start to within a microsecond is in it."""
        return int(np.floor(seconds * self.frame_rate + 1e-6 * self.frame_rate))

    def seconds_of(self, frame: int) -> float:
        """When a frame begins."""
        return frame * self.hop_length / self.sample_rate


@dataclass(slots=True)
class Roll:
    """One frame after another of what the keys and the pedal do; its fields are the state between frames."""

    held: NDArray[np.float32] = field(default_factory=lambda: np.zeros(PITCHES, np.float32))
    """Velocity in 0..1 of each key that is down, else 0."""
    ringing: NDArray[np.float32] = field(default_factory=lambda: np.zeros(PITCHES, np.float32))
    """Velocity in 0..1 of each note that sounds: held by its key or by the pedal, else 0."""
    pedal: float = 0.0
    """Pedal position in 0..1."""

    def step(self, events: Sequence[Event]) -> "Frame":
        """Take the events of one frame, in order; return what a voice is told about that frame."""
        onset = np.zeros(PITCHES, np.float32)
        release = np.zeros(PITCHES, np.float32)
        for event in events:
            match event:
                case NoteOn(_, pitch, velocity):
                    self.held[pitch] = self.ringing[pitch] = onset[pitch] = velocity / 127
                    release[pitch] = 0
                case NoteOff(_, pitch):
                    self.held[pitch] = 0
                    if self.pedal < 64 / 127 and self.ringing[pitch]:
                        self.ringing[pitch], release[pitch] = 0, 1
                case Pedal(_, value):
                    self.pedal = value / 127
                    if not event.down:
                        ended = (self.ringing > 0) & (self.held == 0)
                        release[ended] = 1
                        self.ringing[ended] = 0
        return Frame(onset, self.held.copy(), self.ringing.copy(), release, self.pedal)


@dataclass(frozen=True, slots=True)
class Frame:
    """One column of the roll; arrays are (128,) float32, indexed by pitch."""

    onset: NDArray[np.float32]
    """Velocity in 0..1 of the notes that begin in this frame."""
    held: NDArray[np.float32]
    """Velocity in 0..1 of the keys that are down at its end."""
    ringing: NDArray[np.float32]
    """Velocity in 0..1 of the notes that sound at its end, held by key or pedal."""
    release: NDArray[np.float32]
    """1 where a note's damper falls in this frame."""
    pedal: float
    """Pedal position in 0..1 at its end."""


def frames_of(events: Sequence[Event], grid: Grid, length: int) -> list[Frame]:
    """The roll of a whole piece: `length` frames from time 0. Events are in playing order."""
    roll = Roll()
    buckets: list[list[Event]] = [[] for _ in range(length)]
    for event in events:
        index = grid.frame_of(event.time)
        if index < length:
            buckets[max(0, index)].append(event)
    return [roll.step(bucket) for bucket in buckets]
