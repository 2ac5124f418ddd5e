"""The shipped piano at its socket: what a player would notice, and what no player should."""

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from duet.note import NoteOff, NoteOn, Pedal
from models.piano_player import PianoVoice
from models.voices import load_voice
from tests.voice_fakes import loudness, peak_hz, small_ensemble, small_piano, sound, tiny_ar_piano

RATE = 32_000


@pytest.fixture(scope="module")
def piano():
    return load_voice("piano")


@pytest.mark.parametrize("pitch", [33, 48, 60, 72, 84, 96])
def test_a_key_sounds_at_its_pitch(piano, pitch):
    audio = sound(piano, [NoteOn(0.0, pitch, 90)], 1.2).mean(axis=1)[3200:]
    ratio = peak_hz(audio, RATE) / (440 * 2 ** ((pitch - 69) / 12))
    assert abs(ratio / round(ratio) - 1) < 0.02
    assert 1 <= round(ratio) <= 4


def test_a_note_begins_when_it_is_due(piano):
    audio = np.abs(sound(piano, [NoteOn(0.1, 60, 100)], 0.3)).max(axis=1)
    assert audio[:3200].max() < 1e-3
    assert audio[3200:3400].max() > 0.01


def test_a_harder_stroke_is_louder(piano):
    levels = [loudness(sound(piano, [NoteOn(0, 60, v)], 0.4), 0, 0.4, RATE) for v in (10, 40, 80, 127)]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1] / 20


def test_a_release_ends_the_note_unless_the_pedal_holds_it(piano):
    keys = [NoteOn(0.02, 60, 90), NoteOff(0.3, 60)]
    dry = sound(piano, keys, 2.0)
    held = sound(piano, [Pedal(0.0, 127), *keys, Pedal(1.2, 0)], 2.0)
    assert loudness(dry, 0.8, 1.1, RATE) < 1e-3
    assert loudness(held, 0.8, 1.1, RATE) > 5e-3
    assert loudness(held, 1.7, 2.0, RATE) < 1e-3


def test_silence_is_zeros_before_and_long_after(piano):
    audio = sound(piano, [NoteOn(0.1, 64, 100), NoteOff(0.2, 64)], 4.0)
    assert not audio[:3000].any()
    assert not audio[-3200:].any()


def test_what_the_network_makes_of_silence_is_below_minus_sixty_decibels(piano):
    engine, state = piano.engine, piano.engine.silent_state()
    nothing, out = np.zeros((4, 88), np.float32), np.zeros((256, 2), np.float32)
    for _ in range(100):
        engine.sing(state, nothing, nothing, nothing[:, 0].copy(), out)
    assert 20 * np.log10(np.sqrt(np.mean(out**2)) + 1e-12) < -60


def test_the_loudest_chord_stays_in_range(piano):
    chord = [NoteOn(0.01, pitch, 127) for pitch in range(28, 100, 3)]
    audio = sound(piano, [Pedal(0, 127), *chord], 0.6)
    assert np.isfinite(audio).all()
    assert 0.5 < np.abs(audio).max() <= 1.0


def test_block_borders_are_not_heard(piano):
    audio = sound(piano, [NoteOn(0.01, 48, 90), NoteOn(0.01, 55, 90)], 1.5)[16000:].mean(axis=1)
    bend = np.abs(np.diff(audio, 2))
    border = bend[np.arange(len(bend)) % 256 < 2].max()
    assert border < 1.5 * bend[np.arange(len(bend)) % 256 >= 2].max()


def test_two_renders_of_one_voice_are_identical(piano):
    keys = [NoteOn(0.013, 60, 90), NoteOn(0.05, 67, 50), NoteOff(0.2, 60)]
    assert np.array_equal(sound(piano, keys, 0.4), sound(piano, keys, 0.4))


@pytest.mark.parametrize("pitch", [0, 20, 21, 108, 109, 127])
def test_every_midi_pitch_sounds(piano, pitch):
    assert loudness(sound(piano, [NoteOn(0.01, pitch, 100)], 0.2), 0, 0.2, RATE) > 1e-3


def test_an_event_that_comes_late_still_sounds(piano):
    class Late:
        calls = 0

        def take(self, until):
            self.calls += 1
            return [NoteOn(0.0, 60, 100)] if self.calls == 10 else []

    blocks = piano.render(Late())
    audio = [np.abs(next(blocks)).max() for _ in range(14)]
    assert max(audio[:9]) == 0
    assert max(audio[9:]) > 0.01


@pytest.mark.parametrize("piano", [tiny_ar_piano, small_piano, small_ensemble])
def test_a_long_block_allocates_no_more_than_a_short_one(piano):
    """Nothing per frame or sample: what is counted are numba's handles, one for each array handed over."""
    _nrt_python.memsys_enable_stats()

    def allocated(frames):
        engine = PianoVoice(piano(), frames=frames).engine
        state, roll = engine.silent_state(), np.zeros((frames, 88), np.float32)
        roll[0, 40] = 0.8
        sound = np.zeros((engine.block_length, engine.channels), np.float32)
        before = rtsys.get_allocation_stats().alloc
        engine.sing(state, roll, np.zeros_like(roll), roll[:, 0].copy(), sound)
        return rtsys.get_allocation_stats().alloc - before

    assert 0 < allocated(4) == allocated(16)
