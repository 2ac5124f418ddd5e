"""What a key sounds like as a sum of decaying sinusoids: the measured table behind the harmonic source.

Key k struck at velocity v sounds, from its onset on, as the real part of sum_p gain(v) c_v(f_p) a_p exp(s_p t);
a damper adds -damping(v) to every s_p. The colour c_v, of frequency, is 1 for an instrument that is only louder
when it is struck harder. Nothing in it is a recording: some two hundred partials a key, fitted by
`models/fit_partials.py` or `models/fit_instrument.py`.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

LOWEST, KEYS = 21, 88
"""The piano's keys: pitches 21..108."""
COLOUR_HZ = 62.5 * 2 ** (np.arange(48) / 6)
"""The frequencies at which a colour is known, six an octave to 14 kHz; below and above it is what it is there."""


def key_of(pitch: int) -> int:
    """The key 0..87 that sounds a pitch; pitches beyond the keyboard take the nearest octave on it."""
    key = pitch - LOWEST
    while key < 0:
        key += 12
    while key >= KEYS:
        key -= 12
    return key


@dataclass(frozen=True, slots=True)
class Partials:
    """The partials of all keys, one key after another."""

    start: NDArray[np.int64]
    """(KEYS + 1,): key k has partials start[k] .. start[k + 1]."""
    exponent: NDArray[np.complex128]
    """(P,): s_p, a second; the real part is the (negative) decay, the imaginary the angular frequency."""
    amplitude: NDArray[np.complex128]
    """(2, P): a_p left and right at velocity 127, full scale 1; (1, P) in mono."""
    gain: NDArray[np.float64]
    """(128,): loudness of each velocity, 1 at 127."""
    damping: NDArray[np.float64]
    """(128,): what a damper adds to the decay, a second, by velocity."""
    layer: NDArray[np.int64] = field(default_factory=lambda: np.zeros(128, np.int64))
    """(128,): the colour of each velocity."""
    colour: NDArray[np.complex128] = field(default_factory=lambda: np.ones((1, len(COLOUR_HZ)), complex))
    """(layers, len(COLOUR_HZ)): what multiplies amplitudes beside `gain`."""

    def __post_init__(self) -> None:
        if len(self.start) != KEYS + 1 or self.start[-1] != len(self.exponent):
            raise ValueError(
                f"partials for {len(self.start) - 1} keys, {len(self.exponent)} in all, do not fit"
            )
        if (
            self.amplitude.shape not in ((1, len(self.exponent)), (2, len(self.exponent)))
            or len(self.gain) != 128
            or len(self.damping) != 128
        ):
            raise ValueError("partials need an amplitude each, and a gain and a damping for 128 velocities")
        if (
            self.colour.shape[1:] != (len(COLOUR_HZ),)
            or self.layer.shape != (128,)
            or not 0 <= self.layer.min() <= self.layer.max() < len(self.colour)
        ):
            raise ValueError("partials need a colour for 128 velocities, and each colour all its frequencies")

    def tint(self) -> NDArray[np.complex128]:
        """Each colour at each partial's frequency: (layers, P)."""
        hertz = np.clip(self.exponent.imag / 2 / np.pi, COLOUR_HZ[0], COLOUR_HZ[-1])
        place = np.log2(hertz / COLOUR_HZ[0]) * 6
        known = np.arange(len(COLOUR_HZ))
        logs = np.log(np.abs(self.colour)) + 1j * np.unwrap(np.angle(self.colour), axis=1)
        return np.exp(np.stack([np.interp(place, known, log) for log in logs]))

    def mono(self) -> "Partials":
        """Both channels' mean."""
        return replace(self, amplitude=self.amplitude.mean(axis=0, keepdims=True))

    def to_arrays(self) -> dict[str, NDArray]:
        """Plain arrays, to store in a checkpoint."""
        return {
            "partials.start": self.start,
            "partials.exponent": np.stack([self.exponent.real, self.exponent.imag]).astype(np.float32),
            "partials.amplitude": np.stack([self.amplitude.real, self.amplitude.imag]).astype(np.float32),
            "partials.gain": self.gain,
            "partials.damping": self.damping,
            "partials.layer": self.layer,
            "partials.colour": np.stack([self.colour.real, self.colour.imag]).astype(np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> "Partials":
        """The inverse of `to_arrays`; a KeyError if one is missing.

        Tables made before there were colours have none, and need none.
        """
        coloured = {}
        if "partials.colour" in arrays:
            colour = arrays["partials.colour"].astype(np.float64)
            coloured = {
                "layer": arrays["partials.layer"].astype(np.int64),
                "colour": colour[0] + 1j * colour[1],
            }
        exponent = arrays["partials.exponent"].astype(np.float64)
        amplitude = arrays["partials.amplitude"].astype(np.float64)
        return cls(
            arrays["partials.start"].astype(np.int64),
            exponent[0] + 1j * exponent[1],
            amplitude[0] + 1j * amplitude[1],
            arrays["partials.gain"].astype(np.float64),
            arrays["partials.damping"].astype(np.float64),
            **coloured,
        )


def generic_partials() -> Partials:
    """Partials of no piano in particular, from the textbook: for tests, and as the baseline of measured ones.

    Harmonic k of key n at k f0 sqrt(1 + B k^2), B = 1.5e-4 * 2^(0.8 (n - 45) / 12), amplitude 0.8^(k - 1),
    decay time 3.0 * 2^(-(n - 40) / 18) / (1 + 0.2 (k - 1)) s.
    """
    start, exponent, amplitude = [0], [], []
    for pitch in range(LOWEST, LOWEST + KEYS):
        harmonic = np.arange(1, 33)
        stiffness = 1.5e-4 * 2 ** (0.8 * (pitch - 45) / 12)
        frequency_hz = harmonic * 440 * 2 ** ((pitch - 69) / 12) * np.sqrt(1 + stiffness * harmonic**2)
        decay_time = 3.0 * 2 ** (-(pitch - 40) / 18) / (1 + 0.2 * (harmonic - 1))
        heard = frequency_hz < 15_000
        exponent.append((-1 / decay_time + 2j * np.pi * frequency_hz)[heard])
        amplitude.append((-0.05j * 0.8 ** (harmonic - 1.0))[heard])
        start.append(start[-1] + int(heard.sum()))
    return Partials(
        np.array(start),
        np.concatenate(exponent),
        np.tile(np.concatenate(amplitude), (2, 1)),
        (np.arange(128) / 127) ** 1.5,
        np.full(128, 1 / 0.06),
    )
