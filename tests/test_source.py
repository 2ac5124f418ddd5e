"""The harmonic source: pitch, loudness, damping, and state that is handed over."""

import dataclasses

import numpy as np
import pytest

from models.partials import COLOUR_HZ, KEYS, Partials, generic_partials, key_of
from models.pqmf import FilterBank
from models.source import SourceState, build_tables, sound_source
from tests.test_pqmf import join
from tests.voice_fakes import peak_hz

RATE, HOP = 32_000, 64
BANK = FilterBank()
TABLES = build_tables(generic_partials(), BANK, RATE, HOP, 64)


def roll(frames, onsets=(), releases=(), pedals=()):
    """Onset, release and pedal arrays; onsets are (frame, key, velocity)."""
    onset, release = np.zeros((2, frames, KEYS), np.float32)
    pedal = np.zeros(frames, np.float32)
    for frame, key, velocity in onsets:
        onset[frame, key] = velocity / 127
    for frame, key in releases:
        release[frame, key] = 1
    for frame in pedals:
        pedal[frame] = 1
    return onset, release, pedal


def sound(onset, release, pedal, state=None, tables=TABLES):
    out = np.empty((48, len(onset) * 8), np.float32)
    sound_source(tables, state or SourceState.silent(tables), onset, release, pedal, out)
    return out


def dull_when_soft():
    """Velocities up to 64 without what lies above 1 kHz, turned by a quarter."""
    colour = np.stack([np.where(COLOUR_HZ > 1000, 0.03j, 1j), np.ones(len(COLOUR_HZ))])
    return dataclasses.replace(generic_partials(), layer=(np.arange(128) > 64).astype(int), colour=colour)


def level(out, first, last):
    """Of frames first..last."""
    return float(np.sqrt(np.mean(out[:, first * 8 : last * 8] ** 2)))


@pytest.mark.parametrize("key", [0, 15, 39, 60, 87])
def test_a_key_sounds_at_its_pitch(key):
    out = sound(*roll(400, [(0, key, 100)]))
    left = join(BANK, out.reshape(3, 2, 8, -1).sum(axis=0)[0])
    hertz = 440 * 2 ** ((key + 21 - 69) / 12)
    ratio = peak_hz(left[1600:24000], RATE) / hertz
    assert abs(ratio - round(ratio)) < 0.02
    assert round(ratio) == 1


def test_nothing_sounds_before_its_frame():
    out = sound(*roll(20, [(10, 40, 100)]))
    assert not out[:, :80].any()
    assert out[:, 80:88].any()


def test_a_harder_stroke_is_louder():
    levels = [level(sound(*roll(50, [(0, 40, v)])), 0, 50) for v in (10, 50, 90, 127)]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1] / 10


def test_a_key_that_is_duller_when_struck_softly_loses_its_high_partials_and_keeps_its_low_ones():
    tables = build_tables(dull_when_soft(), BANK, RATE, HOP, 64)
    for velocity, above in ((60, 0.03), (70, 1)):
        strokes = roll(100, [(0, 39, velocity)])
        plain, coloured = (
            join(BANK, sound(*strokes, tables=which).reshape(3, 2, 8, -1).sum(axis=0)[0])
            for which in (TABLES, tables)
        )
        hertz = np.fft.rfftfreq(len(plain), 1 / RATE)
        before, after = (np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) for audio in (plain, coloured))
        low, high = (
            np.sqrt(np.mean(after[part] ** 2) / np.mean(before[part] ** 2))
            for part in (hertz < 900, hertz > 1200)
        )
        assert low == pytest.approx(1, rel=0.02)
        assert high == pytest.approx(above, rel=0.05)


def test_colours_come_back_from_a_file_and_tables_without_them_have_none():
    coloured = dull_when_soft()
    arrays = coloured.to_arrays()
    assert np.allclose(Partials.from_arrays(arrays).tint(), coloured.tint())
    del arrays["partials.colour"], arrays["partials.layer"]
    assert (Partials.from_arrays(arrays).tint() == 1).all()
    with pytest.raises(ValueError, match="colour"):
        dataclasses.replace(coloured, layer=np.full(128, 2))


def test_a_damper_ends_a_note_and_leaves_silence_that_costs_nothing():
    state = SourceState.silent(TABLES)
    out = sound(*roll(800, [(0, 40, 100)], [(50, 40)]), state)
    assert level(out, 40, 50) > 100 * level(out, 300, 310)
    assert not out[:, -80:].any()
    assert not state.velocity.any()


def test_a_note_shorter_than_a_frame_is_heard():
    assert level(sound(*roll(20, [(5, 40, 100)], [(5, 40)])), 5, 8) > 1e-3


def test_a_key_struck_again_starts_over_unless_the_pedal_keeps_what_rang():
    strokes = [(0, 40, 100), (100, 40, 100)]
    once = sound(*roll(300, strokes[:1]))
    dry = sound(*roll(300, strokes))
    wet = sound(*roll(300, strokes, pedals=range(300)))
    fresh = np.zeros_like(once)
    fresh[:, 800:] = once[:, :1600]
    assert np.allclose(wet[:, 2200:], (once + fresh)[:, 2200:], atol=1e-5)
    assert np.allclose(dry[:32, 2200:], fresh[:32, 2200:], atol=1e-5)


def test_any_partition_into_calls_sounds_the_same():
    rng = np.random.default_rng(1)
    onsets = [(int(f), int(k), int(v)) for f, k, v in rng.integers((0, 0, 1), (120, KEYS, 128), (30, 3))]
    releases = [(int(f), int(k)) for f, k in rng.integers((0, 0), (120, KEYS), (30, 2))]
    rolls = roll(120, onsets, releases, range(40, 60))
    whole = sound(*rolls)
    state, pieces = SourceState.silent(TABLES), []
    for first, last in ((0, 1), (1, 50), (50, 120)):
        pieces.append(sound(*(array[first:last] for array in rolls), state))
    assert np.abs(whole - np.concatenate(pieces, axis=1)).max() < 1e-5


def test_pitches_beyond_the_keyboard_take_the_nearest_octave():
    assert key_of(21) == 0
    assert key_of(108) == 87
    assert key_of(20) == 11
    assert key_of(109) == 76
    assert key_of(0) == 3
