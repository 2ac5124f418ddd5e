"""The sine voice: right pitch, right loudness, and silence when nothing sounds."""

import numpy as np
import pytest

from duet.note import NoteOff, NoteOn, Pedal
from models.sine_voice import SineVoice


class Script:
    """A timeline whose events are all known beforehand."""

    def __init__(self, events):
        self.events = list(events)

    def take(self, until):
        due = [event for event in self.events if event.time < until]
        self.events = self.events[len(due) :]
        return due


def sound(events, seconds, voice=None):
    voice = voice or SineVoice()
    blocks = voice.render(Script(events))
    count = int(seconds * voice.sample_rate / voice.block_length)
    return np.concatenate([next(blocks) for _ in range(count)])[:, 0]


def loudness(audio, start, end, rate=48_000):
    return float(np.sqrt(np.mean(audio[int(start * rate) : int(end * rate)] ** 2)))


@pytest.mark.parametrize("pitch", [21, 45, 60, 81, 108])
def test_a_key_sounds_at_its_pitch(pitch):
    audio = sound([NoteOn(0.1, pitch, 90)], 1.5)[9600:]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 1 << 18))
    peak = spectrum.argmax() * 48_000 / (1 << 18)
    assert peak == pytest.approx(440 * 2 ** ((pitch - 69) / 12), rel=0.02)


def test_a_note_begins_when_it_is_due():
    audio = sound([NoteOn(0.1, 60, 100)], 0.3)
    assert not audio[:4800].any()
    assert np.abs(audio[4800:4900]).max() > 0.01


def test_a_harder_stroke_is_louder():
    levels = [loudness(sound([NoteOn(0, 60, v)], 0.5), 0, 0.5) for v in (20, 60, 100, 127)]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1] / 4


def test_a_release_ends_the_note_unless_the_pedal_holds_it():
    keys = [NoteOn(0, 60, 90), NoteOff(0.2, 60)]
    dry = sound(keys, 1.5)
    held = sound([Pedal(0, 127), *keys, Pedal(0.9, 0)], 1.5)
    assert loudness(dry, 0.5, 0.8) < 1e-3
    assert loudness(held, 0.5, 0.8) > 0.02
    assert loudness(held, 1.3, 1.5) < 1e-3


def test_silence_is_zeros_before_and_after():
    audio = sound([NoteOn(0.2, 64, 127), NoteOff(0.3, 64)], 2.0)
    assert not audio[:9600].any()
    assert not audio[-9600:].any()


def test_the_loudest_chord_stays_in_range():
    chord = [NoteOn(0.0, pitch, 127) for pitch in range(36, 84, 2)]
    audio = sound([Pedal(0, 127), *chord], 1.0)
    assert np.abs(audio).max() <= 1.0


def test_two_runs_from_one_voice_are_identical():
    voice = SineVoice()
    keys = [NoteOn(0.013, 60, 90), NoteOn(0.05, 67, 50), NoteOff(0.2, 60)]
    assert np.array_equal(sound(keys, 0.5, voice), sound(keys, 0.5, voice))
