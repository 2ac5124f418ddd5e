"""One setting: its name, its value, how far it is turned up; turned by keys while marked, by click and by wheel.

What is asked for is shown beside the value until the session says that it is so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from terminal_ui.knobs import Knob, Value, share_of, turn

_WIDE = 100
"""Columns of terminal from which there is room for every name in full."""


class Dial(Widget, can_focus=True):
    """A knob. One line of text, and where there is a second line a slider under it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,plus,equals_sign", "turn(1)", show=False),
        Binding("down,minus", "turn(-1)", show=False),
        Binding("backspace,delete", "free", show=False),
    ]

    @dataclass
    class Asked(Message):
        """The player would like another value."""

        setting: str
        value: Value

    def __init__(self, knob: Knob) -> None:
        super().__init__(id=knob.setting)
        self.knob = knob
        self._stops: Sequence[Value] = ()
        self._known = False
        self.value: Value = None
        """What the session says."""
        self._waiting: tuple[Value] | None = None
        self._learning = False

    @property
    def asked(self) -> Value:
        """What the player has asked for and the session has not yet answered; else what is."""
        return self.value if self._waiting is None else self._waiting[0]

    def settle(self, value: Value, stops: Sequence[Value], learning: bool = False) -> None:
        """The session has spoken: this is the value now, these could be chosen."""
        told = value, stops, learning
        if self._known and told == (self.value, self._stops, self._learning) and self._waiting is None:
            return
        self._known = True
        self.value, self._stops, self._learning, self._waiting = value, stops, learning, None
        self.refresh(layout=True)

    def forget(self) -> None:
        """The session refused: what was asked for will not come."""
        self._waiting = None
        self.refresh(layout=True)

    def ask(self, value: Value) -> None:
        """Ask for this value, unless it is so."""
        if not self._stops or value == self.asked:
            return
        self._waiting = (value,)
        self.refresh(layout=True)
        self.post_message(self.Asked(self.knob.setting, value))

    def action_turn(self, by: int) -> None:
        """Ask for the value so many stops further on."""
        self.ask(turn(self._stops, self.asked, by, self.knob.scale))

    def action_free(self) -> None:
        """Ask for what it was before anybody turned it."""
        neutral = self.knob.neutral
        self.ask(self._stops[0] if self._stops and neutral not in self._stops else neutral)

    def render(self) -> Content:
        """Marker, key, name, value and what is asked for; under it the slider, if there is a line for it."""
        knob, marked = self.knob, self.has_focus
        name = knob.setting if self.app.size.width >= _WIDE else knob.short or knob.setting
        waiting = "" if self._waiting is None else f" → {knob.say(self._waiting[0])}…"
        text = Content.assemble(
            ("▸" if marked else " ", "bold $text"),
            (knob.key, "bold $text on $idle"),
            " " if knob.key else "",
            (f"{name} ", "$text" if marked else "$quiet"),
            (knob.say(self.value) if self._known else "–", "bold"),
            ("  turn a MIDI knob…" if self._learning else waiting, "italic $quiet"),
        )
        return text if self.size.height < 2 else Content.assemble(text, "\n ", *self._slider())

    def get_content_width(self, *_: object) -> int:
        """As wide as the line of text, and a column of air."""
        return self.render().split("\n")[0].cell_length + 1

    def on_click(self, event: events.Click) -> None:
        """The next one; with shift, or with another button, the one before."""
        self.action_turn(-1 if event.shift or event.button != 1 else 1)

    def on_mouse_scroll_up(self) -> None:
        """One up."""
        self.action_turn(1)

    def on_mouse_scroll_down(self) -> None:
        """One down."""
        self.action_turn(-1)

    def _slider(self) -> list[tuple[str, str]]:
        width = max(4, min(self.size.width - 3, 18))
        if not self.knob.scale and len(self._stops) <= width // 2:
            dots = " ".join("●" if stop == self.asked else "○" for stop in self._stops)
            return [(dots, "$text")]
        share = share_of(self._stops, self.asked)
        if share is None:
            return [("┄" * width, "$guide")]
        place = round(share * (width - 1))
        return [("━" * place, "$text"), ("●", "bold $text"), ("─" * (width - 1 - place), "$guide")]
