"""A voice without weights: decaying sine partials, for tests and for machines too slow for the piano.

Each partial is one complex number z, turned sample by sample: a block of it is Im(z E), where the row
E[n] = exp((i w - 1 / tau) n) is computed once. Pitch, decay and damping are all in E, so a block costs one
product of a small vector and matrix for each key that sounds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.roll import PITCHES


class Timeline(Protocol):
    """What a voice reads while it renders (as the ports have it)."""

    def take(self, until: float) -> list[Event]:
        """Events due before `until` seconds and not handed out yet, in playing order."""


@dataclass(frozen=True, slots=True)
class SineConfig:
    """The sound of the sine voice."""

    sample_rate: int = 48_000
    """Samples a second."""
    block_length: int = 512
    """Samples in a block."""
    partials: int = 6
    """Harmonics a key has at most; those above 0.45 of the sample rate are left out."""
    brightness: float = 0.45
    """Each harmonic's amplitude over the one below it."""
    loudness: float = 0.22
    """Amplitude of the fundamental at velocity 127."""
    decay: float = 1.6
    """Seconds in which a held middle C falls to 1 / e."""
    damping: float = 0.05
    """Seconds in which a damped key falls to 1 / e."""
    silence: float = 1e-5
    """Amplitude under which a key is silent."""


class SineVoice:
    """Additive and cheap; velocity, pedal and release are heard."""

    channels = 1

    def __init__(self, config: SineConfig = SineConfig()) -> None:
        self.config = config
        self.sample_rate = config.sample_rate
        self.block_length = config.block_length
        harmonic = np.arange(1, config.partials + 1)
        pitch = np.arange(PITCHES)[:, None]
        frequency_hz = 440 * 2 ** ((pitch - 69) / 12) * harmonic
        amplitude = config.loudness * config.brightness ** (harmonic - 1) * np.ones((PITCHES, 1))
        self._amplitude = np.where(frequency_hz < 0.45 * config.sample_rate, amplitude, 0)
        tau = config.decay * 2 ** ((60 - pitch) / 18) / (1 + 0.3 * (harmonic - 1))
        turn = 2j * np.pi * frequency_hz / config.sample_rate
        samples = np.arange(config.block_length + 1)
        self._ringing_turns = _turns(turn - 1 / (tau * config.sample_rate), samples)
        self._damped_turns = _turns(turn - 1 / (config.damping * config.sample_rate), samples)

    def render(self, timeline: Timeline) -> Iterator[NDArray[np.float32]]:
        """Yield blocks (block_length, 1) in [-1, 1] for ever, from silence, each with its events taken."""
        ringing = np.zeros(self._amplitude.shape, np.complex64)
        damped = np.zeros_like(ringing)
        held = np.zeros(PITCHES, bool)
        pedal = False
        block_index = 0
        while True:
            start = block_index * self.block_length
            block = np.zeros((self.block_length, 1), np.float32)
            done = 0
            for event in timeline.take((start + self.block_length) / self.sample_rate):
                due = round(event.time * self.sample_rate) - start
                due = min(max(done, due), self.block_length)
                self._sound(block[done:due, 0], ringing, damped)
                done = due
                match event:
                    case NoteOn(_, pitch, velocity):
                        held[pitch] = True
                        damped[pitch] += ringing[pitch]
                        ringing[pitch] = self._amplitude[pitch] * (velocity / 127) ** 1.7
                    case NoteOff(_, pitch):
                        held[pitch] = False
                        if not pedal:
                            _damp([pitch], ringing, damped)
                    case Pedal():
                        pedal = event.down
                        if not pedal:
                            _damp(np.flatnonzero(~held), ringing, damped)
            self._sound(block[done:, 0], ringing, damped)
            yield np.tanh(block, out=block)
            block_index += 1

    def _sound(self, out: NDArray[np.float32], ringing: NDArray, damped: NDArray) -> None:
        """Add what sounds to `out` (length,) and turn the partials by its length, in place."""
        length = len(out)
        for partials, turns in ((ringing, self._ringing_turns), (damped, self._damped_turns)):
            if not partials[:, 0].any():
                continue
            audible = np.abs(partials[:, 0]) > self.config.silence
            partials[~audible] = 0
            if length:
                for key in np.flatnonzero(audible):
                    out += (partials[key] @ turns[key, :, :length]).imag
                np.multiply(partials, turns[:, :, length], out=partials)


def _turns(exponent: NDArray, samples: NDArray) -> NDArray[np.complex64]:
    """exponent: (keys, partials) a sample -> (keys, partials, len(samples)) of its exponential."""
    return np.exp(exponent[..., None] * samples).astype(np.complex64)


def _damp(keys: Sequence[int] | NDArray, ringing: NDArray, damped: NDArray) -> None:
    """Let the dampers fall on these keys."""
    damped[keys] += ringing[keys]
    ringing[keys] = 0
