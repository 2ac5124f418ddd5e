"""A machine that is too slow for its voice is told so, and what to do."""

from collections.abc import Iterator

import numpy as np

from duet.ports import Block, Timeline
from duet.self_test import ENOUGH, advice, measure_speed


class Toiling:
    """A voice whose every block of 10 ms costs `cost` seconds of a clock that nothing else moves."""

    sample_rate, channels, block_length = 1000, 1, 10

    def __init__(self, cost: float) -> None:
        self.cost = cost
        self.now = 0.0
        self.blocks = 0

    def render(self, timeline: Timeline) -> Iterator[Block]:
        while True:
            timeline.take((self.blocks + 1) * 0.01)
            self.now += self.cost
            self.blocks += 1
            yield np.zeros((10, 1), np.float32)


def test_the_speed_is_sound_over_computing() -> None:
    voice = Toiling(0.002)
    assert abs(measure_speed(voice, clock=lambda: voice.now) - 5) < 0.01


def test_a_slow_voice_is_not_tested_for_longer_than_a_second() -> None:
    voice = Toiling(0.25)
    assert abs(measure_speed(voice, clock=lambda: voice.now) - 0.04) < 0.001
    assert voice.now <= 1.5


def test_a_slow_machine_is_told_what_to_do_and_a_fast_one_nothing() -> None:
    assert advice("piano", ENOUGH) == ""
    told = advice("piano-ar", 0.42)
    assert "0.4 times real time" in told
    assert all(way in told for way in ("--voice piano ", "--voice sine", "--audio none --out"))
    assert "--voice piano " not in advice("piano", 0.42)
