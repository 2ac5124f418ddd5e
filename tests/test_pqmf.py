"""The filter bank splits and joins."""

import numpy as np
import pytest

from models.pqmf import FilterBank


def join(bank, subbands):
    out = np.zeros(subbands.shape[1] * bank.bands + bank.length)
    for band, filters in zip(subbands, bank.synthesis, strict=True):
        stuffed = np.zeros(len(band) * bank.bands)
        stuffed[:: bank.bands] = band
        out[: len(stuffed) + bank.length - 1] += np.convolve(stuffed, filters)
    return out


def decibels(signal, error):
    return 10 * np.log10(np.mean(signal**2) / np.mean(error**2))


def test_what_is_split_and_joined_comes_back_a_filter_later():
    bank = FilterBank()
    noise = np.random.default_rng(0).standard_normal(4096)
    subbands = np.stack([np.convolve(noise, taps)[:: bank.bands] for taps in bank.analysis])
    back = join(bank, subbands)[bank.length - 1 :][:4096]
    assert decibels(noise[400:-400], (back - noise)[400:-400]) > 50


@pytest.mark.parametrize("hertz", [110.0, 1990.0, 2003.0, 7777.0, 14000.0])
def test_a_decaying_sinusoid_can_be_made_in_the_bands_where_it_belongs(hertz):
    bank, delay = FilterBank(), 64
    exponent = np.array([2j * np.pi * hertz / 32_000 - 3e-5])
    start = bank.response(exponent, delay)[0]
    turns = np.exp(exponent * bank.bands * np.arange(400))
    sound = join(bank, (start[:, None] * turns).real)
    samples = np.arange(300, 3000)
    wanted = np.exp(exponent * (samples - delay)).real
    assert decibels(wanted, sound[samples] - wanted) > 50
