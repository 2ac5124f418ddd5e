"""The level meter: how loud Duet's voice is, as a column beside the roll, with its peak and a warning."""

from math import log10

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from terminal_ui.painted import Painted
from terminal_ui.palette import Palette

_FLOOR = -48.0
"""dB of full scale at the bottom."""
_FALL = 30.0
"""dB a second by which the column sinks; it rises at once."""
_HELD = 1.5
"""Seconds for which the peak stands."""
_WARNED = 2.0
"""Seconds for which clipping is told."""
_HOT = -3.0
"""dB from which the column is red."""
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Meter(Painted):
    """Repaints only when it has moved by an eighth of a cell."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._level, self._told = _FLOOR, 0.0
        self._peak, self._peak_told = _FLOOR, 0.0
        self._clipped = -_WARNED
        self._muted = False
        self._drawn: tuple[int, int, bool, bool] | None = None

    def level(self, peak: float, now: float) -> None:
        """The voice has been this loud (0..1 of full scale)."""
        decibels = max(_FLOOR, 20 * log10(peak)) if peak > 0 else _FLOOR
        self._level, self._told = max(decibels, self._sunk(now)), now
        if decibels >= self._peak or now - self._peak_told > _HELD:
            self._peak, self._peak_told = decibels, now
        if peak >= 1.0:
            self._clipped = now

    def mute(self, muted: bool) -> None:
        """Say that the voice is silenced, or no longer."""
        self._muted = muted

    def show(self, now: float) -> None:
        """Draw this moment, if it looks any different."""
        level = self._eighths(self._sunk(now))
        peak = self._eighths(self._peak) // 8 if now - self._peak_told <= _HELD else 0
        drawn = level, peak, now - self._clipped <= _WARNED, self._muted
        if drawn == self._drawn:
            return
        before, self._drawn = self._drawn, drawn
        height = self.size.height
        if before is None or before[1:] != drawn[1:] or len(self._lines) != height:
            rows = range(height)
        else:  # only the rows between, where it has risen or sunk
            low, high = sorted((before[0] // 8, level // 8))
            rows = range(max(0, height - 1 - high), height - low)
        self._lines = [self._row(y) if y in rows else line for y, line in enumerate(self._padded(height))]
        self.refresh(Region(0, rows.start, self.size.width, len(rows)))

    def on_resize(self) -> None:
        """Draw all of it the next time."""
        self._drawn = None

    def _padded(self, height: int) -> list[Strip]:
        return (self._lines + [Strip.blank(self.size.width)] * height)[:height]

    def _row(self, y: int) -> Strip:
        """One line of the column."""
        palette, width, height = self._palette, self.size.width, self.size.height
        level, peak, clipped, muted = self._drawn or (0, 0, False, False)
        paper = palette.panel
        if muted:
            word, top = "MUTED", (height - 5) // 2
            letter = word[y - top] if 0 <= y - top < len(word) else " "
            style = Style(color=palette.text, bgcolor=paper, bold=True)
            return Strip([Segment(f" {letter}".ljust(width), style)], width)
        if clipped and y == 0:
            return Strip(
                [Segment("CLIP"[-width:].ljust(width), Style(color=palette.error, bgcolor=paper, bold=True))],
                width,
            )
        row = height - 1 - y
        hot = _FLOOR * (1 - (row + 1) / height) > _HOT
        colour = palette.error if hot else palette.partner[1]
        character = _EIGHTHS[max(0, min(8, level - 8 * row))]
        if character == " " and peak and row == min(peak, height - 1):
            character = "▔"
        return Strip([Segment(f" {character * (width - 2)} ", Style(color=colour, bgcolor=paper))], width)

    def _sunk(self, now: float) -> float:
        return max(_FLOOR, self._level - _FALL * max(0.0, now - self._told))

    def _eighths(self, decibels: float) -> int:
        return round(8 * self.size.height * (1 - decibels / _FLOOR))
