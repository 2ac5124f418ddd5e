"""What a first fit leaves of a key: the thump of its keybed, the breath of the room, tones between the partials.

The residual is searched band by band, the whole way up, with the matrix pencil (`models/poles.py`). A pole found
there is kept if it is no fainter, beside all that sounds in its own critical band, than `FAINTEST`: what is quiet but
alone is heard, what is louder but covered is not. Then all amplitudes are found again together. At last
(`settle`) nothing may ring on for longer than the key itself does.
"""

import numpy as np
from numpy.typing import NDArray

from models.poles import Bands, amplitudes_of
from models.voice_metrics import mels

Poles = NDArray[np.complex128]
WIDTH = 40.0
"""Hz of a band in which poles are looked for."""
POLES = 4
"""Poles in each."""
FAINTEST = -20.0
"""Energy of a pole in dB against all that sounds in its critical band in the first `HEARD` seconds."""
HEARD = 2.0
SECONDS = 3.0
"""How much of the residual is looked at."""
MELS = 37.5
"""Width of a critical band."""
BEGIN = 0.02
"""Seconds left out at its beginning, where the band's filter rings."""
SLOWEST, FASTEST = -0.3, -60.0
"""Decays, a second, of poles that are taken."""
LOWEST_HZ = 10.0
LATE, STEP = 3.0, 0.5
"""Seconds from when on a key's own last decay is measured, and of the windows in which it is."""
SILENT = -120.0
"""Level in dB of full scale under which there is nothing to measure."""
LONGEST = -0.15
"""A decay, a second, that every pole has at least."""


def fit_rest(
    audio: NDArray[np.float64], exponent: Poles, amplitude: Poles, rate: int, top: float
) -> tuple[Poles, Poles]:
    """A key's poles with those that were missing, up to `top` Hz.

    audio: (2, T) from the key's onset on; exponent: (P,) a second, amplitude: (2, P) -> the same, more of them.
    """
    rest = audio - sounded(exponent, amplitude, audio.shape[1], rate)
    size = 1 << (2 * audio.shape[1] - 1).bit_length()
    bands = Bands(np.fft.rfft(rest.mean(axis=0), size), rate / size)
    centres = np.arange(WIDTH / 2, top, WIDTH)
    found = np.concatenate([bands.poles(centre, WIDTH, POLES, BEGIN, SECONDS) for centre in centres])
    found = np.minimum(found.real, SLOWEST) + 1j * found.imag
    found = found[(found.real > FASTEST) & (found.imag > 2 * np.pi * LOWEST_HZ)]
    truth = _by_mels(audio[:, : round(HEARD * rate)], rate)
    for _ in range(2):
        quiet = amplitudes_of(rest, found, rate)
        energy = np.abs(quiet.mean(axis=0)) ** 2 / 2 * np.minimum(HEARD, -0.5 / found.real)
        band = np.minimum(_band_of(found.imag / 2 / np.pi), len(truth) - 1)
        found = found[energy > 10 ** (FAINTEST / 10) * truth[band]]
    exponent = np.concatenate([exponent, found])
    return exponent, amplitudes_of(audio, exponent, rate, fading=0.0)


def settle(
    audio: NDArray[np.float64], exponent: Poles, rate: int, evenly: float = 0.0, ridge: float = 1e-6
) -> tuple[Poles, Poles]:
    """The poles of a struck key, none slower than the key's own last decay; amplitudes over all of the audio.

    A pole found in three seconds of residual says little of how it ends; many of them, a little too slow, ring on when
    the key has long faded. audio: (2, T), exponent: (P,) a second -> exponents (P,), amplitudes (2, P).
    evenly: how much more an error weighs when the key has faded; at 1 by as much as it has.
    """
    slowest = min(last_decay(audio, rate), LONGEST)
    exponent = np.minimum(exponent.real, slowest) + 1j * exponent.imag
    return exponent, amplitudes_of(
        audio, exponent, rate, audio.shape[1] / rate, fading=evenly * slowest, ridge=ridge
    )


def last_decay(audio: NDArray[np.float64], rate: int) -> float:
    """By how much a key fades in the end, a second (the real part of an exponent). audio: (2, T) from its onset on."""
    size = round(STEP * rate)
    windows = audio[:, : audio.shape[1] // size * size].reshape(2, -1, size)
    level = 10 * np.log10(np.mean(windows**2, axis=(0, 2)) + 1e-20)
    time = STEP * np.arange(len(level))
    heard = level > SILENT
    late = heard & (time >= LATE)
    chosen = np.flatnonzero(late) if late.sum() >= 4 else np.flatnonzero(heard)[-4:]
    if len(chosen) < 2:
        return LONGEST
    return float(np.polyfit(time[chosen], level[chosen], 1)[0] * np.log(10) / 20)


def sounded(exponent: Poles, amplitude: Poles, length: int, rate: int) -> NDArray[np.float64]:
    """The sum of the poles: (2, length)."""
    block = 512
    blocks = -(-length // block)
    inner = np.exp(exponent[:, None] / rate * np.arange(block))
    outer = np.exp(exponent[:, None] * block / rate * np.arange(blocks))
    sound = [((a[:, None] * outer).T @ inner).real.reshape(-1)[:length] for a in amplitude]
    return np.stack(sound)


def _band_of(hertz: NDArray[np.float64]) -> NDArray[np.int64]:
    """The number of the critical band."""
    return (mels(hertz) / MELS).astype(np.int64)


def _by_mels(audio: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """The energy of the channels' mean in each critical band, in full scale squared times seconds."""
    length = audio.shape[1]
    power = 2 * np.abs(np.fft.rfft(audio.mean(axis=0))) ** 2 / length / rate
    return np.bincount(_band_of(np.fft.rfftfreq(length, 1 / rate)), power)
