"""The device picker: what is plugged in right now, and a choice among it; keeps up while things come and go."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from duet.news import Choose, Plugged, Setup

_FIRST = 1
"""Where the mark begins: below the first heading."""


class Picker(ModalScreen[Choose]):
    """Ends with the wish for another device, or with nothing."""

    AUTO_FOCUS = "OptionList"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d,q", "dismiss", "Close"),
        Binding("space", "pick", show=False),
    ]

    def __init__(self, setup: Setup | None, plugged: Plugged | None) -> None:
        super().__init__()
        self._wishes: dict[str, Choose] = {}
        self._list = OptionList()
        self._setup, self._plugged = setup, plugged

    def compose(self) -> ComposeResult:
        """One list with three headings."""
        with Vertical(classes="box") as box:
            box.border_title = "Devices"
            box.border_subtitle = "↑↓ enter chooses · esc closes · the list follows what you plug in"
            yield self._list

    def on_mount(self) -> None:
        """Begin with what there is."""
        self._fill()

    def plug(self, setup: Setup | None, plugged: Plugged | None) -> None:
        """Something has changed."""
        if (setup, plugged) != (self._setup, self._plugged):
            self._setup, self._plugged = setup, plugged
            self._fill()

    def action_pick(self) -> None:
        """As enter does."""
        self._list.action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(self._wishes.get(event.option.id or ""))

    def _fill(self) -> None:
        """Write the list anew, the mark on the same device as before."""
        place = self._list.highlighted
        before = self._list.get_option_at_index(place).id if place is not None else None
        self._list.clear_options()
        self._wishes = {}
        plugged = self._plugged or Plugged((), (), ())
        setup = self._setup
        self._section(
            "your keyboard", "port", plugged.midi_ins, setup.midi_in if setup else "",
            "Duet's own port, for others to connect to",
        )  # fmt: skip
        self._section(
            "answers go to", "out", plugged.midi_outs, setup.midi_out if setup else "",
            "Duet's own port, for others to connect to",
        )  # fmt: skip
        self._section("sound", "audio", plugged.audio_devices, setup.audio if setup else "", "no sound")
        known = before is not None and before in self._wishes
        self._list.highlighted = self._list.get_option_index(str(before)) if known else _FIRST

    def _section(self, title: str, setting: str, names: tuple[str, ...], current: str, none: str) -> None:
        self._list.add_option(Option(Content.styled(title, "$quiet"), disabled=True))
        choices = [*((name, name) for name in names), (none, None)]
        inside = any(current == name for name in names)
        for number, (text, value) in enumerate(choices):
            chosen = current == value or (value is None and not inside)
            mark, look = ("●", "bold") if chosen else ("○", "")
            identity = f"{setting}-{number}-{text}"
            self._wishes[identity] = Choose(setting, value)
            self._list.add_option(Option(Content.assemble(f" {mark} ", (text, look)), id=identity))
