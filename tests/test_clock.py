"""Following a MIDI clock through its jitter; tapping a tempo."""

import random

import pytest

from duet.clock import (
    CLOCK,
    CONTINUE,
    POSITION,
    START,
    STOP,
    TICKS,
    ClockIn,
    Started,
    Stopped,
    Taps,
    ticks_between,
)
from duet.tempo import Tempo


def feed(clock: ClockIn, bpm: float, start: float, beats: float, jitter: float = 0.0, seed: int = 1) -> float:
    """Ticks from `start` on, each up to `jitter` seconds late; return when the next would be."""
    chance = random.Random(seed)
    period = 60 / bpm / TICKS
    for tick in range(round(beats * TICKS)):
        clock.take((CLOCK,), start + tick * period + chance.uniform(0, jitter))
    return start + round(beats * TICKS) * period


def test_a_steady_clock_is_read_exactly() -> None:
    clock = ClockIn()
    assert clock.take((START,), 9.99) == [Started(0.0)]
    feed(clock, 96, 10.0, 4)
    assert clock.tempo is not None
    assert clock.tempo.bpm == pytest.approx(96)
    assert clock.tempo.start == pytest.approx(10.0)


def test_jitter_of_a_jack_period_is_smoothed_to_a_tenth() -> None:
    clock = ClockIn()
    clock.take((START,), 0.0)
    feed(clock, 120, 0.0, 8, jitter=0.0107)
    assert clock.tempo is not None
    assert clock.tempo.bpm == pytest.approx(120, rel=0.002)
    worst = max(abs(clock.tempo.time_of(beat) - (beat * 0.5 + 0.0107 / 2)) for beat in range(8, 12))
    assert worst < 0.0015


def test_a_new_tempo_is_followed_within_two_bars() -> None:
    clock = ClockIn()
    clock.take((START,), 0.0)
    now = feed(clock, 100, 0.0, 8, jitter=0.005)
    feed(clock, 112, now, 8, jitter=0.005)
    assert clock.tempo is not None
    assert clock.tempo.bpm == pytest.approx(112, rel=0.005)
    assert clock.tempo.time_of(16) == pytest.approx(now + 8 * 60 / 112, abs=0.01)


def test_one_tick_that_comes_far_too_late_moves_nothing_much() -> None:
    clock = ClockIn()
    clock.take((START,), 0.0)
    period = 60 / 120 / TICKS
    for tick in range(96):
        clock.take((CLOCK,), tick * period + (0.019 if tick == 80 else 0))
    assert clock.tempo is not None
    assert clock.tempo.time_of(4) == pytest.approx(2.0, abs=0.002)


def test_song_position_and_continue_count_from_there() -> None:
    clock = ClockIn()
    sixteenths = 4 * 4 * 2 + 4  # two bars and a beat
    clock.take((POSITION, sixteenths & 0x7F, sixteenths >> 7), 0.0)
    assert clock.take((CONTINUE,), 0.0) == [Started(9.0)]
    feed(clock, 120, 5.0, 3)
    assert clock.tempo is not None
    assert clock.tempo.time_of(9) == pytest.approx(5.0)
    assert clock.tempo.next_bar(5.0) == pytest.approx(5.0 + 3 * 0.5)


def test_stop_means_stop_and_start_begins_again_at_the_top() -> None:
    clock = ClockIn()
    clock.take((START,), 0.0)
    now = feed(clock, 120, 0.0, 5)
    assert clock.take((STOP,), now) == [Stopped()]
    assert clock.tempo is None
    assert clock.take((STOP,), now) == [], "said once"
    feed(clock, 120, now, 4)  # many sequencers go on ticking
    assert clock.tempo is None
    now += 2.0
    assert clock.take((START,), now - 0.001) == [Started(0.0)]
    feed(clock, 120, now, 1)
    assert clock.tempo is not None
    assert clock.tempo.time_of(0) == pytest.approx(now, abs=1e-6)


def test_a_clock_that_falls_silent_has_stopped_without_saying_so() -> None:
    clock = ClockIn()
    clock.take((START,), 0.0)
    now = feed(clock, 120, 0.0, 5)
    assert clock.check(now + 0.02) == []
    assert clock.check(now + 1.0) == [Stopped()]
    assert clock.check(now + 2.0) == []


def test_a_drum_machine_that_only_ticks_is_followed_all_the_same() -> None:
    clock = ClockIn()
    feed(clock, 90, 0.0, 1)
    assert clock.tempo is None
    feed(clock, 90, 60 / 90, 3)
    assert clock.tempo is not None
    assert clock.tempo.bpm == pytest.approx(90)


def test_a_clock_out_of_all_bounds_is_no_tempo() -> None:
    clock = ClockIn()
    clock.take((START,), 0.0)
    feed(clock, 2000, 0.0, 4)
    assert clock.tempo is None


def test_ticks_are_planned_once_each_through_changes_of_tempo() -> None:
    tempo = Tempo(120, 0.0)
    first = ticks_between(tempo, 0, 0.1)
    assert [number for number, _ in first] == [0, 1, 2, 3, 4]
    slower = tempo.changed(60, 0.1)
    then = ticks_between(slower, 5, 0.3)
    assert [number for number, _ in then] == [5, 6, 7, 8, 9]
    assert then[0][1] > first[-1][1]


def test_two_taps_are_a_tempo_and_more_make_it_surer() -> None:
    taps = Taps()
    assert taps.tap(10.0) is None
    tempo = taps.tap(10.5)
    assert tempo is not None
    assert tempo.bpm == pytest.approx(120)
    tempo = taps.tap(11.02)
    assert tempo is not None
    tempo = taps.tap(11.5)
    assert tempo is not None
    assert tempo.bpm == pytest.approx(120, abs=5)
    assert taps.tap(20.0) is None, "after a rest it begins anew"
