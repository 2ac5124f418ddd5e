"""Measuring a piano: what was put in is found."""

import numpy as np
import pytest

from models.fit_partials import FitConfig, fit_key

RATE = 32_000


def made_of(partials, seconds=6.0):
    """Both channels of (hertz, decay, amplitude) partials, the right one half as loud."""
    time = np.arange(int(seconds * RATE)) / RATE
    left = sum(a * np.exp(-d * time) * np.sin(2 * np.pi * f * time) for f, d, a in partials)
    return np.stack([left, left / 2])


def test_the_fit_finds_frequency_decay_and_loudness_of_what_it_was_given():
    stretched = [220 * h * np.sqrt(1 + 2e-4 * h * h) for h in range(1, 9)]
    partials = [(f, 1.0 + 0.2 * h, 0.1 / (h + 1)) for h, f in enumerate(stretched)]
    audio = made_of(partials)
    audio += 1e-7 * np.random.default_rng(0).standard_normal(audio.shape)
    exponent, amplitude = fit_key(audio, 57, FitConfig(RATE))
    strongest = np.argmax(np.abs(amplitude[0]))
    assert exponent[strongest].imag / 2 / np.pi == pytest.approx(stretched[0], abs=0.05)
    time = np.arange(2 * RATE) / RATE
    again = np.zeros((2, len(time)))
    for e, a in zip(exponent, amplitude.T, strict=True):
        again += (a[:, None] * np.exp(e * time)).real
    error = again - audio[:, : len(time)]
    assert 10 * np.log10(np.mean(audio[:, : len(time)] ** 2) / np.mean(error**2)) > 25
