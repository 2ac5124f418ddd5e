"""Measuring the ensemble's instruments: what was put in is found, and what is held is not let die."""

import dataclasses

import numpy as np
import pytest

from duet.note import NoteOff, NoteOn
from models.fit_instrument import InstrumentFit, fit_instrument, fit_key, moved
from models.partials import KEYS

RATE = 16_000
QUICK = InstrumentFit(RATE, seconds=3.0, peaks=8)
TIME = np.arange(3 * RATE) / RATE


def heard_again(exponent, amplitude, time=TIME):
    sound = np.zeros((2, len(time)))
    for pole, both in zip(exponent, amplitude.T, strict=True):
        sound += (both[:, None] * np.exp(pole * time)).real
    return sound


def decibels(signal, error):
    return 10 * np.log10(np.mean(signal**2) / np.mean(error**2))


def test_partials_that_are_no_harmonics_are_found_with_their_decays():
    bars = [(262.0, 1.0), (1043.0, 3.0), (2610.0, 6.0)]
    left = sum(np.exp(-decay * TIME) * np.sin(2 * np.pi * hertz * TIME) for hertz, decay in bars)
    audio = 0.1 * np.stack([left, left / 2])
    exponent, amplitude = fit_key(audio, 60, QUICK)
    found = np.sort(exponent.imag[np.abs(amplitude[0]) > 0.05]) / 2 / np.pi
    assert found == pytest.approx([hertz for hertz, _ in bars], abs=0.2)
    assert decibels(audio, audio - heard_again(exponent, amplitude)) > 25


def test_a_sound_that_is_held_is_measured_as_one_that_does_not_decay():
    tremolo = (1 + 0.3 * np.sin(2 * np.pi * 4 * TIME)) * np.minimum(TIME / 0.02, 1)
    audio = 0.1 * np.stack([tremolo * np.sin(2 * np.pi * 131 * TIME)] * 2)
    exponent, amplitude = fit_key(audio, 60, dataclasses.replace(QUICK, sustained=True))
    longer = np.arange(12 * RATE) / RATE
    sound = heard_again(exponent, amplitude, longer)
    early, late = (np.sqrt(np.mean(sound[:, at * RATE : (at + 1) * RATE] ** 2)) for at in (1, 10))
    assert abs(20 * np.log10(late / early)) < 1


def test_a_chorus_is_as_loud_as_it_was_and_begins_as_softly():
    rng = np.random.default_rng(0)
    players = [
        (131 * h * (1 + rng.normal(0, 0.003)), rng.uniform(0, 6.3)) for h in range(1, 9) for _ in range(12)
    ]
    both = sum(np.sin(2 * np.pi * hertz * TIME + phase) for hertz, phase in players) * np.minimum(
        TIME / 0.2, 1
    )
    audio = 0.01 * np.stack([both, both])
    exponent, amplitude = fit_key(
        audio, 48, dataclasses.replace(QUICK, sustained=True, chorus=True, lines=150)
    )
    sound = heard_again(exponent, amplitude)
    for begin, end, within in ((0.0, 0.05, 5), (0.1, 0.4, 1), (0.5, 2.5, 1)):
        part = slice(int(begin * RATE), int(end * RATE))
        assert abs(decibels(sound[:, part], audio[:, part])) < within


def test_a_recording_moved_up_an_octave_sounds_an_octave_higher_without_what_leaves_the_band():
    exponent, amplitude = np.array([-1 + 2j * np.pi * 300, -1 + 2j * np.pi * 5000]), np.ones((2, 2), complex)
    higher, kept = moved(exponent, amplitude, 12, RATE)
    assert higher.imag / 2 / np.pi == pytest.approx([600])
    assert kept.shape == (2, 1)


def struck(events, seconds, loud):
    """Fundamentals and octaves under a damper. loud: amplitude by velocity and frequency in Hz."""
    out = np.zeros((2, int(seconds * RATE)))
    down = {}
    for event in events:
        match event:
            case NoteOn(time, pitch, velocity):
                down[pitch] = (time, velocity)
            case NoteOff(time, pitch):
                start, velocity = down[pitch]
                first = round(start * RATE)
                t = np.arange(min(int(2.8 * RATE), out.shape[1] - first)) / RATE
                fade = velocity / 127 * np.exp(-t - 12 * np.maximum(t - (time - start), 0))
                for octave in range(2):
                    hertz = 440 * 2 ** ((pitch - 69) / 12 + octave)
                    wave = np.sin(2 * np.pi * hertz * t)
                    out[:, first : first + len(t)] += loud(velocity, hertz) * fade * wave
    return out.astype(np.float32)


def at_pitch(partials, hertz, key=39):
    """The amplitude at a frequency of a key, at velocity 127."""
    part = slice(partials.start[key], partials.start[key + 1])
    near = np.abs(partials.exponent[part].imag / 2 / np.pi - hertz) < 2
    return np.abs(partials.amplitude[0, part][near].sum())


def test_an_instrument_is_measured_whole_with_its_touch_and_its_damper():
    partials = fit_instrument(
        lambda events, seconds: struck(events, seconds, lambda velocity, hertz: 0.1),
        dataclasses.replace(QUICK, apart=22, seconds=2.0),
    )
    assert len(partials.start) == KEYS + 1
    assert (np.diff(partials.start) > 0).all()
    assert partials.gain[64] == pytest.approx(64 / 127, rel=0.02)
    assert partials.damping[90] == pytest.approx(12, rel=0.1)
    assert at_pitch(partials, 261.6) == pytest.approx(0.1, rel=0.1)


def test_what_velocity_does_to_the_spectrum_is_measured_as_colours_of_layers():
    def bright(velocity, hertz):
        return 0.02 if velocity <= 80 and hertz > 400 else 0.1

    config = dataclasses.replace(QUICK, apart=22, seconds=2.0, velocity=127, coloured=True)
    partials = fit_instrument(lambda events, seconds: struck(events, seconds, bright), config)
    assert np.flatnonzero(np.diff(partials.layer)).tolist() == [80]
    assert at_pitch(partials, 523.3) == pytest.approx(0.1, rel=0.1)
    tint = np.abs(partials.tint()[0]) * partials.gain[80] * 127 / 80
    hertz = partials.exponent.imag / 2 / np.pi
    for wanted, share in ((261.6, 1.0), (523.3, 0.2)):
        assert tint[np.abs(hertz - wanted) < 2] == pytest.approx(share, rel=0.2)
