"""The grid loses nothing."""

import numpy as np
import pytest

from duet.note import NoteOff, NoteOn, Pedal
from duet.roll import Grid, Roll, frames_of

GRID = Grid(sample_rate=32000, hop_length=128)


def test_the_frame_rate_is_derived_and_never_drifts() -> None:
    odd = Grid(sample_rate=44100, hop_length=256)
    for frame in (0, 1, 1000, 10_000_000):
        assert odd.frame_of(odd.seconds_of(frame)) == frame


def test_a_note_shorter_than_a_frame_is_not_lost() -> None:
    frames = frames_of([NoteOn(0.0101, 60, 127), NoteOff(0.0102, 60)], GRID, 6)
    assert [frame.onset[60] for frame in frames] == [0, 0, 1, 0, 0, 0]
    assert frames[2].release[60] == 1
    assert not any(frame.ringing[60] for frame in frames)


def test_the_pedal_holds_what_the_key_lets_go() -> None:
    events = [NoteOn(0.0, 60, 100), Pedal(0.004, 127), NoteOff(0.008, 60), Pedal(0.016, 0)]
    frames = frames_of(events, GRID, 6)
    assert [bool(frame.held[60]) for frame in frames] == [True, True, False, False, False, False]
    assert [bool(frame.ringing[60]) for frame in frames] == [True, True, True, True, False, False]
    assert [frame.release[60] for frame in frames] == [0, 0, 0, 0, 1, 0]


def test_a_key_held_when_the_pedal_comes_up_rings_on() -> None:
    roll = Roll()
    roll.step([Pedal(0.0, 127), NoteOn(0.0, 60, 100)])
    frame = roll.step([Pedal(0.0, 0)])
    assert frame.ringing[60] == pytest.approx(100 / 127)
    assert frame.release[60] == 0


def test_a_note_struck_again_in_the_frame_of_its_release_sounds() -> None:
    roll = Roll()
    roll.step([NoteOn(0.0, 60, 50)])
    frame = roll.step([NoteOff(0.0, 60), NoteOn(0.0, 60, 100)])
    assert frame.onset[60] == frame.held[60] == np.float32(100 / 127)
    assert frame.release[60] == 0


def test_half_a_pedal_is_told_as_it_is() -> None:
    assert Roll().step([Pedal(0.0, 32)]).pedal == pytest.approx(32 / 127)
