"""The compiled sample loop: what `models/piano_ar_engine.py` runs, from the notes' features to samples.

A layer's past is a ring of as many columns as its dilation. Kept in numba's cache under a stamp of all the files
it is made of, as `models/piano_kernel.py` is.
"""

import numpy as np
from numba import njit

from models import columns, piano_kernel, source, voice_features
from models.columns import add_columns, exponential
from models.piano_ar_config import TAIL
from models.piano_kernel import limit, read_notes, tanh
from models.source import advance
from models.stamp import stamp


@njit(nogil=True)
def uniform(seed, sample):
    """A number in [0, 1) for a sample: a hash of both (the finaliser of MurmurHash3)."""
    h = np.uint32(sample) ^ np.uint32((seed + 1) * 0x9E3779B1)  # the hash of 0 is 0
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    h = h ^ (h >> np.uint32(16))
    return np.float32(h >> np.uint32(8)) * np.float32(2**-24)


@njit(nogil=True, fastmath=True)
def _bend(sound, levels):
    """The mu-law of `piano_ar_config.compand`."""
    bent = np.log1p((levels - 1) * min(abs(sound), np.float32(1))) / np.log(levels)
    return np.float32(bent if sound > 0 else -bent)


@njit(nogil=True, fastmath=True)
def _say(w, s, column, told):
    """One sample of the stack: `s.past`, the source's `column` and what the layers are told to `s.logits`."""
    residual, skip = s.gated.shape[0], s.skips.shape[1]
    now = s.pair[residual:]
    s.entered[0] = s.past[0]
    groups = s.heard.shape[0]
    if groups > 0:
        total = np.float32(0)
        for group in range(groups):
            s.entered[1 + group] = s.heard[group, column]
            total += s.heard[group, column]
        s.entered[1 + groups] = _bend(total, np.float32(256))
    for row in range(residual):
        now[row] = w.entry_bias[row]
    add_columns(w.entry, s.entered, now)
    for row in range(skip):
        s.skips[0, row] = 0
    first = 0
    for layer in range(len(w.dilations)):
        dilation = w.dilations[layer]
        slot = first + (s.clock[1] & (dilation - 1))
        first += dilation
        for row in range(residual):
            s.pair[row] = s.rings[slot, row]
            s.rings[slot, row] = now[row]
        for row in range(2 * residual):
            s.gates[row] = told[layer * 2 * residual + row]
        add_columns(w.dilated[layer], s.pair, s.gates)
        for row in range(residual):
            opened = np.float32(0.5) + np.float32(0.5) * tanh(np.float32(0.5) * s.gates[residual + row])
            s.gated[row] = tanh(s.gates[row]) * opened
        for row in range(residual + skip):
            s.onward[row] = w.onward_bias[layer, row]
        add_columns(w.onward[layer], s.gated, s.onward)
        for row in range(residual):
            now[row] += s.onward[row]
        for row in range(skip):
            s.skips[0, row] += s.onward[residual + row]
    for row in range(skip):
        s.skips[0, row] = max(s.skips[0, row], np.float32(0))
        s.skips[1, row] = w.head_bias[row]
    add_columns(w.head, s.skips[0], s.skips[1])
    for row in range(skip):
        s.skips[1, row] = max(s.skips[1, row], np.float32(0))
    for level in range(len(s.logits)):
        s.logits[level] = w.output_bias[level]
    add_columns(w.output, s.skips[1], s.logits)


@njit(nogil=True, fastmath=True)
def _choose(s, colder, drawn):
    """The first level whose summed probability passes `drawn`. colder: one over the temperature."""
    levels = len(s.logits)
    top = s.logits[0]
    for level in range(levels):
        top = max(top, s.logits[level])
    total = np.float32(0)
    for level in range(levels):
        odds = exponential(max((s.logits[level] - top) * colder, np.float32(-80)))
        s.odds[level] = np.float32(0) if odds < np.float32(TAIL) else odds
        total += s.odds[level]
    passed, summed = drawn * total, np.float32(0)
    for level in range(levels):
        summed += s.odds[level]
        if summed > passed:
            return level
    return levels - 1


def _build(sources):
    """The kernels, made of `sources`."""

    @njit(cache=True, nogil=True, fastmath=True)
    def sing(
        w, s, start, channel, amplitude, powers, turn, gain, fade, onset, release, pedal, out, taught, logits
    ):
        """A block, free-running; or, if `taught` holds a companded past, the logits it leads to.

        onset, release: (frames, KEYS); pedal: (frames,) -> out: (samples, 1).  taught: (samples,) or (0,);
        logits: (samples, levels) or (0, 0).
        """
        made_of = sources  # noqa: F841 (part of the key under which numba keeps this)
        frames, length = onset.shape[0], out.shape[0]
        steps = length // frames
        levels = len(s.logits)
        hears_source = s.heard.shape[0] > 0
        if hears_source:
            advance(
                onset, release, pedal, s.heard, s.ringing, s.damped, s.velocity, start, channel, amplitude, powers,
                turn, gain, fade, 1,
            )  # fmt: skip
        for frame in range(frames):
            read_notes(w, s, frame, steps, onset[frame], release[frame], pedal[frame])
            for column in range(frame * steps, (frame + 1) * steps):
                if len(taught):
                    s.past[0] = taught[column]
                _say(w, s, column, s.told[frame])
                if len(taught):
                    for level in range(levels):
                        logits[column, level] = s.logits[level]
                level = _choose(s, w.colder[0], uniform(s.clock[0], s.clock[1]))
                s.past[0] = np.float32(level) * np.float32(2 / (levels - 1)) - np.float32(1)
                value = w.values[level]
                if w.colder[1] > 0:
                    for group in range(s.heard.shape[0]):
                        value += s.heard[group, column]
                out[column, 0] = limit(value)
                s.clock[1] += 1

    return sing


sing = _build(stamp(source, columns, voice_features, piano_kernel))
