"""Policies: how long a silence ends a phrase."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.entry import AHEAD, LONGEST_STEP, SHORTEST
from duet.note import Event, Note, NoteOn, Pedal, events_of
from duet.phrase_end import (
    PREPARATION,
    Adaptive,
    Bars,
    Expectation,
    Explicit,
    Fixed,
    Gaps,
    Learned,
    Phrase,
    Policy,
)  # fmt: skip
from duet.tempo import Tempo


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
    onsets = [0.0, 0.7, 1.4, 2.1, 2.95, 3.6, 4.35]
    legato = adaptive(phrase(onsets, 0.64))
    detached = adaptive(phrase(onsets, 0.3))
    assert legato <= 0.45
    assert detached == pytest.approx(2 * (0.85 - 0.3))


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
    assert 0.36 - 1e-9 <= silence(Gaps(), phrase(sorted(onsets), duration)) <= 1.2 + 1e-9
    assert SHORTEST - 1e-9 <= adaptive(phrase(sorted(onsets), duration)) <= 1.2 + LONGEST_STEP


FREE = [0.0, 0.25, 0.62, 0.85, 1.21, 1.5, 1.71, 2.06]
"""Strokes that keep no beat."""


def expecting(rest: float | None, onsets: int = 8) -> float:
    """Seconds that `learned` waits where the partner thinks a rest so likely."""
    events = phrase(FREE[:onsets], 0.2)
    quiet = events[-1].time
    expected = None if rest is None else Expectation(quiet, rest)
    ending = Learned()(Phrase(events, 0.0, quiet, expected))
    assert ending is not None
    return ending.time - quiet


def test_the_likelier_a_rest_the_sooner_the_answer() -> None:
    waits = [expecting(rest) for rest in (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] == pytest.approx(1.4)
    assert waits[-3:] == pytest.approx([0.36] * 3)
    assert 0.36 < waits[4] < 0.9


def test_a_partner_without_an_idea_leaves_it_to_the_silences() -> None:
    assert expecting(None) == pytest.approx(adaptive(phrase(FREE, 0.2)))


def test_however_sure_the_partner_three_notes_are_not_jumped_upon() -> None:
    assert expecting(1.0, onsets=3) >= 0.7


@pytest.mark.parametrize(
    ("began", "line"), [(8.0, 12.0), (8.7, 12.0), (9.4, 12.0), (9.5, 14.0), (9.9, 14.0), (-0.1, 4.0)]
)
def test_two_bars_count_from_the_bar_that_the_first_key_began_or_led_up_to(began: float, line: float) -> None:
    # 120 beats a minute, four in a bar: bars of two seconds from time 0.
    ending = Bars(2)(Phrase([NoteOn(began, 60, 80)], began, None, tempo=Tempo(120.0)))
    assert ending is not None
    assert ending.begin == pytest.approx(line)
    assert ending.time == pytest.approx(line - PREPARATION)
    assert ending.bars == 2


def test_without_a_clock_bars_are_left_to_the_silences() -> None:
    events = phrase([0.3 * k for k in range(8)], 0.29)
    assert silence(Bars(4), events) == pytest.approx(adaptive(events))


def test_nothing_but_the_player_ends_an_explicit_phrase() -> None:
    assert Explicit()(Phrase(phrase([0, 1], 0.2), 0.0, 1.2, Expectation(1.2, 1.0), Tempo(120.0))) is None


def after(policy: Policy, onsets: list[float], rest: float, duration: float = 0.29) -> float:
    """Seconds that a policy waits after these strokes, where the partner thinks a rest so likely."""
    events = phrase(onsets, duration)
    quiet = events[-1].time
    ending = policy(Phrase(events, onsets[0], quiet, Expectation(quiet, rest)))
    assert ending is not None
    return ending.time - quiet


def test_a_short_call_is_answered_by_its_gaps_even_if_the_partner_expects_more() -> None:
    assert after(Learned(), FREE, rest=0.1, duration=0.2) == pytest.approx(1.4)
    assert after(Adaptive(), FREE, rest=0.1, duration=0.2) == pytest.approx(0.36)


def test_who_plays_on_for_long_is_judged_by_the_partners_ear() -> None:
    draw = random.Random(3)
    free = list(itertools.accumulate(draw.uniform(0.3, 1.1) for _ in range(30)))
    assert after(Adaptive(), free, rest=0.1) == pytest.approx(1.4)
    assert after(Adaptive(), free, rest=0.3) == pytest.approx(0.36)


def test_a_steady_tune_is_over_when_its_next_beat_has_not_come() -> None:
    tune = [0.5 * k for k in range(24)]  # then 1.3 beats of nothing, and the half beat after them
    assert after(Adaptive(), tune, rest=0.1, duration=0.2) == pytest.approx(1.5 * 0.5 - 0.2 - AHEAD)


def test_a_steady_phrase_is_answered_on_its_beat_and_the_turn_is_kept_until_just_before() -> None:
    events = phrase([0.22 * k for k in range(8)], 0.18)  # the last key comes up at 1.72
    ending = Adaptive()(Phrase(events, 0.0, 1.72, Expectation(1.72, 0.1)))
    assert ending is not None
    assert ending.begin == pytest.approx(9 * 0.22)
    assert ending.time == pytest.approx(9 * 0.22 - AHEAD)
    free = phrase(FREE, 0.2)
    ending = Adaptive()(Phrase(free, 0.0, free[-1].time, Expectation(free[-1].time, 0.1)))
    assert ending is not None
    assert ending.begin is None
