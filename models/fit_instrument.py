"""Measure an instrument of the ensemble, cheaply: every third key, and the keys between as a sampler makes them.

A SoundFont's instrument is itself a few recordings, played faster or slower, so what is measured at one key is moved
to its neighbours. A key's partials are the peaks of its spectrum, wherever they lie: an organ sounds an octave below
its key, a vibraphone's bars are no strings. Around each peak the matrix pencil (as in `models/fit_partials.py`, over
both channels at once) finds fast poles, for the stroke or the bow's attack, and slow ones. Those of an instrument that
is held by a loop are not allowed to decay. Of many players at once there are too many poles to find: there the loudest
lines of two seconds of the held note, against their neighbours, are taken for the partials, with poles of fixed decays
for the attack. What is between the lines is left to the network and its noise.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.fit_partials import Render
from models.fit_rest import fit_rest, settle
from models.fit_touch import measure_colour, measure_touch, strokes
from models.partials import KEYS, LOWEST, Partials
from models.poles import amplitudes_of

logger = logging.getLogger(__name__)

Poles = NDArray[np.complex128]
HEARD_TO = 0.48
"""Share of the sample rate up to which partials are kept."""
SETTLED, RIDGE = 0.8, 1e-2
"""How much more late errors weigh in the last fit (`models/fit_rest.py`), and what is against poles that cancel."""


@dataclass(frozen=True, slots=True)
class InstrumentFit:
    """How closely to look."""

    sample_rate: int
    """Samples a second."""
    sustained: bool = False
    """Slow partials do not decay."""
    chorus: bool = False
    """Many players: partials are the lines of a stretch of the held note."""
    lines: int = 1_700
    """Lines of a chorus."""
    apart: int = 3
    """Keys from one that is measured to the next."""
    seconds: float = 5.5
    """How long a key is held while it is measured."""
    velocity: int = 90
    """How hard it is struck: as music mostly does."""
    coloured: bool = False
    """It is duller when it is struck softly; then `velocity` is best the brightest."""
    peaks: int = 70
    """Peaks of the spectrum that are looked at."""
    depth: float = 75.0
    """Decibels below the loudest peak at which they end."""
    fast_poles: int = 4
    """Around a peak, for the stroke."""
    slow_poles: int = 4
    """Around a peak, for what goes on."""
    threshold: float = 3e-4
    """Poles quieter than this against the key's loudest are dropped."""
    rest_top: float = 0.0
    """Hz up to which is searched what all these leave (`models/fit_rest.py`); of what decays only."""


def fit_instrument(render: Render, config: InstrumentFit) -> Partials:
    """Measure every `apart`th key of an instrument and move the measured ones to the others."""
    measured = range(config.apart // 2, KEYS, config.apart)
    hits = [(LOWEST + key, config.velocity, config.seconds) for key in measured]
    poles = {}
    for key, sound in zip(measured, strokes(render, hits, config.seconds, config.sample_rate), strict=True):
        poles[key] = fit_key(sound, LOWEST + key, config)
        logger.info("key %d: %d partials", LOWEST + key, len(poles[key][0]))
    start, exponents, amplitudes = [0], [], []
    for key in range(KEYS):
        nearest = min(poles, key=lambda other: abs(other - key))
        exponent, amplitude = moved(*poles[nearest], key - nearest, config.sample_rate)
        exponents.append(exponent)
        amplitudes.append(amplitude)
        start.append(start[-1] + len(exponent))
    gain, damping, held = measure_touch(render, config.sample_rate)
    made = Partials(
        np.array(start), np.concatenate(exponents), np.concatenate(amplitudes, axis=1), gain, damping
    )
    if config.coloured:
        layer, colour = measure_colour(render, held, gain, config.sample_rate)
        made = replace(made, layer=layer, colour=colour)
    struck = gain[config.velocity] * made.tint()[made.layer[config.velocity]]
    return replace(made, amplitude=made.amplitude / struck)


def moved(exponent: Poles, amplitude: Poles, semitones: int, rate: int) -> tuple[Poles, Poles]:
    """The same partials, a recording played faster or slower by so many semitones."""
    higher = exponent.real + 1j * exponent.imag * 2 ** (semitones / 12)
    kept = higher.imag < 2 * np.pi * HEARD_TO * rate
    return higher[kept], amplitude[:, kept]


def fit_key(audio: NDArray[np.float64], pitch: int, config: InstrumentFit) -> tuple[Poles, Poles]:
    """audio: (2, T), one key from its onset on -> its exponents a second (P,), its amplitudes (2, P)."""
    if config.chorus:
        return fit_chorus(audio, config)
    rate = config.sample_rate
    fundamental = 440 * 2 ** ((pitch - 69) / 12)
    width = min(max(fundamental / 2, 22.0), 100.0)
    centres = find_peaks(audio, 0.7 * width, config)
    size = 1 << (2 * audio.shape[1] - 1).bit_length()
    spectra = np.fft.rfft(audio, size)
    narrow = min(24.0, width) if config.sustained else min(15.0, width)
    begin, lasting = (0.8, config.seconds - 1.3) if config.sustained else (0.05 + 0.5 / narrow, 3.5)
    found = []
    for number, centre in enumerate(centres):
        fast = poles_near(
            spectra, rate / size, centre, width, config.fast_poles + config.slow_poles, 0.6 / width, 0.6
        )
        slow = poles_near(spectra, rate / size, centre, narrow, config.slow_poles, begin, lasting)
        if config.sustained:
            slow = 1j * slow[slow.real > -2].imag
            fast = fast[(fast.real < -3) & (fast.real > -250)]
        else:
            slow = slow[slow.real > -15]
            slow = np.minimum(slow.real, -0.1) + 1j * slow.imag
            fast = fast[(fast.real < -4) & (fast.real > -250)]
            if len(slow):
                fast = fast[fast.real < 1.7 * slow.real.min()]
        here = np.concatenate([fast, slow])
        nearest = np.abs(here.imag[:, None] / 2 / np.pi - centres[None, :]).argmin(axis=1)
        found.append(here[nearest == number])
    exponent = np.concatenate(found)
    amplitude = amplitudes_of(audio, exponent, rate, config.seconds - 0.2)
    for _ in range(2):
        lasting_for = np.minimum(1, np.sqrt(3 / np.maximum(-exponent.real, 1e-9)))
        loudness = np.abs(amplitude).max(axis=0) * lasting_for
        exponent = exponent[loudness > config.threshold * loudness.max()]
        amplitude = amplitudes_of(audio, exponent, rate, config.seconds - 0.2)
    if config.rest_top:
        exponent, amplitude = fit_rest(audio, exponent, amplitude, rate, config.rest_top)
    return (exponent, amplitude) if config.sustained else settle(audio, exponent, rate, SETTLED, RIDGE)


STRETCH, STRETCH_FROM, FADED = 2.0, 0.4, 0.25
"""Seconds of a chorus that are taken, from when on, and how long their end fades into what came before them."""
EVENLY = 0.92
"""How much a line's neighbours count against it: at 0 the loudest are taken, at 1 as many from every stretch."""
FAINTEST = 1e-6
"""Of a line, against the loudest."""
MADE_UP = 5.0
"""How much louder a line may become for those that are left out."""
ATTACKS = (5.0, 14.0, 40.0)
"""Decays, a second, of the poles that shape the attack of a chorus."""


HURRY = 4.0
"""How fast, a second, errors of the attack of a chorus lose weight."""


def fit_chorus(audio: NDArray[np.float64], config: InstrumentFit) -> tuple[Poles, Poles]:
    """As `fit_key`, of many players: lines a half Hz apart, and what the attack differs from them."""
    rate = config.sample_rate
    length, first, faded = (round(seconds * rate) for seconds in (STRETCH, STRETCH_FROM, FADED))
    held = audio[:, first : first + length].copy()
    fade = np.linspace(0, np.pi / 2, faded)
    held[:, -faded:] = held[:, -faded:] * np.cos(fade) + audio[:, first - faded : first] * np.sin(fade)
    lines = np.fft.rfft(held) * 2 / length
    hertz = np.arange(lines.shape[1]) / STRETCH
    level = np.where((hertz > 18) & (hertz < HEARD_TO * rate), np.abs(lines).max(axis=0), 0)
    width = np.maximum(20 * STRETCH, 0.06 * hertz * STRETCH).astype(int)
    power = np.concatenate([[0], np.cumsum(level**2)])
    low, high = np.arange(len(level)) - width, np.arange(len(level)) + width + 1
    low, high = np.maximum(low, 0), np.minimum(high, len(level))
    around = np.sqrt((power[high] - power[low]) / (high - low))
    score = np.where(level > FAINTEST * level.max(), level / (around + 1e-9) ** EVENLY, 0)
    picked = np.sort(np.argsort(score)[::-1][: config.lines])
    picked = picked[score[picked] > 0]
    # lines left out have sounded too: what remains is as loud, band by band, as all of them were
    kept = np.zeros(len(level))
    kept[picked] = level[picked] ** 2
    kept = np.concatenate([[0], np.cumsum(kept)])
    louder = np.sqrt((power[high] - power[low]) / (kept[high] - kept[low] + 1e-20))[picked]
    exponent = 2j * np.pi * hertz[picked]
    amplitude = lines[:, picked] * np.exp(-exponent * STRETCH_FROM) * np.minimum(louder, MADE_UP)
    early = round(0.8 * rate)
    time = np.arange(early) / rate
    missing = audio[:, :early].copy()
    for line, of_both in zip(exponent, amplitude.T, strict=True):
        missing -= (of_both[:, None] * np.exp(line * time)).real
    centres = find_peaks(audio, 25.0, config)
    attack = (2j * np.pi * centres[:, None] - np.array(ATTACKS)).ravel()
    return (
        np.concatenate([exponent, attack]),
        np.concatenate([amplitude, amplitudes_of(missing, attack, rate, 0.75, HURRY, 1e-4)], axis=1),
    )


def find_peaks(audio: NDArray[np.float64], apart: float, config: InstrumentFit) -> NDArray[np.float64]:
    """Frequencies in Hz of the loudest peaks, none nearer than `apart` to a louder one: while struck, or later."""
    rate, size = config.sample_rate, 1 << 17
    level = np.zeros(size // 2 + 1)
    for begin, end in ((0.0, 0.4), (0.3, 1.3), (1.3, 3.3)):
        part = audio[:, int(begin * rate) : int(end * rate)]
        window = np.hanning(part.shape[1])
        level = np.maximum(level, np.abs(np.fft.rfft(part * window, size)).max(axis=0) / window.sum())
    bin_hz = rate / size
    level[: int(18 / bin_hz)] = 0
    level[int(HEARD_TO * size) :] = 0
    floor, reach = level.max() * 10 ** (-config.depth / 20), max(1, round(apart / bin_hz))
    centres: list[float] = []
    while len(centres) < config.peaks:
        peak = int(level.argmax())
        if level[peak] <= floor:
            break
        centres.append(peak * bin_hz)
        level[max(0, peak - reach) : peak + reach + 1] = 0
    return np.array(centres)


def poles_near(
    spectra: Poles, bin_hz: float, centre: float, width: float, count: int, begin: float, seconds: float
) -> Poles:
    """Up to `count` exponents a second within 0.65 width of `centre`, common to all channels. spectra: (2, bins).

    centre, width: Hz.  begin: seconds to leave out; seconds: how much to look at.
    """
    size = 1 << int(np.ceil(np.log2(3 * width / bin_hz)))
    middle = round(centre / bin_hz)
    offset = np.arange(-size // 2, size // 2)
    taper = np.sin(np.clip((1.25 * width - np.abs(offset * bin_hz)) / (0.5 * width), 0, 1) * np.pi / 2)
    inside = (middle + offset > 0) & (middle + offset < spectra.shape[1])
    picked = np.where(inside, spectra[:, np.clip(middle + offset, 0, spectra.shape[1] - 1)], 0)
    signals = np.fft.ifft(np.fft.ifftshift(picked * taper**2, axes=1))
    rate = size * bin_hz
    first = int(np.ceil(begin * rate))
    signals = signals[:, first : first + int(min(max(seconds * rate, 30), 600))]
    lags = min(signals.shape[1] // 3, 100)
    rows = np.lib.stride_tricks.sliding_window_view(signals, lags, axis=1).reshape(-1, lags)
    _, vectors = np.linalg.eigh(rows.conj().T @ rows)
    space = vectors[:, ::-1][:, :count].conj()
    turns = np.linalg.eigvals(np.linalg.lstsq(space[:-1], space[1:], rcond=None)[0])
    exponent = np.log(turns) * rate
    near = np.abs(exponent.imag) < 2 * np.pi * 0.65 * width
    return exponent[near] + 2j * np.pi * middle * bin_hz
