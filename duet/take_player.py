"""Plays a finished take: through the audio device while a voice sings it, or on time to a MIDI port."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import rtmidi
import soxr

from duet.audio import RingSpeaker, choose_device
from duet.midi_ports import OURS, choose, list_ports
from duet.note import Event, at
from duet.plug import Plug
from duet.ports import Block
from duet.ring import CAPACITY, Ring
from duet.sender import Sender

NAP = 0.01
"""Seconds between two looks at how far the other end has come."""
LAST_WORD = 0.1
"""Seconds a port stays open after its last message: JACK drops what it has not fetched when a port closes."""
HEAD_START = 0.2
"""Seconds from the order to the first note."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How playing went."""

    latency: float
    """Seconds that the device says it is behind."""
    underruns: int
    alive: bool
    """The device played to the end."""


def play_sound(blocks: Iterable[Block], rate: int, device: str | None) -> Heard:
    """Play blocks as they are made. Raises AudioError."""
    chosen = choose_device(device)
    ring = Ring(chosen.rate)
    try:
        speaker = RingSpeaker(chosen, ring)
        try:
            resample: soxr.ResampleStream | None = None
            for block in blocks:
                resample = resample or soxr.ResampleStream(rate, chosen.rate, block.shape[1], dtype="float32")
                at_device_rate = resample.resample_chunk(block)
                while speaker.active and ring.fill + len(at_device_rate) > CAPACITY // 2:
                    time.sleep(NAP)
                ring.write(at_device_rate)
            ring.write(np.zeros((chosen.rate // 50, 2), np.float32), sounding=False)
            while speaker.active and ring.fill > 0:
                time.sleep(NAP)
            time.sleep(speaker.latency)
            return Heard(speaker.latency, ring.underruns, speaker.active)
        finally:
            speaker.close()
    finally:
        ring.close()


def play_midi(events: Sequence[Event], out: str, wait: Callable[[float], None]) -> None:
    """Send events to a port at their times; `wait(seconds)` returns when that time has passed. Raises MidiError."""
    port = choose(out, list_ports(rtmidi.MidiOut), "MIDI output")
    plug = Plug(rtmidi.MidiOut, (OURS, "out"), lambda ports: port, ())
    sender = Sender(plug.send)
    try:
        start = time.monotonic() + HEAD_START
        for event in events:
            sender.send(at(event, start + event.time))
        wait(HEAD_START + max((event.time for event in events), default=0.0))
    finally:
        sender.close()
        time.sleep(LAST_WORD)
        plug.close()
