"""The harmonic source: the piano roll as bare partials, computed in the network's sub-bands.

Every partial is a complex number that is turned once a sub-band step, so it costs 1 / M of what it would at
the sample rate, and it appears only in the one or two bands it falls in. A note starts at the frame it begins
in; a damper moves a key's partials from the ringing bank into the damped one, where they die fast; a key that is
struck again while the pedal is down adds to what rings, as in FluidSynth. All state is in `SourceState`, which
is handed over from call to call; any partition into calls sounds the same, but for when a partial is found silent.

Rows of the result, M bands of each channel: slow partials of ringing keys, fast ones (the stroke), damped
keys. With one band, as `piano-ar` has it, that is the sound itself, sample by sample.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.partial_loop import SHAPES, STRETCH, turn_band
from models.partials import KEYS, Partials
from models.pqmf import FilterBank, WholeBand

GROUPS = 3
CHANNELS = 2
"""Left and right; a source made of one channel's partials has one."""
FAST = 8.0
"""Partials that decay faster than this (a second) belong to the stroke."""
AUDIBLE = 1e-3
"""The smallest share of a partial that a band keeps."""
PEDAL_DOWN = 64 / 127
SILENCE = 5e-6
"""Amplitude under which a partial is left out."""


@dataclass(frozen=True, slots=True)
class SourceTables:
    """Partials split into bands: an entry for each band that a partial is heard in, key after key."""

    start: NDArray[np.int64]
    """(KEYS + 1,): key k has entries start[k] .. start[k + 1]."""
    channel: NDArray[np.int64]
    """(E,): the row an entry sounds in on the left while ringing; right is `bands` further."""
    amplitude: NDArray[np.float32]
    """(2, channels, E): real and imaginary part at the onset, velocity 127."""
    powers: NDArray[np.float32]
    """(2, E, steps): an entry's turn to each step of a frame."""
    turn: NDArray[np.float32]
    """(2, E): an entry's turn from frame to frame."""
    gain: NDArray[np.float32]
    """(128,): by velocity."""
    layer: NDArray[np.int64]
    """(128,): the tint of each velocity."""
    tint: NDArray[np.float32]
    """(2, layers, E): what a velocity's layer multiplies amplitudes by."""
    fade: NDArray[np.float32]
    """(128,): by velocity, what a damped key's amplitude is multiplied by each step."""
    bands: int
    """Bands in a group of channels."""
    steps: int
    """Sub-band steps in a frame."""

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.amplitude.shape[1]

    @property
    def rows(self) -> int:
        """Rows of the source: bands of channels of groups."""
        return GROUPS * self.channels * self.bands


@dataclass(frozen=True, slots=True)
class SourceState:
    """What sounds between two frames."""

    ringing: NDArray[np.float32]
    """(2, channels, E): entries of keys held by hand or pedal."""
    damped: NDArray[np.float32]
    """(2, channels, E): entries of keys whose damper has fallen."""
    velocity: NDArray[np.int64]
    """(2, KEYS): 1..127 of each ringing and each damped key, 0 where there is none."""

    @classmethod
    def silent(cls, tables: SourceTables) -> "SourceState":
        """Nothing sounds."""
        bank = np.zeros(tables.amplitude.shape, np.float32)
        return cls(bank, bank.copy(), np.zeros((2, KEYS), np.int64))


def build_tables(
    partials: Partials, bank: FilterBank | WholeBand, sample_rate: int, hop_length: int, delay: int
) -> SourceTables:
    """Split partials into the bank's bands. delay: samples that the joined sound lags its frames by."""
    steps = hop_length // bank.bands
    if (steps, len(partials.amplitude)) not in SHAPES:
        raise ValueError(
            f"there is no loop for {steps} steps of {len(partials.amplitude)} channels in a frame"
        )
    exponent = partials.exponent / sample_rate
    share = bank.response(exponent, delay)
    partial, band = np.nonzero(np.abs(share) > AUDIBLE)
    group = (-partials.exponent.real > FAST).astype(np.int64)[partial]
    key = np.searchsorted(partials.start, partial, side="right") - 1
    order = np.lexsort((group, band, key))  # all that sounds in a row lies together
    partial, band, group, key = partial[order], band[order], group[order], key[order]
    step = exponent[partial] * bank.bands
    amplitude = partials.amplitude[:, partial] * share[partial, band]
    powers = np.exp(step[:, None] * np.arange(steps))
    turn = np.exp(step * steps)
    return SourceTables(
        np.searchsorted(key, np.arange(KEYS + 1)),
        group * len(partials.amplitude) * bank.bands + band,
        _split(amplitude),
        _split(powers),
        _split(turn),
        partials.gain.astype(np.float32),
        partials.layer,
        _split(partials.tint()[:, partial]),
        np.exp(-partials.damping * bank.bands / sample_rate).astype(np.float32),
        bank.bands,
        steps,
    )


def _split(values: NDArray[np.complex128]) -> NDArray[np.float32]:
    return np.ascontiguousarray(
        np.stack([values.real, values.imag]), np.float32
    )  # the loop counts on this order


def sound_source(
    tables: SourceTables,
    state: SourceState,
    onset: NDArray[np.float32],
    release: NDArray[np.float32],
    pedal: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Sound some frames; `state` moves on in place.

    onset, release: (frames, KEYS), velocity in 0..1 and 0 or 1; pedal: (frames,), 0..1
    -> out: (tables.rows, frames * steps).
    """
    advance(
        onset, release, pedal, out, state.ringing, state.damped, state.velocity, tables.start, tables.channel,
        tables.amplitude, tables.powers, tables.turn, tables.gain, tables.layer, tables.tint, tables.fade,
        tables.bands,
    )  # fmt: skip


@njit(cache=True, nogil=True, fastmath=True)
def advance(
    onset, release, pedal, out, ringing, damped, velocity, start, channel, amplitude, powers, turn, gain, layer, tint,
    fade, bands,
):  # fmt: skip
    """The kernel of `sound_source`: key after key, each until something happens to it, STRETCH frames at most."""
    steps, channels, frames = powers.shape[2], amplitude.shape[1], onset.shape[0]
    swell = np.zeros((channels * bands, STRETCH * steps), np.float32)
    out[:] = 0
    for key in range(KEYS):
        first, last = start[key], start[key + 1]
        frame = 0
        while frame < frames:
            pressed = onset[frame, key] > 0
            damped_first = pressed and pedal[frame] < PEDAL_DOWN
            if (damped_first or release[frame, key] > 0) and velocity[0, key] > 0:
                damp(ringing, damped, velocity, key, first, last)
            if pressed:
                velocity[0, key] = int(onset[frame, key] * 127 + 0.5)
                level, of = gain[velocity[0, key]], layer[velocity[0, key]]
                for side in range(channels):
                    for e in range(first, last):
                        real, imaginary = level * tint[0, of, e], level * tint[1, of, e]
                        a, b = amplitude[0, side, e], amplitude[1, side, e]
                        ringing[0, side, e] += a * real - b * imaginary
                        ringing[1, side, e] += a * imaginary + b * real
                if release[frame, key] > 0:
                    damp(ringing, damped, velocity, key, first, last)
            end = frame + 1
            while end < frames and end % STRETCH and onset[end, key] == 0 and release[end, key] == 0:
                end += 1
            if velocity[0, key] > 0:
                view = out[:, frame * steps : end * steps]
                if not turn_key(
                    ringing, view, first, last, channel, powers, turn, np.float32(1), bands, False
                ):
                    velocity[0, key] = 0
            if velocity[1, key] > 0:
                swell[:] = 0
                fade_step = fade[velocity[1, key]]
                faded = swell[:, : (end - frame) * steps]
                if not turn_key(
                    damped, faded, first, last, channel, powers, turn, fade_step**steps, bands, True
                ):
                    velocity[1, key] = 0
                base = (GROUPS - 1) * channels * bands
                for row in range(channels * bands):
                    for column in range(frame * steps, end * steps, steps):
                        level = np.float32(1)
                        for step in range(steps):
                            out[base + row, column + step] += (
                                swell[row, column - frame * steps + step] * level
                            )
                            level *= fade_step
            frame = end


@njit(cache=True, nogil=True, fastmath=True)
def turn_key(bank, out, first, last, channel, powers, turn, fade, bands, together):
    """Add one key's frames to `out` and turn its entries; False once it is silent (and then zeroed).

    together: all groups in the first group's rows.
    """
    channels, entries, steps = bank.shape[1], bank.shape[2], powers.shape[2]
    loudest = np.float32(0)
    e = first
    while e < last:
        row, until = channel[e], e + 1
        while until < last and channel[until] == row:
            until += 1
        there = out.ctypes.data + (row % bands if together else row) * out.strides[0]
        power = turn_band(
            bank.ctypes.data + 4 * e, powers.ctypes.data + 4 * steps * e, turn.ctypes.data + 4 * e, there,
            bands * out.strides[0], entries, until - e, fade, np.float32(SILENCE * SILENCE), steps, channels,
            out.shape[1] // steps,
        )  # fmt: skip
        loudest = max(loudest, power)
        e = until
    if loudest > 0:
        return True
    for side in range(channels):
        for e in range(first, last):
            bank[0, side, e] = bank[1, side, e] = 0
    return False


@njit(cache=True, nogil=True, fastmath=True)
def damp(ringing, damped, velocity, key, first, last):
    """The damper falls on a key: its ringing partials join its damped ones."""
    velocity[1, key] = velocity[0, key]
    velocity[0, key] = 0
    for e in range(first, last):
        for side in range(ringing.shape[1]):
            damped[0, side, e] += ringing[0, side, e]
            damped[1, side, e] += ringing[1, side, e]
            ringing[0, side, e] = ringing[1, side, e] = 0
