"""The figures a voice is judged by, on sounds whose figures are known."""

import numpy as np
import pytest

from models.stft_loss import mel_distance, spectral_distance
from models.voice_envelope import rise_ms
from models.voice_metrics import (
    RATE,
    chroma_cosine,
    energy_error_db,
    log_mel_rmse,
    loudness_dbfs,
    onset_lags,
    spearman,
)


def tone(hertz, seconds=1.0, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def strokes(times, seconds=2.0):
    """Decaying tones."""
    out = np.zeros(int(seconds * RATE))
    for time in times:
        first = round(time * RATE)
        length = len(out) - first
        out[first:] += tone(440, 4)[:length] * np.exp(-np.arange(length) / RATE / 0.1)
    return out


def test_a_sound_is_no_distance_from_itself():
    sound = strokes([0.2, 0.7])
    assert log_mel_rmse(sound, sound) == 0
    assert chroma_cosine(sound, sound) == pytest.approx(1)
    assert energy_error_db(sound, sound) == 0


def test_half_the_amplitude_is_six_decibels_away():
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    assert log_mel_rmse(noise / 2, noise) == pytest.approx(6.02, abs=0.01)
    assert energy_error_db(noise / 2, noise) == pytest.approx(6.02, abs=0.01)


def test_a_full_scale_square_wave_is_zero_dbfs_and_silence_is_far_below():
    assert loudness_dbfs(np.ones(100)) == pytest.approx(0)
    assert loudness_dbfs(np.zeros(100)) == pytest.approx(-160)


def test_an_octave_has_the_same_chroma_and_a_tritone_has_not():
    assert chroma_cosine(tone(880), tone(440)) > 0.99
    assert chroma_cosine(tone(440 * 2**0.5), tone(440)) < 0.2


def test_a_lag_is_measured_to_the_millisecond():
    times = [0.3, 0.7, 1.2]
    late = strokes([time + 0.007 for time in times])
    assert onset_lags(late, strokes(times), times) == [7.0, 7.0, 7.0]
    assert onset_lags(strokes(times), strokes(times), times) == [0.0, 0.0, 0.0]


def test_spearman_sees_order_only():
    assert spearman(np.arange(9), np.arange(9) ** 3) == pytest.approx(1)
    assert spearman(np.arange(9), -np.arange(9)) == pytest.approx(-1)
    assert abs(spearman(np.array([1, 2, 3, 4]), np.array([2, 4, 1, 3]))) < 0.3


def test_the_training_loss_falls_to_nothing_at_the_truth_and_does_not_mind_phase():
    import torch

    time = torch.arange(RATE) / RATE
    sine, cosine = (0.1 * wave(2 * torch.pi * 440 * time).expand(1, 2, -1) for wave in (torch.sin, torch.cos))
    assert spectral_distance(sine, sine, RATE) == 0
    assert spectral_distance(cosine, sine, RATE) < spectral_distance(sine * 0.7, sine, RATE) / 2


def test_the_training_loss_minds_a_missing_thump_as_much_as_a_missing_hiss():
    import torch

    time = torch.arange(RATE) / RATE
    tone, thump, hiss = (
        (0.01 * torch.sin(2 * torch.pi * hertz * time)).expand(1, 2, -1) for hertz in (440, 60, 9_000)
    )
    without_thump = mel_distance(tone[0], (tone + thump)[0], RATE)
    assert without_thump > 0.5 * mel_distance(tone[0], (tone + hiss)[0], RATE)


@pytest.mark.parametrize("pitch", [28, 33, 38])
def test_a_low_notes_rise_hangs_little_on_how_its_partials_stand_to_each_other(pitch):
    time, hertz, rng = np.arange(RATE // 4) / RATE, 440 * 2 ** ((pitch - 69) / 12), np.random.default_rng(0)
    rises = []
    for _ in range(12):
        partials = (
            0.7**k * np.sin(2 * np.pi * k * hertz * (1 + 1e-3 * k * k) * time + rng.uniform(0, 2 * np.pi))
            for k in range(1, 9)
        )
        rises.append(rise_ms(np.minimum(time / 0.015, 1) * sum(partials), pitch))
    assert max(rises) - min(rises) < 10
