"""Everything by its name: the entries of the command palette."""

from collections.abc import Callable, Iterator

from textual.app import SystemCommand

from duet.news import Choose, Plugged, Setup, Wish
from terminal_ui.actions import ACTIONS, name_of
from terminal_ui.knobs import KNOBS, LEARNABLE, stops_of


def commands(
    setup: Setup | None, plugged: Plugged | None, act: Callable[[str], Callable[[], object]],
    send: Callable[[Wish], Callable[[], None]],
) -> Iterator[SystemCommand]:  # fmt: skip
    """What can be done now. `act` makes a call of an action's name, `send` of a wish."""
    for action in ACTIONS:
        if action.name != "command_palette":
            yield SystemCommand(f"{action.label}  ({action.cap})", action.meaning, act(name_of(action)))
    if setup is None:
        return
    for knob in KNOBS:
        for stop in stops_of(knob, setup):
            yield SystemCommand(
                f"{knob.setting}: {knob.say(stop)}", knob.meaning, send(Choose(knob.setting, stop))
            )
    for target in LEARNABLE:
        yield SystemCommand(
            f"learn {target}",
            "give it to the next MIDI knob or pad that you move",
            send(Choose("learn", target)),
        )
    if plugged is None:
        return
    for title, setting, names in (
        ("keyboard", "port", plugged.midi_ins),
        ("answers to", "out", plugged.midi_outs),
        ("sound", "audio", plugged.audio_devices),
    ):
        for name in names:
            yield SystemCommand(f"{title}: {name}", "device", send(Choose(setting, name)))
