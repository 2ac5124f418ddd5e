"""Measuring a piano: what was put in is found."""

import numpy as np
import pytest

from models.fit_partials import FitConfig, fit_key
from models.fit_rest import LONGEST, fit_rest, last_decay, settle, sounded
from models.poles import amplitudes_of

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


def test_what_a_first_fit_leaves_is_found_where_it_is_alone_and_not_where_it_is_covered():
    had = [(440.0, 2.0, 0.1)]
    thump, hidden = (60.0, 3.0, 1e-3), (452.0, 3.0, 1e-4)
    audio = made_of([*had, thump, hidden])
    audio += 1e-7 * np.random.default_rng(0).standard_normal(audio.shape)
    exponent = np.array([-2.0 + 2j * np.pi * 440])
    more, amplitude = fit_rest(audio, exponent, amplitudes_of(audio, exponent, RATE), RATE, 600.0)
    left = audio - sounded(more, amplitude, audio.shape[1], RATE)
    assert np.abs(more.imag / 2 / np.pi - 60).min() < 0.2
    assert np.abs(more.imag / 2 / np.pi - 452).min() > 5
    assert np.mean(left**2) < 1e-3 * np.mean(made_of([thump]) ** 2) + np.mean(made_of([hidden]) ** 2)


@pytest.mark.parametrize(
    ("partials", "decay"),
    [
        ([(220.0, 3.0, 0.5), (440.0, 0.5, 0.01)], 0.5),  # what is slow remains
        ([(880.0, 9.0, 0.5)], 9.0),  # silent before there is anything late
        ([(880.0, 1e4, 0.5)], -LONGEST),  # nothing to measure
    ],
)
def test_how_a_key_fades_in_the_end(partials, decay):
    assert last_decay(made_of(partials, 8.0), RATE) == pytest.approx(-decay, rel=0.02)


def test_nothing_rings_on_for_longer_than_the_key():
    audio = made_of([(220.0, 3.0, 0.1), (440.0, 0.8, 0.02)], 8.0)
    too_slow = np.array([-3.0 + 2j * np.pi * 220, -0.8 + 2j * np.pi * 440, -0.2 + 2j * np.pi * 440.3])
    amplitude = amplitudes_of(audio + made_of([(440.4, 2.0, 0.005)], 8.0), too_slow, RATE)
    settled = settle(audio, too_slow, RATE)
    end = slice(7 * RATE, 8 * RATE)

    def louder(poles):
        made = sounded(*poles, audio.shape[1], RATE)
        return 10 * np.log10(np.mean(made[:, end] ** 2) / np.mean(audio[:, end] ** 2))

    assert louder((too_slow, amplitude)) > 3
    assert abs(louder(settled)) < 0.5
    assert np.allclose(settled[0].imag, too_slow.imag)
