"""The beat light: a disc that lights on each beat, a square on a bar's first, and the tempo beside it."""

from collections import deque

from textual.content import Content
from textual.widget import Widget

from duet.news import Beat
from terminal_ui import lettering

_LIT = 0.13
"""Seconds; about two frames, as a lamp on a metronome."""
_LOST = 3.0
"""Seconds after the last beat when there is no clock any more; 20 a minute is the slowest."""
_BAR = 4
"""Beats."""


class BeatLight(Widget):
    """Not there until there is a beat, and gone when the clock has stopped."""

    def __init__(self) -> None:
        super().__init__()
        self._coming: deque[Beat] = deque()
        self._last: Beat | None = None
        self._lit = False
        self.display = False

    def beat(self, beat: Beat) -> None:
        """There will be a beat, or was just now."""
        self._coming.append(beat)

    def show(self, now: float) -> None:
        """Light or unlight."""
        lit = self._lit
        while self._coming and self._coming[0].time <= now:
            self._last = self._coming.popleft()
        if self._last is None:
            return
        since = now - self._last.time
        lit = since < _LIT
        self.display = since < _LOST
        if lit != self._lit:
            self._lit = lit
            self.refresh()

    @property
    def lit(self) -> bool:
        """Whether it shines."""
        return self._lit

    def render(self) -> Content:
        """The light and the tempo: beside it, or under it where there is height."""
        if self._last is None:
            return Content("")
        first = self._last.number % _BAR == 0
        sign = ("■" if first else "●") if self._lit else "○"
        light = lettering.write(sign)
        look = "bold $text" if self._lit else "$quiet"
        tempo = [f"{self._last.bpm:.0f}", "bpm"]
        beside = ["", *tempo, ""] if self.size.height < 6 else [""] * 4
        lines = [
            Content.assemble((line, look), (f"  {word:<3}", "$quiet")) if word else Content.styled(line, look)
            for line, word in zip(light, beside, strict=True)
        ]
        if self.size.height >= 6:
            lines = [Content(""), *lines, Content.styled(" ".join(tempo).center(len(light[0])), "$text")]
        return Content("\n").join(lines)
