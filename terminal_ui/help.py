"""The help overlay: what the keys do and how to read the screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

_HELP = """\
[bold]Play a phrase and stop.[/] Duet notices and answers; \
play again whenever you like and it gives way.

[bold $text on $idle] space [/]  hand over now, without waiting for silence (enter does too)
[bold $text on $idle] esc   [/]  panic: silence everything at once
[bold $text on $idle] p     [/]  the next partner    [$quiet]P the one before[/]
[bold $text on $idle] v     [/]  the next voice      [$quiet]V the one before[/]
[bold $text on $idle] s     [/]  the next style      [$quiet]S the one before[/]
[bold $text on $idle] + -   [/]  temperature: higher is bolder, lower is safer (or ↑ ↓)
[bold $text on $idle] q     [/]  quit

[$player]█▀▄[/] you   [$partner]{partner}[/] Duet   {loud}
Left of the line │ is what was played, right of it what is planned.
ped: where a sustain pedal is down, and whose.

[$quiet]Settings also turn with the mouse: click for the next, shift-click
for the one before, or use the wheel.[/]
[$quiet]wait: from your last release to the answer's first note.
decide: the part of it after Duet knew that your phrase was over.[/]"""


class Help(ModalScreen[None]):
    """Any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,space,enter", "dismiss", "Close"),
    ]

    def __init__(self, shapes: bool) -> None:
        super().__init__()
        self._words = {
            "{partner}": "▌▘▖" if shapes else "█▀▄",
            "{loud}": "bold is loud" if shapes else "bright is loud, dim is soft",
        }

    def compose(self) -> ComposeResult:
        """A box of text in the middle."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Duet"
            box.border_subtitle = "esc closes"
            text = _HELP
            for blank, word in self._words.items():
                text = text.replace(blank, word)
            yield Static(Content.from_markup(text))
