"""What a first fit leaves of a key: the thump of its keybed, the breath of the room, tones between the partials.

The residual is searched band by band, the whole way up, with the matrix pencil (`models/poles.py`). A pole found
there is kept if it is no fainter, beside all that sounds in its own critical band, than `FAINTEST`: what is quiet but
alone is heard, what is louder but covered is not. Then all amplitudes are found again together.
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
