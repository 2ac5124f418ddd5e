"""Ends what a sender has left open: over JACK rtmidi delivers nothing after a system exclusive message without an end.

Seen on a real port (tests/live/test_fuzz_live.py): after F0 and no F7, notes and clock alike are dropped until an F7
comes. So a virtual input of ours is sent one now and then, from a port of our own; in good health it means nothing.
A named port needs none: it is opened anew each time the other end comes back.
"""

import contextlib
from typing import Any

import rtmidi

from duet.midi_ports import OURS, quiet

END = (0xF7,)


class Wake:
    """Make it before the input is opened, and `join` afterwards."""

    def __init__(self, api: int) -> None:
        with quiet():
            self._out: Any = rtmidi.MidiOut(api, name=f"{OURS}-wake")
            self._before = set(self._out.get_ports())
        self._joined = False

    def join(self, client: str) -> None:
        """Connect to the input that has just been opened by a client of that name; without it, do nothing ever."""
        with quiet():
            for place, name in enumerate(self._out.get_ports()):
                if name not in self._before and name.startswith(client):
                    self._out.open_port(place, "end of sysex")
                    self._joined = True
                    return

    def send(self) -> None:
        """End what is open."""
        if self._joined:
            with contextlib.suppress(rtmidi.RtMidiError, OSError):
                self._out.send_message(END)

    def close(self) -> None:
        """Give the port back."""
        with quiet():
            self._out.close_port()
            self._out.delete()
