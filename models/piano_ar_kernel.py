"""The compiled sample loop: what `models/piano_ar_engine.py` runs, from the notes' features to samples.

A layer's past is a ring of as many columns as its dilation. Kept in numba's cache under a stamp of all the files
it is made of, as `models/piano_kernel.py` is.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from models import piano_kernel
from models.columns import gate, multiply, weigh
from models.piano_ar_config import TAIL
from models.piano_kernel import limit
from models.source import advance
from models.stamp import stamp
from models.vector_code import LANES, clear, read_float, read_whole, rectify, write_float
from models.voice_reader import read_notes


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


class Places(NamedTuple):
    """Where in memory things lie, and how many: the sample loop hands on numbers, for arrays cost a count each time."""

    residual: int
    skip: int
    levels: int
    groups: int
    columns: int
    inputs: int
    layers: int
    dilations: int
    entry: int
    entry_bias: int
    dilated: int
    onward: int
    onward_bias: int
    head: int
    head_bias: int
    output: int
    output_bias: int
    heard: int
    rings: int
    entered: int
    running: int
    gated: int
    headed: int
    logits: int
    values: int
    odds: int
    lanes: int


@njit(nogil=True)
def _places(w, s):
    return Places(
        s.gated.shape[0], s.headed.shape[0], s.logits.shape[0], s.heard.shape[0], s.heard.shape[1], s.entered.shape[0],
        w.dilations.shape[0], w.dilations.ctypes.data, w.entry.ctypes.data, w.entry_bias.ctypes.data,
        w.dilated.ctypes.data, w.onward.ctypes.data, w.onward_bias.ctypes.data, w.head.ctypes.data,
        w.head_bias.ctypes.data, w.output.ctypes.data, w.output_bias.ctypes.data, s.heard.ctypes.data,
        s.rings.ctypes.data, s.entered.ctypes.data, s.running.ctypes.data, s.gated.ctypes.data, s.headed.ctypes.data,
        s.logits.ctypes.data, w.placed.ctypes.data, s.odds.ctypes.data, s.lanes.ctypes.data,
    )  # fmt: skip


@njit(nogil=True, fastmath=True)
def _say(p, past, sample, column, told):
    """One sample of the stack: its past, the source's `column` and what the layers are told to the logits."""
    residual, skip, x = p.residual, p.skip, p.running
    write_float(p.entered, past)
    if p.groups > 0:
        total = np.float32(0)
        for group in range(p.groups):
            heard = read_float(p.heard + 4 * (group * p.columns + column))
            write_float(p.entered + 4 * (1 + group), heard)
            total += heard
        write_float(p.entered + 4 * (1 + p.groups), _bend(total, np.float32(256)))
    multiply(p.entry, p.entered, p.entry_bias, x, residual, p.inputs, False)
    clear(x + 4 * residual, skip)
    dilated, onward, bias, ring = p.dilated, p.onward, p.onward_bias, p.rings
    for layer in range(p.layers):
        dilation = read_whole(p.dilations + 8 * layer)
        gate(dilated, ring + 4 * residual * (sample & (dilation - 1)), x, told, p.gated, residual)
        multiply(onward, p.gated, bias, x, residual + skip, residual, True)
        ring += 4 * residual * dilation
        told += 8 * residual
        dilated += 16 * residual * residual
        onward += 4 * (residual + skip) * residual
        bias += 4 * (residual + skip)
    rectify(x + 4 * residual, p.headed, skip)
    multiply(p.head, p.headed, p.head_bias, x, skip, skip, False)
    rectify(x, p.headed, skip)
    multiply(p.output, p.headed, p.output_bias, p.logits, p.levels, skip, False)


@njit(nogil=True, fastmath=True)
def _choose(p, colder, drawn):
    """The first level whose summed probability passes `drawn`; leaves the mean of all. colder: 1 / temperature.

    Logits lie as `columns.level_order` has it: lane after lane, so that a lane's sum is that of levels in a row.
    """
    vectors = p.levels // LANES
    passed = drawn * weigh(p.logits, p.values, p.odds, p.lanes, vectors, colder, np.float32(TAIL))
    summed, last = np.float32(0), 0
    for lane in range(LANES):
        here = read_float(p.lanes + 4 * lane)
        if summed + here <= passed:
            summed += here
            continue
        for vector in range(vectors):
            odds = read_float(p.odds + 4 * (vector * LANES + lane))
            if odds > 0:
                last = lane * vectors + vector
            summed += odds
            if summed > passed:
                return last
        return last
    return last


def _build(sources):
    """The kernels, made of `sources`."""

    @njit(cache=True, nogil=True, fastmath=True)
    def sing(
        w, s, start, channel, amplitude, powers, turn, gain, layer, tint, fade, onset, release, pedal, out, taught,
        logits,
    ):  # fmt: skip
        """A block, free-running; or, if `taught` holds a companded past, the logits it leads to.

        onset, release: (frames, KEYS); pedal: (frames,) -> out: (samples, 1).  taught: (samples,) or (0,);
        logits: (samples, levels) or (0, 0).
        """
        made_of = sources  # noqa: F841 (part of the key under which numba keeps this)
        frames, length = onset.shape[0], out.shape[0]
        steps = length // frames
        levels = len(s.logits)
        p = _places(w, s)
        told_row = s.told.strides[0]
        hears_source = s.heard.shape[0] > 0
        if hears_source:
            advance(
                onset, release, pedal, s.heard, s.ringing, s.damped, s.velocity, start, channel, amplitude, powers,
                turn, gain, layer, tint, fade, 1,
            )  # fmt: skip
        for frame in range(frames):
            read_notes(w, s, frame, steps, onset[frame], release[frame], pedal[frame])
            for column in range(frame * steps, (frame + 1) * steps):
                if len(taught):
                    s.past[0] = taught[column]
                _say(p, s.past[0], s.clock[1], column, s.told.ctypes.data + frame * told_row)
                if len(taught):
                    for place in range(levels):
                        level = place % LANES * (levels // LANES) + place // LANES
                        logits[column, level] = s.logits[place]
                level = _choose(p, w.colder[0], uniform(s.clock[0], s.clock[1]))
                drawn = w.values[level]
                said = drawn + w.reserve[0] * (s.lanes[LANES] - drawn)
                s.past[0] = w.reserve[1] * _bend(said, np.float32(levels))
                value = said * w.reserve[2]
                if w.colder[1] > 0:
                    for group in range(s.heard.shape[0]):
                        value += s.heard[group, column]
                out[column, 0] = limit(value)
                s.clock[1] += 1

    return sing


sing = _build(stamp(piano_kernel, *piano_kernel.MADE_OF))
