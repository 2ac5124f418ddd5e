"""Where beats and bars lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.tempo import FASTEST, SLOWEST, Tempo

tempi = st.builds(Tempo, st.floats(SLOWEST, FASTEST), st.floats(-1e5, 1e5), st.integers(1, 12))
times = st.floats(-1e5, 1e5)


def test_a_hundred_and_twenty_beats_a_minute_fall_every_half_second() -> None:
    tempo = Tempo(120, start=10.0)
    assert [tempo.time_of(beat) for beat in range(3)] == [10.0, 10.5, 11.0]
    assert tempo.bar_s == 2.0
    assert tempo.beat_at(10.75) == 1.5


def test_the_next_bar_line_is_found_also_before_the_first() -> None:
    tempo = Tempo(60, start=100.0, beats_in_bar=3)
    assert tempo.next_bar(100.1) == 103.0
    assert tempo.next_bar(98.5) == 100.0
    assert tempo.next_bar(101.0, every=2) == 106.0


def test_a_time_on_the_beat_is_its_own_next_beat() -> None:
    tempo = Tempo(93.7, start=0.123)
    for beat in range(1000):
        assert tempo.next_beat(tempo.time_of(beat)) == pytest.approx(tempo.time_of(beat))


@given(tempi, times, st.integers(1, 8))
def test_the_next_beat_is_not_before_and_less_than_a_beat_away(tempo: Tempo, time: float, every: int) -> None:
    ahead = tempo.next_beat(time, every) - time
    assert -2e-6 * every * tempo.beat_s - 1e-9 <= ahead < every * tempo.beat_s + 1e-9


@given(tempi, times, st.floats(SLOWEST, FASTEST))
def test_a_change_of_pace_keeps_the_place_in_the_bar(tempo: Tempo, now: float, bpm: float) -> None:
    changed = tempo.changed(bpm, now)
    assert changed.beat_at(now) == pytest.approx(tempo.beat_at(now), rel=1e-6, abs=1e-4)
    assert changed.beats_in_bar == tempo.beats_in_bar


@pytest.mark.parametrize(
    "wrong", [{"bpm": 0}, {"bpm": 1e9}, {"bpm": 90, "beats_in_bar": 0}, {"bpm": 90, "start": float("nan")}]
)
def test_a_tempo_nobody_can_play_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Tempo(**wrong)  # type: ignore[arg-type]
