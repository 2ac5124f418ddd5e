"""The keyboard: 88 keys, or as many as fit, lit while somebody holds them."""

from collections.abc import Mapping
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from duet.news import Who
from terminal_ui.palette import Palette

_LOWEST, _HIGHEST = 21, 108
_KEYS = _HIGHEST - _LOWEST + 1
_ENOUGH = 75
"""Keys that must be in sight before they are drawn wider."""
_BLACK = frozenset({1, 3, 6, 8, 10})
_IVORY, _EBONY, _GROOVE = "#c9cdd4", "#15181d", "#80868f"
_MIDDLE = 65
"""The pitch in the middle while nobody plays."""


class Keyboard(Widget):
    """A strip of keys; a column (or two, or more) to each semitone. The last line has white keys only."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._light = {Who.PLAYER: palette.player[1], Who.PARTNER: palette.partner[1]}
        self._held: dict[int, Who] = {}
        self._low, self._shown, self._key_width = _LOWEST, 0, 1
        self._strips: tuple[Strip, Strip] | None = None

    def light(self, held: Mapping[int, Who]) -> None:
        """Show these keys as held."""
        if held == self._held:
            return
        self._held = dict(held)
        self._redraw()

    def on_resize(self) -> None:
        """Begin with the middle of the keyboard in the middle."""
        width = self.size.width
        self._key_width = max(1, width // _ENOUGH)
        self._shown = min(_KEYS, width // self._key_width)
        self._low = min(max(_LOWEST, _MIDDLE - self._shown // 2), _HIGHEST + 1 - self._shown)
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """A line of keys: all of them, or at the front edge only the white ones."""
        if self._strips is None:
            return Strip.blank(self.size.width)
        return self._strips[y == self.size.height - 1]

    def _redraw(self) -> None:
        keys = [pitch for pitch in self._held if _LOWEST <= pitch <= _HIGHEST]
        if keys and self._shown < _KEYS:  # slide, so that the held keys are in sight
            self._low = max(min(self._low, *keys), max(keys) - self._shown + 1)
        width = self.size.width
        left = (width - self._shown * self._key_width) // 2
        right = width - left - self._shown * self._key_width
        paper = _style("", self._palette.paper)
        margins = Segment(" " * left, paper), Segment(" " * right, paper)
        lines = []
        for front in (False, True):
            pitches = range(self._low, self._low + self._shown)
            keyboard = [segment for pitch in pitches for segment in self._key(pitch, front)]
            segments = [margins[0], *keyboard, margins[1]]
            lines.append(Strip([segment for segment in segments if segment.text], width).simplify())
        self._strips = lines[0], lines[1]
        self.refresh()

    def _key(self, pitch: int, front: bool) -> list[Segment]:
        width = self._key_width
        if not _is_black(pitch):
            edge = "▏" if pitch % 12 in {0, 5} else " "  # the white neighbours B-C and E-F
            return self._ivory(pitch, edge, width)
        if not front:
            return [Segment(self._fill(pitch) * width, _style("", self._colour(pitch)))]
        left, right = self._colour(pitch - 1), self._colour(pitch + 1)
        if width == 1 and left != right and not self._palette.shapes:
            return [Segment("▌", _style(left, right))]
        half = width // 2
        return [
            Segment(self._fill(pitch - 1) * half, _style("", left)),
            *self._ivory(pitch + 1, "▏" if half else "│", width - half),
        ]

    def _ivory(self, pitch: int, edge: str, width: int) -> list[Segment]:
        """Part of a white key, with a groove at its left."""
        fill, colour = self._fill(pitch), self._colour(pitch)
        if fill != " ":
            edge = fill
        return [Segment(edge, _style(_GROOVE, colour)), Segment(fill * (width - 1), _style("", colour))]

    def _fill(self, pitch: int) -> str:
        """A key's own character: a blank with colour; without, what tells it and its holder."""
        if not self._palette.shapes:
            return " "
        who = self._held.get(pitch)
        if who is not None:
            return "█" if who is Who.PLAYER else "▚"
        return "▒" if _is_black(pitch) else " "

    def _colour(self, pitch: int) -> str:
        who = self._held.get(pitch)
        if who is not None:
            return self._light[who]
        return _EBONY if _is_black(pitch) else _IVORY


def _is_black(pitch: int) -> bool:
    return pitch % 12 in _BLACK


@lru_cache(maxsize=64)
def _style(colour: str, behind: str) -> Style:
    return Style(color=colour or None, bgcolor=behind)
