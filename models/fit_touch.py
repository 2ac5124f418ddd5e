"""What velocity does to an instrument: how loud it is, how fast its damper takes, and how bright it is.

A SoundFont's layers of velocity are the same recording behind different low-pass filters, so a layer's colour is a
transfer function against the loudest: cross-spectra of the same keys struck both ways, summed over a sixth of an
octave. Layers are found by middle C, every velocity of it.
"""

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn
from models.fit_partials import Render
from models.partials import COLOUR_HZ

Sounds = list[NDArray[np.float64]]
MIDDLE = 60
ALIKE_DB = 0.5
"""Velocities whose colours differ by less are of one layer."""
COLOUR_KEYS = range(28, 101, 6)
AT_ONCE = 32
"""Strokes that are rendered together."""


def measure_touch(render: Render, rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Sounds]:
    """The gain and the damping of each velocity, and middle C held for 2 s at velocities 1 to 127: (2, T) each.

    From middle C held, and let go after half a second. The damping is the slope of what letting go takes from the
    sound, to -50 dB.
    """
    press, hop = 0.5, 0.01
    held = strokes(render, [(MIDDLE, velocity, 2.0) for velocity in range(1, 128)], 2.0, rate)
    freed = strokes(render, [(MIDDLE, velocity, press) for velocity in range(1, 128)], 2.0, rate)
    gain, damping = [0.0], [0.0]
    for long, short in zip(held, freed, strict=True):
        gain.append(np.sqrt(np.mean(long[:, : int(press * rate)] ** 2)))
        starts = ((press + np.arange(0.02, 1.4, hop)) * rate).astype(int)
        taken = np.array([_level(short, start) - _level(long, start) for start in starts])
        quiet = np.flatnonzero(taken < -50)
        last = max(3, quiet[0] if len(quiet) else len(taken))
        slope = np.polyfit(np.arange(last) * hop, taken[:last], 1)[0]
        damping.append(max(-slope * np.log(10) / 20, 0.5))
    return np.array(gain) / gain[127], np.array(damping), held


def _level(sound: NDArray[np.float64], start: int, length: int = 640) -> float:
    return float(10 * np.log10(np.mean(sound[:, start : start + length] ** 2) + 1e-16))


def measure_colour(
    render: Render, held: Sounds, gain: NDArray[np.float64], rate: int
) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """Each velocity's layer, (128,), and each layer's colour against the loudest velocity, (layers, COLOUR_HZ).

    held: middle C at velocities 1 to 127. gain: (128,), is left out of the colours.
    """
    spectra = [_spectrum(sound, rate) for sound in held]
    whole = [
        _transfer([spectrum], spectra[-1:], rate) / gain[number + 1]
        for number, spectrum in enumerate(spectra)
    ]
    firsts = [1]
    for velocity in range(2, 128):
        ratio = np.abs(whole[velocity - 1] / whole[firsts[-1] - 1])
        if np.abs(20 * np.log10(ratio)).max() > ALIKE_DB:
            firsts.append(velocity)
    layer = np.searchsorted(firsts, np.arange(128), side="right") - 1
    lasts = [*(first - 1 for first in firsts[1:]), 127]
    hits = [(key, velocity, 1.0) for velocity in lasts for key in COLOUR_KEYS]
    sounds = [_spectrum(sound, rate) for sound in strokes(render, hits, 0.9, rate)]
    size = len(COLOUR_KEYS)
    colours = [
        _transfer(sounds[number * size : (number + 1) * size], sounds[-size:], rate) / gain[velocity]
        for number, velocity in enumerate(lasts)
    ]
    return np.maximum(layer, 0), np.array(colours)


def _spectrum(sound: NDArray[np.float64], rate: int) -> NDArray[np.complex128]:
    """(2, T) -> (2, bins) of the first 0.9 s, faded out."""
    length, fade = round(0.9 * rate), round(0.1 * rate)
    window = np.ones(length)
    window[-fade:] = np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    return np.fft.rfft(sound[:, :length] * window, 1 << (length - 1).bit_length())


def _transfer(
    sounds: list[NDArray[np.complex128]], references: list[NDArray[np.complex128]], rate: int
) -> NDArray[np.complex128]:
    """What makes the sounds of the references, at each of COLOUR_HZ. Spectra: (2, bins)."""
    pairs = list(zip(sounds, references, strict=True))
    cross = sum((sound * reference.conj()).sum(axis=0) for sound, reference in pairs)
    power = sum((np.abs(reference) ** 2).sum(axis=0) for _, reference in pairs)
    size = 2 * (len(power) - 1)
    edges = np.minimum(np.append(COLOUR_HZ, COLOUR_HZ[-1] * 2 ** (1 / 6)) * 2 ** (-1 / 12), rate / 2)
    first = np.floor(edges * size / rate).astype(int)
    low, high = first[:-1], np.maximum(first[1:], first[:-1] + 1)
    summed = [np.concatenate([[0], np.cumsum(values)]) for values in (cross, power)]
    return (summed[0][high] - summed[0][low]) / (summed[1][high] - summed[1][low])


def strokes(
    render: Render, hits: list[tuple[int, int, float]], seconds: float, rate: int
) -> list[NDArray[np.float64]]:
    """Sound (pitch, velocity, seconds held) one after another: `seconds` of each, (2, seconds * rate)."""
    apart = seconds + 2.5
    sounds: list[NDArray[np.float64]] = []
    for begin in range(0, len(hits), AT_ONCE):
        some = hits[begin : begin + AT_ONCE]
        events: list[Event] = []
        for number, (pitch, velocity, held) in enumerate(some):
            events += [NoteOn(number * apart, pitch, velocity), NoteOff(number * apart + held, pitch)]
        audio = render(events, apart * len(some))
        starts = [round(number * apart * rate) for number in range(len(some))]
        sounds += [audio[:, start : start + round(seconds * rate)].astype(np.float64) for start in starts]
    return sounds
