"""Policies: how long a silence ends a phrase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.note import Event, Note, Pedal, events_of
from duet.phrase_end import Adaptive, Fixed, Phrase, Policy


def phrase(onsets: list[float], duration: float) -> list[Event]:
    return events_of(
        [Note(onset, 60 + index % 12, 80, onset + duration) for index, onset in enumerate(onsets)]
    )


def silence(policy: Policy, events: list[Event]) -> float:
    """Seconds from letting go to the end of the phrase."""
    quiet = events[-1].time if events else 0.0
    ending = policy(Phrase(events, 0.0, quiet))
    assert ending is not None
    return ending.time - quiet


def adaptive(events: list[Event]) -> float:
    return silence(Adaptive(), events)


def test_a_fixed_silence_does_not_listen() -> None:
    assert silence(Fixed(0.6), []) == 0.6
    assert silence(Fixed(0.6), phrase([0, 1, 2], 0.1)) == pytest.approx(0.6)


def test_a_fixed_silence_must_be_a_silence() -> None:
    with pytest.raises(ValueError, match="must last"):
        Fixed(0.0)


def test_a_player_who_leaves_no_gaps_is_answered_sooner_than_one_who_does() -> None:
    legato = adaptive(phrase([0.7 * k for k in range(8)], 0.69))
    detached = adaptive(phrase([0.7 * k for k in range(8)], 0.3))
    assert legato <= 0.4
    assert detached == pytest.approx(0.8)


def test_a_player_who_leaves_a_gap_is_not_cut_off_in_a_gap_of_that_length() -> None:
    assert adaptive(phrase([0, 0.4, 0.8, 1.2, 2.1], 0.3)) > 0.9


def test_what_the_pedal_holds_is_no_gap() -> None:
    played = phrase([0.7 * k for k in range(8)], 0.3)
    assert adaptive([Pedal(0.0, 127), *played, Pedal(6.0, 0)]) <= 0.4


def test_one_tap_gets_a_cautious_silence() -> None:
    assert adaptive(phrase([0.0], 0.1)) >= 0.7


def test_a_chord_counts_as_one_onset() -> None:
    chord = events_of([Note(0.001 * k, 60 + k, 80, 0.5) for k in range(5)])
    assert adaptive(chord) >= 0.7


@given(st.lists(st.floats(0, 60), max_size=30), st.floats(0.01, 3))
def test_the_silence_is_always_within_its_bounds(onsets: list[float], duration: float) -> None:
    assert 0.36 - 1e-9 <= adaptive(phrase(sorted(onsets), duration)) <= 1.2 + 1e-9
