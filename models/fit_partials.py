"""Measure a piano: find, key by key, the decaying sinusoids whose sum comes closest to its notes.

A key's partials are tracked up the stretched harmonic series f_h = h f0 sqrt(1 + B h^2). Around each, the
poles (frequencies and decays) are found by the matrix pencil (Hua and Sarkar 1990) on a narrow band of the
spectrum: once over the first half second, for the stroke, and once in a narrower band over five seconds, for
the slow decay and the beating of the strings. Bands between the partials of the upper keys give the knock of
the hammer. Then one least-squares fit over all poles gives every amplitude and phase, and what is still missing is
searched for in what they leave (`models/fit_rest.py`).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn
from models.fit_rest import fit_rest, settle
from models.partials import KEYS, LOWEST, Partials
from models.poles import Bands, amplitudes_of

logger = logging.getLogger(__name__)

Render = Callable[[list[Event], float], NDArray[np.float32]]
"""Events and a length in seconds to their sound, (2, T)."""


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How closely to look."""

    sample_rate: int
    """Samples a second."""
    seconds: float = 8.0
    """How long each key is held while it is measured."""
    harmonics: int = 130
    """Partials tracked at most."""
    stroke_poles: int = 4
    """Fast poles around a partial."""
    slow_poles: int = 3
    """Slow poles around a partial."""
    knock_poles: int = 4
    """Poles in each 100 Hz between the partials."""
    knock_top: float = 12_000.0
    """Hz up to which the knock is measured."""
    threshold: float = 2e-4
    """Poles quieter than this against the key's loudest are dropped."""
    rest_tops: tuple[float, ...] = (6_000.0, 6_000.0, 12_000.0)
    """Hz up to which is searched what all these leave, again and again (`models/fit_rest.py`)."""


def fit_partials(render: Render, config: FitConfig) -> Partials:
    """Measure all keys of an instrument."""
    start, exponents, amplitudes = [0], [], []
    strokes = [(LOWEST + key, 127, config.seconds) for key in range(KEYS)]
    for key, audio in enumerate(_sound_strokes(render, strokes, config.seconds, config.sample_rate)):
        exponent, amplitude = fit_key(audio, LOWEST + key, config)
        exponents.append(exponent)
        amplitudes.append(amplitude)
        start.append(start[-1] + len(exponent))
        logger.info("key %d: %d partials", LOWEST + key, len(exponent))
    gain, damping = _measure_velocities(render, config.sample_rate)
    return Partials(
        np.array(start), np.concatenate(exponents), np.concatenate(amplitudes, axis=1), gain, damping
    )


def fit_key(
    audio: NDArray[np.float64], pitch: int, config: FitConfig
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """audio: (2, T), one key from its onset on -> its exponents a second (P,), its amplitudes (2, P)."""
    middle = audio.mean(axis=0)
    fundamental, centres = _track(middle, pitch, config)
    size = 1 << (2 * len(middle) - 1).bit_length()
    spectrum = np.fft.rfft(middle, size)
    band = Bands(spectrum, config.sample_rate / size)
    wide, narrow = min(fundamental, 100.0), min(15.0, fundamental / 2)
    poles = []
    for centre in centres:
        fast = band.poles(centre, wide, config.stroke_poles + config.slow_poles, 0.6 / wide, 0.6)
        fast = fast[(fast.real < -4) & (fast.real > -250)]
        slow = band.poles(centre, narrow, config.slow_poles, 0.05 + 0.5 / narrow, 4.5)
        slow = np.minimum(slow.real, -0.15) + 1j * slow.imag
        slow = slow[slow.real > -15]
        if len(slow):
            fast = fast[fast.real < 1.7 * slow.real.min()]
        poles += [fast, slow]
    if fundamental > 120:
        for centre in np.arange(50, config.knock_top, 100):
            if np.abs(centres - centre).min() > 75:
                knock = band.poles(centre, 100.0, config.knock_poles, 0.006, 0.4)
                knock = knock[knock.real > -250]
                poles.append(np.minimum(knock.real, -2) + 1j * knock.imag)
    exponent = np.concatenate(poles)
    amplitude = amplitudes_of(audio, exponent, config.sample_rate)
    for _ in range(2):
        loudness = np.abs(amplitude).max(axis=0) * np.minimum(1, np.sqrt(3 / -exponent.real))
        exponent = exponent[loudness > config.threshold * loudness.max()]
        amplitude = amplitudes_of(audio, exponent, config.sample_rate)
    for top in config.rest_tops:
        exponent, amplitude = fit_rest(audio, exponent, amplitude, config.sample_rate, top)
    return settle(audio, exponent, config.sample_rate)


def _track(audio: NDArray[np.float64], pitch: int, config: FitConfig) -> tuple[float, NDArray[np.float64]]:
    """The fundamental and the partials' frequencies in Hz, by following the series upwards."""
    rate = config.sample_rate
    size = 1 << 17
    segment = audio[int(0.03 * rate) : int(2.03 * rate)]
    level = np.abs(np.fft.rfft(segment * np.hanning(len(segment)), size))
    bin_hz = rate / size
    fundamental = 440 * 2 ** ((pitch - 69) / 12)
    stiffness = 1.5e-4 * max(1.0, (fundamental / 110) ** 0.8)
    found: list[tuple[int, float, float]] = []
    centres = []
    for harmonic in range(1, config.harmonics + 1):
        expected = harmonic * fundamental * np.sqrt(1 + stiffness * harmonic**2)
        if expected > 0.48 * rate:
            break
        reach = min(max(0.2 * fundamental, 3), 0.02 * expected + 4)
        low, high = int((expected - reach) / bin_hz), int((expected + reach) / bin_hz) + 2
        peak = low + int(level[low:high].argmax())
        half = 0.5 * fundamental / bin_hz
        around = np.median(level[max(0, int(expected / bin_hz - half)) : int(expected / bin_hz + half) + 2])
        clear = level[peak] > 6 * around and level[peak] > 1e-5 * level.max()
        centres.append(peak * bin_hz if clear else expected)
        if clear:
            found.append((harmonic, peak * bin_hz, float(np.sqrt(level[peak]))))
        if clear and len(found) >= 3:
            number, frequency, weight = np.array(found).T
            weight = weight * number
            terms = np.stack([np.ones_like(number), number**2], axis=1) * weight[:, None]
            offset, slope = np.linalg.lstsq(terms, (frequency / number) ** 2 * weight, rcond=None)[0]
            if offset > 0 and slope > 0:
                fundamental, stiffness = float(np.sqrt(offset)), float(slope / offset)
    last = found[-1][0] if found else 1
    return fundamental, np.array(centres[:last])


def _sound_strokes(
    render: Render, strokes: list[tuple[int, int, float]], seconds: float, rate: int
) -> list[NDArray[np.float64]]:
    """Sound (pitch, velocity, seconds held) one after another: `seconds` of each, (2, seconds * rate)."""
    apart = seconds + 2.0
    events: list[Event] = []
    for number, (pitch, velocity, held) in enumerate(strokes):
        events += [
            NoteOn(number * apart, pitch, velocity),
            NoteOff(number * apart + held, pitch),
        ]
    audio = render(events, apart * len(strokes))
    starts = [round(number * apart * rate) for number in range(len(strokes))]
    return [audio[:, start : start + round(seconds * rate)].astype(np.float64) for start in starts]


def _measure_velocities(render: Render, rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gain and the damping of each velocity, from middle C held and middle C let go after 0.3 s."""
    gain, damping = np.zeros(128), np.zeros(128)
    press = 0.3
    held = _sound_strokes(render, [(60, velocity, 1.0) for velocity in range(1, 128)], 0.5, rate)
    freed = _sound_strokes(render, [(60, velocity, press) for velocity in range(1, 128)], 0.5, rate)
    early, late = (slice(int((press + t) * rate), int((press + t + 0.03) * rate)) for t in (0.02, 0.06))
    for velocity, long, short in zip(range(1, 128), held, freed, strict=True):
        level = [np.sqrt(np.mean(short[:, s] ** 2) / np.mean(long[:, s] ** 2)) for s in (early, late)]
        gain[velocity] = np.sqrt(np.mean(long**2))
        damping[velocity] = np.log(level[0] / level[1]) / 0.04
    return gain / gain[127], damping
