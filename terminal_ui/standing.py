"""What the player had better know when nothing else is being said, in a line; pure."""

from duet.news import Plugged, Setup
from terminal_ui.typing_notes import Typist


def standing(setup: Setup | None, plugged: Plugged | None, typist: Typist | None, heard: bool) -> str:
    """The line; empty if all is plain. `typist` is there while letters play, `heard` once the player has played."""
    if typist is not None:
        return (
            f"letters play notes from C{typist.octave}, loudness {typist.velocity}: tab goes back to commands"
        )
    if setup is None:
        return "partner and voice are loading; the very first time that takes a minute"
    if setup.learning:
        return f"turn a knob of your MIDI controller, and it is {setup.learning} from then on (l: never mind)"
    if plugged is not None and not plugged.midi_ins and not heard:
        return "no MIDI keyboard found: plug one in, or press tab and play on this one"
    return ""
