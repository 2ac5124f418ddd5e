"""Time on a beat grid: where the beats and bars of a tempo lie, on the session clock. Pure values."""

import math
from dataclasses import dataclass, replace

SLOWEST, FASTEST = 20.0, 400.0
"""Bounds of a tempo, beats a minute."""
ON_THE_BEAT = 1e-6
"""Of a beat: nearer than this a time is taken to lie on it, so that rounding never costs a whole beat."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """A steady beat. Beats count from 0, the first of a bar; they go on below 0 before `start`."""

    bpm: float
    """Beats a minute, SLOWEST..FASTEST."""
    start: float = 0.0
    """When beat 0 sounds, seconds on the session clock."""
    beats_in_bar: int = 4

    def __post_init__(self) -> None:
        if not SLOWEST <= self.bpm <= FASTEST:
            raise ValueError(f"a tempo must be {SLOWEST:.0f} .. {FASTEST:.0f} bpm, got {self.bpm:g}")
        if self.beats_in_bar < 1:
            raise ValueError(f"a bar must have at least one beat, got {self.beats_in_bar}")
        if not math.isfinite(self.start):
            raise ValueError(f"beat 0 must lie at a time, got {self.start}")

    @property
    def beat_s(self) -> float:
        """Seconds from one beat to the next."""
        return 60.0 / self.bpm

    @property
    def bar_s(self) -> float:
        """Seconds from one bar line to the next."""
        return self.beats_in_bar * self.beat_s

    def beat_at(self, time: float) -> float:
        """Beats passed by `time`, with their fraction: 4.5 is halfway through the second bar's first."""
        return (time - self.start) / self.beat_s

    def time_of(self, beat: float) -> float:
        """When that beat sounds."""
        return self.start + beat * self.beat_s

    def next_beat(self, time: float, every: int = 1) -> float:
        """When the first beat at or after `time` sounds whose number `every` divides."""
        return self.time_of(every * math.ceil(self.beat_at(time) / every - ON_THE_BEAT))

    def part_s(self, longest: float) -> float:
        """Seconds of a beat, or of the half (quarter ...) beat that is no longer than `longest`."""
        return self.beat_s / (1 << max(0, math.ceil(math.log2(self.beat_s / longest) - ON_THE_BEAT)))

    def next_part(self, time: float, longest: float) -> float:
        """The first beat or half (quarter ...) beat from `time` on; beats are halved until `longest` s apart."""
        part = self.part_s(longest)
        return self.start + part * math.ceil((time - self.start) / part - ON_THE_BEAT)

    def next_bar(self, time: float, every: int = 1) -> float:
        """When the first bar line at or after `time` sounds whose bar number `every` divides."""
        return self.next_beat(time, every * self.beats_in_bar)

    def changed(self, bpm: float, now: float) -> "Tempo":
        """Another pace from `now` on, at the same place in the bar."""
        return replace(self, bpm=bpm, start=now - self.beat_at(now) * 60.0 / bpm)
