"""Where the takes are kept, and a line to write another folder into."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Folder(ModalScreen[str]):
    """Ends with the folder that the player wants, or with nothing."""

    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Close")]

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def compose(self) -> ComposeResult:
        """What is so, and the line."""
        with Vertical(classes="box") as box:
            box.border_title, box.border_subtitle = "Record to a folder", "enter records there · esc closes"
            kept = (
                "Every evening is kept, both players, as MIDI." if self._folder else "Nothing is being kept."
            )
            yield Static(f"{kept} k marks an exchange worth finding again.\n`duet takes` lists them.\n")
            yield Input(self._folder, placeholder="a folder", select_on_focus=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """That folder."""
        folder = event.value.strip()
        self.dismiss("" if folder == self._folder else folder)
