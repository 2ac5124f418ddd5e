"""Whose turn it is: a band across the screen, in colour, sign and word."""

from textual.content import Content
from textual.widget import Widget

from terminal_ui import lettering

_STARTING = ("·", ("STARTING",), "")
_FACES = {
    "IDLE": ("▶", ("PLAY SOMETHING", "PLAY"), "play something"),
    "CALL": ("●", ("YOU",), "your turn"),
    "RESPONSE": ("≋", ("DUET",), "Duet's turn"),
}
"""For each state: a sign, words from wide to narrow, and the plain sentence."""
_LARGE = 8
"""Lines from which the letters are doubled."""


class TurnBanner(Widget):
    """The band. Starts as "starting…" until there is a turn to show."""

    def __init__(self) -> None:
        super().__init__()
        self._state = ""
        self._number = 0
        self._answered = ""

    def turn(self, state: str, number: int) -> None:
        """Show whose turn it is."""
        if (state, number) == (self._state, self._number):
            return
        self._state, self._number = state, number
        for other in _FACES:
            self.set_class(other == state, f"-{other.lower()}")
        self.refresh()

    def answered(self, sentence: str) -> None:
        """Say how the last answer went."""
        self._answered = sentence
        self.refresh()

    @property
    def sentence(self) -> str:
        """The state in plain words."""
        return _FACES[self._state][2] if self._state in _FACES else "starting…"

    def render(self) -> Content:
        """The sign and the word at the left, the sentences at the right."""
        sign, words, _ = _FACES.get(self._state, _STARTING)
        scale = 2 if self.size.height >= _LARGE else 1
        rooms = [word for word in words if lettering.width(f"{sign} {word}", scale) + 26 <= self.size.width]
        lines = lettering.write(f"{sign} {rooms[0] if rooms else words[-1]}", scale)
        said = [self.sentence, *([self._answered] if self._answered else [])]
        top = (len(lines) - len(said)) // 2
        parts: list[Content | str | tuple[str, str]] = []
        for row, line in enumerate(lines):
            right = said[row - top] if 0 <= row - top < len(said) else ""
            gap = max(1, self.size.width - len(line) - len(right))
            parts += [line, " " * gap, (right, "bold" if row == top else ""), "\n"]
        return Content.assemble(*parts[:-1])
