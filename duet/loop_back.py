"""How long a note takes out of a virtual MIDI port of ours and back in through another."""

import os
import time
from typing import Any

import rtmidi

from duet.errors import MidiError
from duet.midi_ports import OURS, quiet

LOOPS = 50
"""Notes sent."""
PATIENCE = 0.25
"""Seconds after which a note that was sent is taken for lost."""


def loop_times(api: int) -> tuple[list[float], int]:
    """Seconds of each note sent through a virtual port and back, and how many were lost."""
    name = f"{OURS}-doctor-{os.getpid()}"
    with quiet():
        out, back = rtmidi.MidiOut(api, name=name), rtmidi.MidiIn(api, name=f"{name}-back")
        try:
            out.open_virtual_port("loop")
            place = next((n for n, port in enumerate(back.get_ports()) if port.startswith(name)), None)
            if place is None:
                raise MidiError("our own port does not show up")
            back.open_port(place, "back")
            time.sleep(0.1)  # the system joins the ports when it likes
            times = [seconds for n in range(LOOPS) if (seconds := _once_round(out, back, 36 + n)) is not None]
            return times, LOOPS - len(times)
        finally:
            for port in (out, back):
                port.close_port()
                port.delete()


def _once_round(out: Any, back: Any, pitch: int) -> float | None:
    began = time.perf_counter()
    out.send_message([0x90, pitch, 1])
    while (now := time.perf_counter()) - began < PATIENCE:
        if message := back.get_message():
            if message[0][1] == pitch:
                return now - began
            continue
        time.sleep(0.0002)
    return None
