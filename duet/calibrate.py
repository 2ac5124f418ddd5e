"""Measure an instrument's own delay: send it notes, and listen for them by MIDI or with a microphone."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import rtmidi

from duet.devices import KEYS
from duet.errors import AudioError, DuetError
from duet.latency import Latency
from duet.midi_ports import OURS, choose, list_ports, quiet
from duet.plug import Plug, named
from duet.portaudio import portaudio

VELOCITIES = (20, 45, 70, 95, 120)
PITCHES = (55, 60, 64, 67)
PATIENCE = 0.8
"""Seconds that a note is waited for."""
REST = 0.35
"""Seconds between a note's end and the next."""
QUIET_FACTOR = 6.0
"""How far above the room's noise a sound must be to be the note."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One note that was sent."""

    velocity: int
    delay: float | None
    """Seconds until it came back; None if it did not."""


class MidiEar:
    """Hears the instrument by the port on which it tells its keys."""

    def __init__(self, name: str) -> None:
        ports = list_ports(rtmidi.MidiIn)
        self._plug = Plug(rtmidi.MidiIn, KEYS, named(choose(name, ports, "MIDI input").name), ports)

    def listen(self) -> None:
        """Forget what has come so far."""
        while self._plug.receive():
            pass

    def heard(self, pitch: int) -> float | None:
        """When the key was told to go down; None while it has not been."""
        while message := self._plug.receive():
            if message[0] & 0xF0 == 0x90 and message[1] == pitch and message[2]:
                return time.monotonic()
        return None

    def close(self) -> None:
        """Give the port back."""
        self._plug.close()


class Microphone:
    """Hears the instrument through an audio input, by the first sample well above the room's noise."""

    def __init__(self, device: str | None) -> None:
        """Raises AudioError."""
        sounddevice = portaudio()
        self._blocks: list[tuple[float, Any]] = []
        try:
            with quiet():
                self._stream = sounddevice.InputStream(
                    device=int(device) if device and device.isdecimal() else device or None,
                    channels=1, blocksize=128, dtype="float32", latency="low", callback=self._take,
                )  # fmt: skip
                self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(
                f"{device or 'the default audio input'}: cannot be listened to ({error})"
            ) from error
        time.sleep(0.5)
        room = np.concatenate([np.abs(block) for _, block in self._blocks] or [np.zeros(1)])
        self._threshold = max(0.003, QUIET_FACTOR * float(np.percentile(room, 99)))

    def _take(self, block: Any, frames: int, stream_time: Any, status: Any) -> None:
        self._blocks.append((time.monotonic(), block[:, 0].copy()))

    def listen(self) -> None:
        """Forget what has come so far."""
        self._blocks.clear()

    def heard(self, pitch: int) -> float | None:
        """When the sound began; None while there is none."""
        for came, block in list(self._blocks):
            loud = np.flatnonzero(np.abs(block) > self._threshold)
            if len(loud):
                return float(came - self._stream.latency - (len(block) - loud[0]) / self._stream.samplerate)
        return None

    def close(self) -> None:
        """Give the device back."""
        with quiet():
            self._stream.close()


def calibrate(
    out: str, ear: MidiEar | Microphone, times: int, tell: Callable[[str], None], input_delay: float = 0.0
) -> Latency:
    """Play on that port, `times` notes at each velocity; return the delays. Raises DuetError if too few come back.

    input_delay: what the way back is known to take, seconds.
    """
    ports = list_ports(rtmidi.MidiOut)
    port = choose(out, ports, "MIDI output")
    plug = Plug(rtmidi.MidiOut, (OURS, "out"), named(port.name), ports)
    strokes: list[Stroke] = []
    try:
        time.sleep(0.3)  # a connection carries from the next cycle on
        for index in range(times * len(VELOCITIES)):
            velocity, pitch = VELOCITIES[index % len(VELOCITIES)], PITCHES[index % len(PITCHES)]
            strokes.append(Stroke(velocity, _strike(plug, ear, pitch, velocity)))
            tell(_line(strokes[-1]))
    finally:
        plug.close()
        ear.close()
    return summarise(strokes, port.name, input_delay)


def _strike(plug: Plug, ear: MidiEar | Microphone, pitch: int, velocity: int) -> float | None:
    """One note; its delay, or None if it was not heard."""
    ear.listen()
    sent = time.monotonic()
    plug.send([0x90, pitch, velocity])
    came = None
    try:
        while came is None and time.monotonic() < sent + PATIENCE:
            came = ear.heard(pitch)
            time.sleep(0.0005)
    finally:
        plug.send([0x80, pitch, 64])
    time.sleep(REST)
    return None if came is None else came - sent


def _line(stroke: Stroke) -> str:
    what = "did not come back" if stroke.delay is None else f"came back after {1000 * stroke.delay:.1f} ms"
    return f"velocity {stroke.velocity}: {what}"


def summarise(strokes: Sequence[Stroke], name: str, input_delay: float = 0.0) -> Latency:
    """The delay at each velocity, the median of its strokes. Raises DuetError if a velocity was hardly heard."""
    points = []
    for velocity in sorted({stroke.velocity for stroke in strokes}):
        mine = [stroke.delay for stroke in strokes if stroke.velocity == velocity]
        heard = [delay for delay in mine if delay is not None]
        if len(heard) <= len(mine) / 2:
            raise DuetError(
                f"{name}: of {len(mine)} notes at velocity {velocity} {len(heard)} came back: is the instrument on, "
                "does it send its keys by MIDI (--port), or is the microphone near it (--audio-in)?"
            )
        points.append((velocity, max(0.0, median(heard) - input_delay)))
    return Latency(tuple(points))
