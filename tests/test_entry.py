"""An answer comes in on the nearest beat that is early or late enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.entry import AHEAD, EARLIER, HARDLY, LONGEST_STEP, SHORTEST, entry
from duet.tempo import Tempo

BEAT = Tempo(120.0)
"""Places 0.25 s apart, from 0."""


def steady(until: float, apart: float = 0.5) -> list[float]:
    return [k * apart for k in range(round(until / apart) + 1)]


def test_a_little_after_a_beat_it_is_asked_for_just_before_that_beat() -> None:
    found = entry(3.10, 2.40, steady(2.0), BEAT)
    assert found == pytest.approx((3.0 - AHEAD, 3.0))


def test_a_little_before_a_beat_it_is_asked_for_no_sooner_than_need_be() -> None:
    found = entry(2.68, 2.40, steady(2.0), BEAT)
    assert found == pytest.approx((2.75 - AHEAD, 2.75)), "20 ms later than decided: a stroke may still come"


def test_a_silence_is_not_cut_short_while_the_next_stroke_may_still_come() -> None:
    slow = steady(2.0, 1.0)
    assert entry(2.80, 2.40, slow, BEAT) == pytest.approx((3.0 - AHEAD, 3.0)), "after 2.0 comes 3.0"


@given(
    st.floats(20, 400),
    st.floats(0, 3),
    st.lists(st.floats(0.05, 2), min_size=1, max_size=30),
    st.floats(0, 2),
    st.floats(0.3, 1.4),
)
def test_it_is_on_the_beat_within_a_step_and_no_silence_is_cut_shorter_than_may_be(
    bpm: float, start: float, apart: list[float], held: float, silence: float
) -> None:
    strokes = [sum(apart[:k]) for k in range(len(apart) + 1)]
    quiet, beat = strokes[-1] + held, Tempo(bpm, start)
    decided = quiet + silence
    found = entry(decided, quiet, strokes, beat)
    assert found is not None
    asked, begin = found
    step = beat.part_s(LONGEST_STEP)
    assert (begin - start) / step == pytest.approx(round((begin - start) / step), abs=1e-6)
    assert asked == pytest.approx(begin - AHEAD)
    assert begin - decided <= step + AHEAD
    if asked < decided - HARDLY - 1e-9:
        assert asked >= decided - EARLIER - 1e-9
        assert asked >= quiet + SHORTEST - 1e-9
