"""The scrolling piano roll: the last 20 seconds, a now-line, and what the partner has planned."""

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from duet.news import Who
from terminal_ui.drawing import LEVELS, PAPER, Cell, dots_of, ink_of, loudness_of, picture_of
from terminal_ui.painted import Painted
from terminal_ui.palette import Palette
from terminal_ui.score import Score
from terminal_ui.view import PitchRange, TimeScale

GUTTER = 4
"""Columns for the names of the octaves."""


class Roll(Painted):
    """Draws a score around now; repaints only when something has moved by half a column."""

    def __init__(self, score: Score, palette: Palette) -> None:
        super().__init__(palette)
        self._score = score
        self._inks = palette.inks()
        self._ahead = Color.parse(palette.ahead)
        self._pitches: PitchRange | None = None
        self._drawn: tuple[int, int, int, int] | None = None
        self._columns = 0
        self._drawn_lines: list[tuple[str, dict[int, Cell]]] = []
        """The label and the cells of each line, as drawn; a line that has not changed is left alone."""
        self._cell_style = lru_cache(maxsize=512)(self._style_of)
        paper = palette.paper
        self._label = Style(color=palette.quiet, bgcolor=paper)
        self._past_guide = Style(color=palette.guide, bgcolor=paper)
        self._ahead_guide = Style(color=palette.guide, bgcolor=palette.ahead)
        self._now = Style(color=palette.text, bgcolor=paper)

    def show(self, now: float) -> None:
        """Draw what is around this time, if it looks any different from what is there."""
        columns, rows = self.size.width - GUTTER, self.size.height - 1
        if columns < 4 or rows < 1:
            return
        times = TimeScale(columns, now)
        drawn = (times.tick, self._score.version, columns, rows)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        notes = list(self._score.between(times.start, times.end))
        self._pitches = PitchRange.fitting({note.pitch for note in notes}, 2 * rows, self._pitches)
        picture = picture_of(dots_of(notes, self._pitches, times), self._palette.shapes)
        picture.append(self._pedal_cells(times))
        octaves = {self._pitches.rows(pitch)[-1] // 2: f"C{pitch // 12 - 1}" for pitch in range(0, 128, 12)}
        labels = [f"{octaves.get(row, ''):>{GUTTER - 1}} " for row in range(rows)] + ["ped "]
        lines = list(zip(labels, picture, strict=True))
        if len(self._drawn_lines) != len(lines) or self._columns != columns:
            self._drawn_lines, self._columns = [("", {})] * len(lines), columns
            self._lines = [Strip.blank(columns + GUTTER)] * len(lines)
        stale = [row for row, line in enumerate(lines) if line != self._drawn_lines[row]]
        for row in stale:
            self._lines[row] = self._row(*lines[row], times)
        self._drawn_lines = lines
        if stale:
            self.refresh(*_regions(stale, self.size.width))

    def _row(self, label: str, cells: dict[int, Cell], times: TimeScale) -> Strip:
        """A line: the cells, and between them blanks, a guide where an octave begins, and the now-line."""
        blank = "┈" if "C" in label else " "
        now, columns = times.now_column, times.columns
        segments = [Segment(label, self._label)]
        text, style = "", self._label

        def put(more: str, look: Style) -> None:
            nonlocal text, style
            if look is style:
                text += more
                return
            if text:
                segments.append(Segment(text, style))
            text, style = more, look

        def skip(start: int, end: int) -> None:
            if start < min(end, now):
                put(blank * (min(end, now) - start), self._past_guide)
            if start <= now < end:
                put("│", self._now)
            if end > max(start, now + 1):
                put(blank * (end - max(start, now + 1)), self._ahead_guide)

        column = 0
        for place in sorted(place for place in cells if 0 <= place < columns):
            if place > column:
                skip(column, place)
            character, fore, back = cells[place]
            put(character, self._cell_style(fore, back, place > now))
            column = place + 1
        skip(column, columns)
        segments.append(Segment(text, style))
        return Strip(segments, columns + GUTTER)

    def _pedal_cells(self, times: TimeScale) -> dict[int, Cell]:
        """The bottom line: where a sustain pedal is down, and whose."""
        cells: dict[int, Cell] = {}
        for pedal in self._score.pedals:
            first = times.half_column(pedal.onset) // 2
            last = times.half_column(times.now if pedal.offset is None else pedal.offset) // 2
            mark = "╍" if self._palette.shapes and pedal.who is Who.PARTNER else "━"
            for column in range(max(0, first), min(times.columns, last + 1)):
                cells[column] = mark, ink_of(pedal.who, 100, column > times.now_column), PAPER
        return cells

    def _style_of(self, fore: int, back: int, ahead: bool) -> Style:
        paper = self._ahead if ahead else self._inks[PAPER]
        colours = self._inks[fore] if fore else paper, self._inks[back] if back else paper
        loud = self._palette.shapes and loudness_of(fore) == LEVELS - 1
        return Style.from_color(*colours) + Style(bold=loud)


def _regions(rows: list[int], width: int) -> list[Region]:
    """The rows, those that touch taken together: each region costs a walk over the screen's layout."""
    regions: list[Region] = []
    for row in rows:
        if regions and regions[-1].bottom == row:
            regions[-1] = Region(0, regions[-1].y, width, regions[-1].height + 1)
        else:
            regions.append(Region(0, row, width, 1))
    return regions
