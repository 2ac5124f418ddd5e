"""Sub-bands: a filter bank that lets a network run at a fraction of the sample rate (PQMF).

Cosine modulation of one low-pass prototype (pseudo quadrature mirror filters, Nguyen 1994; the Kaiser-window
design of Lin and Vaidyanathan 1998): band b of M lies around (2 b + 1) / (4 M) of the sample rate. Analysis
is used for what is known beforehand (sinusoids, by the filters' response), synthesis for what the network
makes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


def _kaiser_lowpass(length: int, cutoff: float, beta: float) -> NDArray[np.float64]:
    """A windowed sinc. cutoff: in 0..1, where 1 is half the sample rate."""
    time = np.arange(length) - (length - 1) / 2
    return cutoff * np.sinc(cutoff * time) * np.kaiser(length, beta)


@dataclass(frozen=True)
class FilterBank:
    """M bands, each at 1 / M of the sample rate."""

    bands: int = 8
    """M; the sub-band rate is the sample rate over this."""
    length: int = 128
    """Samples in each filter; the bank's attack is about a third of it long."""
    beta: float = 9.0
    """The Kaiser window's shape: 9 leaves 90 dB between bands that do not touch."""

    @cached_property
    def prototype(self) -> NDArray[np.float64]:
        """The low-pass filter whose shifted copies add up flattest: (length,)."""
        cutoffs = np.linspace(0.8, 1.4, 241) / (2 * self.bands)
        return min((_kaiser_lowpass(self.length, cutoff, self.beta) for cutoff in cutoffs), key=self._ripple)

    def _ripple(self, prototype: NDArray[np.float64]) -> float:
        """Distance from a power-complementary filter: the autocorrelation at multiples of 2 M."""
        correlation = np.correlate(prototype, prototype, "full")[self.length - 1 :: 2 * self.bands]
        return float(np.abs(correlation[1:]).max() / correlation[0])

    def _modulated(self, sign: float) -> NDArray[np.float64]:
        band = np.arange(self.bands)[:, None]
        time = np.arange(self.length) - (self.length - 1) / 2
        phase = (2 * band + 1) * np.pi / (2 * self.bands) * time + sign * (-1.0) ** band * np.pi / 4
        return 2 * self.prototype * np.cos(phase)

    @cached_property
    def analysis(self) -> NDArray[np.float64]:
        """Filters that split a signal: (bands, length)."""
        return self._modulated(1.0)

    @cached_property
    def synthesis(self) -> NDArray[np.float64]:
        """Filters that join sub-bands, for zero-stuffed input: (bands, length)."""
        return self.bands * self._modulated(-1.0)

    def response(self, exponent: NDArray[np.complex128], delay: int) -> NDArray[np.complex128]:
        """What the sub-bands of exp(exponent * n) begin with, so that joined they lag it by `delay` samples.

        exponent: (P,) complex, a sample -> (P, bands); sub-band m of band b is response * exp(exponent M m).
        The filters' own round trip takes length - 1 samples; a known signal is simply read ahead.
        """
        taps = np.arange(self.length)
        split = np.exp(-exponent[:, None] * taps) @ self.analysis.T
        return split * np.exp(exponent * (self.length - 1 - delay))[:, None]


@dataclass(frozen=True)
class WholeBand:
    """No sub-bands at all: a bank of one band, the signal itself."""

    top: float = 0.47
    """Sinusoids above this share of the sample rate are left out."""
    bands: int = 1

    def response(self, exponent: NDArray[np.complex128], delay: int) -> NDArray[np.complex128]:
        """As in `FilterBank`: each sinusoid as it is, `delay` samples late."""
        heard = exponent.imag < 2 * np.pi * self.top
        return np.where(heard, np.exp(-exponent * delay), 0)[:, None]
