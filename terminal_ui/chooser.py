"""One setting: its name, its value, and a click or a turn of the wheel to ask for another.

What is asked for is shown beside the value until the session says that it is so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

_WIDE = 100
"""Columns of terminal from which there is room for every name in full."""


class Chooser(Widget):
    """A setting with a list of values to step through."""

    @dataclass
    class Asked(Message):
        """The player would like another value."""

        setting: str
        value: str

    def __init__(
        self, setting: str, key: str, short: str = "", empty: str = "none", around: bool = True
    ) -> None:
        super().__init__(id=setting)
        self._setting = setting
        self._key = key
        self._short = short or setting
        self._empty = empty
        self._around = around
        self._values: Sequence[str] = ()
        self.value = ""
        """What the session says."""
        self.asked: str | None = None
        """What the player has asked for and the session has not yet answered."""

    def settle(self, value: str, values: Sequence[str]) -> None:
        """The session has spoken: this is the value now, these could be chosen."""
        self.value, self._values, self.asked = value, values, None
        self.refresh(layout=True)

    def forget(self) -> None:
        """The session refused: what was asked for will not come."""
        self.asked = None
        self.refresh(layout=True)

    def step(self, by: int) -> None:
        """Ask for the value so many further on; at the end go round, unless the values are a scale."""
        if not self._values:
            return
        current = self.value if self.asked is None else self.asked
        place = self._values.index(current) + by if current in self._values else 0
        if not self._around:
            place = min(max(place, 0), len(self._values) - 1)
        chosen = self._values[place % len(self._values)]
        if chosen == current:
            return
        self.asked = chosen
        self.refresh(layout=True)
        self.post_message(self.Asked(self._setting, chosen))

    def render(self) -> Content:
        """Key, name, value, and what is asked for."""
        asked = "" if self.asked is None else f" → {self.asked or self._empty}…"
        return Content.assemble(
            (f" {self._key} ", "bold $text on $idle" if self._values else "$quiet"),
            (f" {self._setting if self.app.size.width >= _WIDE else self._short} ", "$quiet"),
            (self.value or self._empty, "bold"),
            (asked, "italic $quiet"),
        )

    def get_content_width(self, *_: object) -> int:
        """As wide as the text."""
        return self.render().cell_length

    def on_click(self, event: events.Click) -> None:
        """The next one; with shift, or with another button, the one before."""
        self.step(-1 if event.shift or event.button != 1 else 1)

    def on_mouse_scroll_up(self) -> None:
        """One up."""
        self.step(1)

    def on_mouse_scroll_down(self) -> None:
        """One down."""
        self.step(-1)
