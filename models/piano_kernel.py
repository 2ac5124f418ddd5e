"""The compiled block: what `models/piano_engine.py` runs, from the notes' features to samples.

Channels are rows and steps are columns; each layer's buffer holds its past on the left. Only `sing` is kept in
numba's cache, under a stamp of all the files it is made of: numba itself looks at no file but this one. Arrays
are copied by loops, not slices: one assignment between slices has numba compile the text of its error message,
which doubles the time of the whole.
"""

import numpy as np
from numba import njit

from models import columns, partial_loop, source, tile, vector_code, voice_features, voice_reader
from models.piano_voice_config import GAIN_RANGE, NOISE_FLOOR
from models.source import CHANNELS, GROUPS, advance
from models.stamp import stamp
from models.tile import add_product, open_gates
from models.voice_reader import read_notes


@njit(nogil=True)
def fill_noise(out, seed, first):
    """Uniform noise of unit variance: a hash of seed, step and row (the finaliser of MurmurHash3)."""
    rows, steps = out.shape
    for row in range(rows):
        for step in range(steps):
            h = np.uint32((first + step) * rows + row) ^ np.uint32(seed * 0x9E3779B1)
            h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
            h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
            h = h ^ (h >> np.uint32(16))
            out[row, step] = (
                np.float32(h >> np.uint32(8)) * np.float32(2**-24) - np.float32(0.5)
            ) * np.float32(12**0.5)


@njit(nogil=True, fastmath=True, inline="always")
def tanh(x):
    """The rational approximation that Eigen uses: a few units in the last place of float32."""
    x = min(max(x, np.float32(-7.9053111)), np.float32(7.9053111))
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@njit(nogil=True)
def limit(x):
    """Leave what is below 0.8 alone and bend the rest towards 1."""
    size = abs(x)
    if size < np.float32(0.8):
        return x
    bent = np.float32(0.8) + np.float32(0.2) * tanh((size - np.float32(0.8)) * np.float32(5))
    return bent if x > 0 else -bent


@njit(nogil=True)
def _fill(out, bias, at, length):
    for row in range(len(bias)):
        for step in range(at, at + length):
            out[row, step] = bias[row]


@njit(nogil=True)
def _relu(values):
    for row in range(values.shape[0]):
        for step in range(values.shape[1]):
            values[row, step] = max(values[row, step], np.float32(0))


@njit(nogil=True)
def _shift(buffer, past, length, kept):
    """Move the last `kept` of past + length columns to where the next block has its past."""
    for row in range(buffer.shape[0]):
        for column in range(past - kept, past):
            buffer[row, column] = buffer[row, column + length]


@njit(nogil=True, fastmath=True)
def _mix(w, s, rows, length):
    """Do what the network says, into the newest columns of the sub-bands."""
    at = s.subbands.shape[1] - length
    for row in range(rows):
        for step in range(length):
            level = min(max(s.said[(1 + GROUPS) * rows + row, step], np.float32(-6)), np.float32(6))
            total = s.said[row, step] * w.output_scale[row]
            total += s.heard[GROUPS * rows + row, step] * np.exp(level + np.float32(NOISE_FLOOR))
            for group in range(GROUPS):
                asked = s.said[(1 + group) * rows + row, step]
                turned = np.float32(GAIN_RANGE) * tanh(asked / np.float32(GAIN_RANGE))
                total += s.heard[group * rows + row, step] * np.exp(turned)
            s.subbands[row, at + step] = total


@njit(nogil=True)
def _join(w, s, bands, length, out):
    """The filter bank: each phase of the output is a small convolution of the bands."""
    taps = w.join.shape[0]
    past = s.subbands.shape[1] - length
    for side in range(CHANNELS):
        each = s.subbands[side * bands : (side + 1) * bands]
        s.phases[:] = 0
        for tap in range(taps):
            add_product(w.join[tap], each, past - tap, s.phases, 0, length)
        for step in range(length):
            for phase in range(bands):
                out[step * bands + phase, side] = limit(s.phases[phase, step])
    _shift(s.subbands, past, length, past)


@njit(nogil=True, fastmath=True)
def perform(w, s, onset, release, pedal, out):
    """A block, once the source lies in the first rows of s.heard: noise, network and filter bank."""
    frames, length = onset.shape[0], s.heard.shape[1]
    steps = length // frames
    rows, bands = s.subbands.shape[0], s.phases.shape[0]
    residual, skip = s.gated.shape[0], s.skips.shape[0] // 2
    fill_noise(s.heard[GROUPS * rows :], s.clock[0], s.clock[1])
    s.clock[1] += length
    for frame in range(frames):
        read_notes(w, s, frame, steps, onset[frame], release[frame], pedal[frame])

    taps = w.dilated.shape[1]
    past = s.layers.shape[2] - length
    _fill(s.layers[0], w.entry_bias, past, length)
    add_product(w.entry, s.heard, 0, s.layers[0], past, length)
    summed = s.skips[:skip]
    summed[:] = 0
    for layer in range(len(w.dilations)):
        x, then = s.layers[layer], s.layers[layer + 1]
        for row in range(2 * residual):
            for frame in range(frames):
                told = s.told[frame, layer * 2 * residual + row]
                for step in range(frame * steps, (frame + 1) * steps):
                    s.gates[row, step] = told
        for tap in range(taps):
            add_product(
                w.dilated[layer, tap], x, past - (taps - 1 - tap) * w.dilations[layer], s.gates, 0, length
            )
        open_gates(s.gates, s.gated, length)
        _fill(s.onward, w.onward_bias[layer], 0, length)
        add_product(w.onward[layer], s.gated, 0, s.onward, 0, length)
        for row in range(residual):
            for step in range(length):
                then[row, past + step] = x[row, past + step] + s.onward[row, step]
        for row in range(skip):
            for step in range(length):
                summed[row, step] += s.onward[residual + row, step]
        _shift(x, past, length, (taps - 1) * w.dilations[layer])

    _relu(summed)
    headed = s.skips[skip:]
    _fill(headed, w.head_bias, 0, length)
    add_product(w.head, summed, 0, headed, 0, length)
    _relu(headed)
    _fill(s.said, w.output_bias, 0, length)
    add_product(w.output, headed, 0, s.said, 0, length)
    _mix(w, s, rows, length)
    _join(w, s, bands, length, out)


def _build(sources):
    """The kernel, made of `sources`."""

    @njit(cache=True, nogil=True, fastmath=True)
    def sing(
        w, s, start, channel, amplitude, powers, turn, gain, layer, tint, fade, onset, release, pedal, out
    ):
        """The whole block."""
        made_of = sources  # noqa: F841 (part of the key under which numba keeps this)
        source = s.heard[: GROUPS * s.subbands.shape[0]]
        advance(
            onset, release, pedal, source, s.ringing, s.damped, s.velocity, start, channel, amplitude, powers, turn,
            gain, layer, tint, fade, s.phases.shape[0],
        )  # fmt: skip
        perform(w, s, onset, release, pedal, out)

    return sing


MADE_OF = (columns, partial_loop, source, tile, vector_code, voice_features, voice_reader)
"""The files whose code is compiled into the kernel, beside this one."""
sing = _build(stamp(*MADE_OF))
