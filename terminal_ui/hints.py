"""The bottom line: which keys do what just now, as many as there is room for; a click presses them."""

from collections.abc import Iterator

from textual import events
from textual.content import Content
from textual.widget import Widget

from terminal_ui.actions import ACTIONS, Action, name_of

_LETTERS = (
    ("←→", "octave"),
    ("↑↓", "loudness"),
)
_AT_THE_RIGHT = {"help", "command_palette", "leave"}
"""Never left out: who finds these finds all others."""


class Hints(Widget):
    """Two lists: of commands, and of what is left of them while letters play notes."""

    def __init__(self) -> None:
        super().__init__()
        self._letters = False
        self._places: list[tuple[int, int, Action]] = []

    def letters(self, play: bool) -> None:
        """Letters play notes now, or no longer."""
        if play != self._letters:
            self._letters = play
            self.refresh()

    def render(self) -> Content:
        """From the left the most wanted, at the right the way to the others."""
        self._places = []
        left, right = (
            list(self._left()),
            [a for a in ACTIONS if a.name in _AT_THE_RIGHT and not self._letters],
        )
        room = self.size.width + 2 - sum(len(_text(action)) for action in right)
        parts: list[Content] = []
        column = 0
        for action in left:
            if column + len(_text(action)) > room:
                break
            column = self._put(parts, action, column)
        if self._letters:
            parts += [
                Content.assemble((f"{cap} ", "bold $text"), (f"{word}  ", "$quiet")) for cap, word in _LETTERS
            ]
        else:
            parts.append(Content(" " * max(0, room - column)))
            column = max(room, column)
            for action in right:
                column = self._put(parts, action, column)
        return Content("").join(parts)

    def on_click(self, event: events.Click) -> None:
        """As if the key were pressed."""
        for start, end, action in self._places:
            if start <= event.x - self.gutter.left < end:
                self.call_later(self.app.run_action, name_of(action))

    def _left(self) -> Iterator[Action]:
        for action in ACTIONS:
            if action.always if self._letters else action.name not in _AT_THE_RIGHT:
                yield action

    def _put(self, parts: list[Content], action: Action, column: int) -> int:
        parts.append(
            Content.assemble((f"{action.cap} ", "bold $text"), (f"{self._word(action)}  ", "$quiet"))
        )
        self._places.append((column, column + len(_text(action)), action))
        return column + len(_text(action))

    def _word(self, action: Action) -> str:
        return "back" if self._letters and action.name == "play" else action.label


def _text(action: Action) -> str:
    return f"{action.cap} {action.label}  "
