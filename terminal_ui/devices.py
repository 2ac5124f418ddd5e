"""The top line: what is plugged in."""

from textual.content import Content
from textual.widget import Widget

from duet.news import Setup


class Devices(Widget):
    """MIDI in, MIDI out and the audio device, by name; says so where one is missing."""

    def __init__(self) -> None:
        super().__init__()
        self._setup: Setup | None = None

    def plug(self, setup: Setup) -> None:
        """Show these devices."""
        self._setup = setup
        self.refresh()

    def render(self) -> Content:
        """As much of each name as there is room for."""
        title = Content.styled("♪ duet", "bold")
        if self._setup is None:
            return title
        setup = self._setup
        places = [
            ("in", setup.midi_in, "no keyboard"),
            ("out", setup.midi_out, "none"),
            ("audio", setup.audio, "none"),
        ]
        names = [name or missing for _, name, missing in places]
        room = self.size.width - len("♪ duet") - sum(len(place[0]) + 4 for place in places)
        room -= len("   ● rec") if setup.takes else 0
        for name, (label, given, _) in zip(_shortened(names, room), places, strict=True):
            style = "bold" if given else "$error" if label == "in" else "$quiet"
            title = Content.assemble(title, ("   " + label + " ", "$quiet"), (name, style))
        if setup.takes:
            title = Content.assemble(title, ("   ● ", "$error"), ("rec", "bold"))
        return title


def _shortened(names: list[str], room: int) -> list[str]:
    """Cut the longest names until all fit."""
    lengths = [len(name) for name in names]
    while sum(lengths) > room and max(lengths) > 6:
        lengths[lengths.index(max(lengths))] -= 1
    return [
        name if len(name) <= length else name[: length - 1] + "…"
        for name, length in zip(names, lengths, strict=True)
    ]
