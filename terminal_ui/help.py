"""The help overlay: what the keys do and how to read the screen, made of the tables of actions and knobs."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from terminal_ui.actions import ACTIONS
from terminal_ui.knobs import KNOBS

_START = "[bold]Play a phrase and stop.[/] Duet notices and answers; play again whenever you like and it gives way."
_SETTINGS = (
    "[bold]Settings[/]   ← → mark one, ↑ ↓ (or + -) turn it, backspace sets it free; or click; or wheel."
)
_NOTES = """\
[bold]Notes on this keyboard[/]   tab, then the rows z s x d c … and q 2 w 3 e … are piano keys (on a QWERTY layout), \
← → an octave, ↑ ↓ the loudness. A terminal tells neither how hard a key is struck nor when it comes up: \
notes are short, and a key held down sounds once. The mouse plays too."""
_SCREEN = """\
[bold]The screen[/]   [$player]█▀▄[/] you   [$partner]{partner}[/] Duet   {loud}. Left of the line │ is what was \
played, right of it what is planned; ped: where a sustain pedal is down, \
and whose. At the right edge the level of Duet's voice.
wait: from your last release to the answer's first note; decide: the part of it after Duet knew that your phrase \
was over; p50, p95: half, and 95 of 100, of tonight's answers were faster. voice 9×: it computes nine seconds of sound \
in one; below 1 it is too slow. underruns: times the sound broke off."""


class Help(ModalScreen[None]):
    """Any of the usual keys closes it."""

    AUTO_FOCUS = ".box"

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
        with VerticalScroll(classes="box") as box:
            box.border_title, box.border_subtitle = "Duet", "↑↓ scroll · esc closes"
            text = "\n".join(_lines())
            for blank, word in self._words.items():
                text = text.replace(blank, word)
            yield Static(Content.from_markup(text))


def _lines() -> Iterator[str]:
    yield from (_START, "")
    for action in ACTIONS:
        yield f"[bold $text on $idle] {action.cap:5} [/] {action.meaning}"
    yield from ("", _SETTINGS)
    for knob in KNOBS:
        letter = f"[bold $text on $idle] {knob.key} [/]" if knob.key else "   "
        yield f"{letter} [bold]{knob.setting:<12}[/]{knob.meaning}"
    yield from ("", _NOTES, "", _SCREEN)
