"""The keyboard: 88 keys, or as many as fit, lit while somebody holds them; played by mouse, and by letters if asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from duet.news import Who
from terminal_ui.painted import Painted
from terminal_ui.palette import Palette
from terminal_ui.typing_notes import Typist

_LOWEST, _HIGHEST = 21, 108
_KEYS = _HIGHEST - _LOWEST + 1
_ENOUGH = 75
"""Keys that must be in sight before they are drawn wider."""
_BLACK = frozenset({1, 3, 6, 8, 10})
_IVORY, _EBONY, _GROOVE = "#c9cdd4", "#15181d", "#80868f"
_MIDDLE = 65
"""The pitch in the middle while nobody plays."""


class Keyboard(Painted, can_focus=True):
    """A strip of keys; a column (or two, or more) to each semitone. The last line has white keys only.

    While it has the focus, letters play notes.
    """

    FOCUS_ON_CLICK = False  # a key played with the mouse is no wish to play with letters
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "octave(-1)", show=False),
        Binding("right", "octave(1)", show=False),
        Binding("up", "velocity(8)", show=False),
        Binding("down", "velocity(-8)", show=False),
    ]

    @dataclass
    class Struck(Message):
        """The player has struck a key of ours."""

        pitch: int
        velocity: int

    @dataclass
    class Shifted(Message):
        """The player has chosen where the letters play, or how loud."""

    def __init__(self, palette: Palette, clock: Callable[[], float]) -> None:
        super().__init__(palette)
        self.typist = Typist()
        self._clock = clock
        self._light = {Who.PLAYER: palette.player[1], Who.PARTNER: palette.partner[1]}
        self._held: dict[int, Who] = {}
        self._low, self._shown, self._key_width = _LOWEST, 0, 1
        self._key = lru_cache(maxsize=1024)(self._drawn_key)
        self._letters = False

    def light(self, held: Mapping[int, Who]) -> None:
        """Show these keys as held."""
        if held == self._held:
            return
        low = self._low
        changed = [
            pitch for pitch in self._held.keys() | held.keys() if self._held.get(pitch) != held.get(pitch)
        ]
        self._held = dict(held)
        self._paint()
        # A line of keys is as many escapes as cells: send only those that have changed, and their neighbours' edges.
        self.refresh(*(map(self._region, changed) if low == self._low else ()))

    def on_resize(self) -> None:
        """Begin with the middle of the keyboard in the middle."""
        width = self.size.width
        self._key_width = max(1, width // _ENOUGH)
        self._shown = min(_KEYS, width // self._key_width)
        self._low = min(max(_LOWEST, _MIDDLE - self._shown // 2), _HIGHEST + 1 - self._shown)
        self._redraw()

    def on_focus(self) -> None:
        """Letters play from now on: write them on the keys."""
        self._letters = True
        self._redraw()
        self.post_message(self.Shifted())

    def on_blur(self) -> None:
        """Letters are commands again."""
        self._letters = False
        self._redraw()

    def on_key(self, event: events.Key) -> None:
        """Play a letter; one that plays nothing does nothing either, lest a slip of the finger quits."""
        if event.character is None or not event.is_printable or event.character == " ":
            return
        event.stop()
        pitch = self.typist.strike(event.character, self._clock())
        if pitch is not None:
            self.post_message(self.Struck(pitch, self.typist.velocity))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Play the key under the pointer, as loud as it is struck far to the front."""
        event.stop()
        pitch = self._low + (event.x - self._left) // self._key_width
        if self._low <= pitch < self._low + self._shown and event.x >= self._left:
            share = (event.y + 1) / self.size.height
            if event.y == self.size.height - 1 and _is_black(pitch):
                pitch += 1  # the front edge is the white keys'
            self.post_message(self.Struck(pitch, round(40 + 60 * share)))

    def action_octave(self, by: int) -> None:
        """Move the letters."""
        self.typist.shift(by)
        self._redraw()
        self.post_message(self.Shifted())

    def action_velocity(self, by: int) -> None:
        """Let the letters play louder, or softer."""
        self.typist.press_harder(by)
        self.post_message(self.Shifted())

    @property
    def _left(self) -> int:
        return (self.size.width - self._shown * self._key_width) // 2

    def _region(self, pitch: int) -> Region:
        left = self._left + (pitch - 1 - self._low) * self._key_width
        return Region(left, 0, 3 * self._key_width, self.size.height).intersection(self.size.region)

    def _redraw(self) -> None:
        self._paint()
        self.refresh()

    def _paint(self) -> None:
        caps = self.typist.caps() if self._letters else {}
        keys = [pitch for pitch in self._held or caps if _LOWEST <= pitch <= _HIGHEST]
        if keys and self._shown < _KEYS:  # slide, so that the held keys are in sight
            self._low = max(min(self._low, *keys), max(keys) - self._shown + 1)
        width = self.size.width
        margin = Segment(" " * self._left, _style("", self._palette.paper))
        lines = []
        for front, written in ((False, False), (False, True), (True, True)):
            segments = [margin]
            for pitch in range(self._low, self._low + self._shown):
                around = self._held.get(pitch - 1), self._held.get(pitch), self._held.get(pitch + 1)
                cap = caps.get(pitch, "") if written and front != _is_black(pitch) else ""
                segments += self._key(pitch % 12, front, around, cap, self._key_width)
            right = width - self._left - self._shown * self._key_width
            segments.append(Segment(" " * right, margin.style))
            lines.append(Strip(_merged(segments), width))
        plain, lettered, edge = lines  # the front edge is the white keys'
        height = self.size.height
        self._lines = [*[plain] * (height - 2), lettered, edge][-height:]

    def _drawn_key(
        self, note: int, front: bool, around: tuple[Who | None, Who | None, Who | None], cap: str, width: int
    ) -> list[Segment]:
        """One key, as wide as all; its neighbours show where it is the front edge under a black key.

        note: 0..11, C is 0.
        """
        below, own, above = (self._face(note + by, who) for by, who in zip((-1, 0, 1), around, strict=True))
        if not _is_black(note):
            edge = "▏" if note in {0, 5} else " "  # the white neighbours B-C and E-F
            cells = _white(own, edge, width)
        elif not front:
            cells = [own] * width
        elif width == 1 and below[2] != above[2] and not self._palette.shapes:
            cells = [("▌", below[2], above[2])]
        else:
            half = width // 2
            cells = [below] * half + _white(above, "▏" if half else "│", width - half)
        if cap:
            dark = _IVORY if _is_black(note) and around[1] is None else _EBONY
            middle = (width - 1) // 2
            cells[middle] = cap, dark, cells[middle][2]
        return [Segment(character, _style(fore, back)) for character, fore, back in cells]

    def _face(self, pitch: int, who: Who | None) -> "_Cell":
        """What fills a key: a colour; without colours, a character that tells the key and its holder."""
        colour = self._light[who] if who is not None else _EBONY if _is_black(pitch) else _IVORY
        if not self._palette.shapes:
            return " ", "", colour
        if who is not None:
            return ("█" if who is Who.PLAYER else "▚"), "", colour
        return ("▒" if _is_black(pitch) else " "), "", colour


_Cell = tuple[str, str, str]
"""A character, its colour, and the colour behind it."""


def _white(face: _Cell, edge: str, width: int) -> list[_Cell]:
    """Part of a white key, with a groove at its left unless it is filled."""
    groove = (edge, _GROOVE, face[2]) if face[0] == " " and edge != " " else face
    return [groove, *[face] * (width - 1)]


def _merged(segments: list[Segment]) -> list[Segment]:
    """Neighbours of one style as one: each segment is some forty bytes of escapes."""
    merged: list[Segment] = []
    text, style = "", None
    for segment in segments:
        if segment.style is style:
            text += segment.text
            continue
        if text:
            merged.append(Segment(text, style))
        text, style = segment.text, segment.style
    return [*merged, Segment(text, style)] if text else merged


def _is_black(pitch: int) -> bool:
    return pitch % 12 in _BLACK


@lru_cache(maxsize=256)
def _style(colour: str, behind: str) -> Style:
    return Style(color=colour or None, bgcolor=behind)
