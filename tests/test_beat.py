"""A beat is found where there is one, and only there."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duet.beat import LATELY, beat_of
from duet.note import Event, NoteOn

RHYTHMS = {
    "quarters": [1.0] * 12,
    "eighths": [0.5] * 16,
    "a march": [1.0, 0.5, 0.5, 1.0, 1.0, 0.75, 0.25, 1.0, 1.0, 0.5, 0.5, 1.0],
    "a waltz's tune": [2.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0],
    "syncopation": [0.5, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 0.5, 1.0, 1.0, 0.5, 0.5],
}


def played(rhythm: list[float], beat: float, sway: float = 0.0, seed: int = 0) -> list[Event]:
    """A rhythm in beats as strokes, each off by about `sway` seconds."""
    draw, time, events = random.Random(seed), 5.0, list[Event]()
    for length in rhythm:
        events.append(NoteOn(time + draw.gauss(0, sway), 60, 80))
        time += length * beat
    return events


@pytest.mark.parametrize("name", RHYTHMS)
@pytest.mark.parametrize("bpm", [66, 96, 120, 150])
def test_the_next_beat_of_a_clear_rhythm_lies_on_a_pulse_found(name: str, bpm: float) -> None:
    rhythm = RHYTHMS[name]
    found = beat_of(played(rhythm, 60 / bpm, sway=0.008))
    assert found is not None
    end = 5.0 + sum(rhythm) * 60 / bpm
    due = [end + k * 60 / bpm for k in range(3)]
    for time in due:
        late = found.next_part(time - 0.04, 0.35) - time
        assert late < 0.03, f"{late} s off the player's beat"


def test_a_pianists_sway_of_fifteen_milliseconds_leaves_a_beat_clear() -> None:
    found = [beat_of(played(RHYTHMS["a march"], 0.6, sway=0.015, seed=seed)) for seed in range(20)]
    assert sum(each is not None for each in found) >= 14


def test_free_time_has_no_beat() -> None:
    draw, found = random.Random(1), 0
    for _ in range(200):
        times = [5.0]
        for _ in range(LATELY - 1):
            times.append(times[-1] + draw.uniform(0.08, 0.9))
        found += beat_of([NoteOn(time, 60, 80) for time in times]) is not None
    assert found <= 6


def test_a_few_strokes_are_not_enough_for_a_beat() -> None:
    assert beat_of(played([0.5] * 5, 0.5)) is None
    assert beat_of([]) is None


def test_the_notes_of_a_chord_are_one_stroke() -> None:
    single = played(RHYTHMS["a march"], 0.5)
    chords: list[Event] = [NoteOn(e.time + k * 0.008, 60 + 4 * k, 80) for e in single for k in range(3)]
    assert (a := beat_of(single)) is not None
    assert (b := beat_of(chords)) is not None
    assert a.bpm == pytest.approx(b.bpm)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 30), max_size=40))
def test_any_strokes_at_all_are_taken(times: list[float]) -> None:
    beat_of([NoteOn(time, 60, 80) for time in sorted(times)])
