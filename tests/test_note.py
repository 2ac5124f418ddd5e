"""The vocabulary checks itself, and pairs presses with releases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.note import Note, NoteOff, NoteOn, Pedal, events_of, let_go, notes_of


@pytest.mark.parametrize("velocity", [0, 128, -1])
def test_a_velocity_outside_1_to_127_is_a_slip(velocity: int) -> None:
    with pytest.raises(ValueError, match="velocity"):
        NoteOn(0.0, 60, velocity)


@pytest.mark.parametrize("pitch", [-1, 128])
def test_a_pitch_outside_0_to_127_is_a_slip(pitch: int) -> None:
    with pytest.raises(ValueError, match="pitch"):
        NoteOff(0.0, pitch)


def test_a_note_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="end after"):
        Note(1.0, 60, 80, 1.0)


def test_a_key_struck_again_ends_its_earlier_note() -> None:
    events = [NoteOn(0.0, 60, 80), NoteOn(1.0, 60, 90), NoteOff(2.0, 60)]
    assert notes_of(events) == [Note(0.0, 60, 80, 1.0), Note(1.0, 60, 90, 2.0)]


def test_a_key_never_released_ends_with_the_piece() -> None:
    assert notes_of([NoteOn(0.0, 60, 80), NoteOn(3.0, 64, 80), NoteOff(4.0, 64)])[0].offset == 4.0


def test_letting_go_ends_all_that_sounds_and_nothing_else() -> None:
    events = [NoteOn(0.0, 60, 80), NoteOn(0.1, 64, 80), NoteOff(0.2, 60), Pedal(0.3, 127)]
    assert let_go(events, 1.0) == [NoteOff(1.0, 64), Pedal(1.0, 0)]
    assert let_go([*events, *let_go(events, 1.0)], 2.0) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 127), st.integers(1, 127)), unique_by=lambda n: n[1]
    )
)
def test_notes_survive_being_events(raw: list[tuple[int, int, int]]) -> None:
    notes = sorted((Note(t, p, v, t + 0.5) for t, p, v in raw), key=lambda note: (note.onset, note.pitch))
    assert notes_of(events_of(notes)) == notes
