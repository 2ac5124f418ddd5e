"""Where a time and a pitch land on the roll; pure.

A cell of the terminal holds 2 x 2 dots: two half-columns of time, two half-rows of pitch. Half-columns
are counted on the session clock, not from the left edge, so a note keeps its shape while it scrolls.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil, floor
from typing import Self

PAST = 20.0
"""Seconds of music to the left of now."""
_PAST_SHARE = 0.78
"""Of the width; the rest is what the partner has planned."""
_SHORTEST_MOVE = 0.08
"""Seconds; a wide roll moves by whole columns, since every move is a repaint."""
_NARROWEST = 24
"""Semitones always shown, so that one note does not fill the screen."""
_MARGIN = 1
"""Semitones left free above and below what is played."""
_SLACK = 1.6
"""A range this much wider than needed is tightened."""


@dataclass(frozen=True, slots=True)
class PitchRange:
    """The pitches from the bottom half-row to the top one."""

    low: int
    """MIDI note number."""
    high: int
    """MIDI note number, included."""
    half_rows: int
    """How many half-rows they share."""

    @classmethod
    def fitting(cls, pitches: Collection[int], half_rows: int, before: Self | None = None) -> Self:
        """The range that shows these pitches as large as they can be; `before` is kept while it will do."""
        same_size = before is not None and before.half_rows == half_rows
        if not pitches:
            if before is not None and same_size:
                return before
            pitches = range(before.low + 1, before.high) if before is not None else (48, 84)
        low, high = min(pitches) - _MARGIN, max(pitches) + _MARGIN
        needed = max(high - low + 1, _NARROWEST)
        thickness = 2 if needed * 2 <= half_rows else 1
        span = max(needed, half_rows // thickness)
        if (
            before is not None
            and same_size
            and before.low <= min(pitches)
            and max(pitches) <= before.high
            and before.high - before.low + 1 <= span * _SLACK
        ):
            return before
        low = max(0, min(low - (span - (high - low + 1)) // 2, 128 - span))
        return cls(low, min(low + span - 1, 127), half_rows)

    def rows(self, pitch: int) -> range:
        """The half-rows of a pitch, counted from the top; never empty."""
        span = self.high - self.low + 1
        top = (self.high - pitch) * self.half_rows // span
        return range(top, max(top + 1, (self.high - pitch + 1) * self.half_rows // span))


class TimeScale:
    """The seconds from the left edge to the right one, at one moment."""

    __slots__ = ("columns", "now", "now_column", "step", "tick")

    def __init__(self, columns: int, now: float) -> None:
        self.columns = columns
        self.now = now
        """Seconds on the session clock."""
        self.now_column = max(1, round(columns * _PAST_SHARE))
        """The column of the now-line."""
        self.step = PAST / (2 * self.now_column)
        """Seconds to a half-column."""
        stride = ceil(_SHORTEST_MOVE / self.step)
        self.tick = floor(now / self.step / stride) * stride
        """Counts half-columns of time; while it stays, nothing moves."""

    def half_column(self, time: float) -> int:
        """Where this time is, counted in half-columns from the left edge; may be outside."""
        return floor(time / self.step) - self.tick + 2 * self.now_column

    @property
    def start(self) -> float:
        """The time at the left edge."""
        return self.now - PAST

    @property
    def end(self) -> float:
        """The time at the right edge."""
        return self.now + 2 * (self.columns - self.now_column) * self.step
