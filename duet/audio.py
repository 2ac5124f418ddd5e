"""The sound device: a PortAudio stream whose callback copies from the ring, and how a person names a device."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import soxr

from duet.click import Clicks
from duet.errors import AudioError
from duet.midi_ports import quiet
from duet.portaudio import LOCK, portaudio
from duet.ring import Ring

BLOCK = 512
"""Samples a callback is asked for; smaller is quicker and runs dry sooner."""


@dataclass(frozen=True, slots=True)
class Device:
    """An output device."""

    name: str
    index: int
    """PortAudio's own number."""
    rate: int
    """Its preferred sample rate."""
    channels: int
    host: str = ""
    """The system it belongs to, as PortAudio calls it."""


def list_devices() -> list[Device]:
    """All devices that can play. Raises AudioError if there is no PortAudio library."""
    found: Any
    with LOCK, quiet():
        found = portaudio().query_devices()
        hosts = [entry["name"] for entry in portaudio().query_hostapis()]
    return [
        Device(
            entry["name"],
            index,
            int(entry["default_samplerate"]),
            entry["max_output_channels"],
            hosts[entry["hostapi"]],
        )
        for index, entry in enumerate(found)
        if entry["max_output_channels"] > 0
    ]


def choose_device(wanted: str | None) -> Device:
    """The device a person means by PortAudio's number or a name, or the default. Raises AudioError."""
    devices = list_devices()
    listing = "; ".join(f"{device.index}: {device.name}" for device in devices)
    if not devices:
        raise AudioError(
            "no audio device: plug one in or start JACK or PipeWire; `--audio none` plays MIDI only"
        )
    if wanted is None:
        default = portaudio().default.device[1]
        return next((device for device in devices if device.index == default), devices[0])
    if wanted.isdecimal():
        matches = [device for device in devices if device.index == int(wanted)]
    else:
        folded = wanted.casefold()
        exact = [device for device in devices if device.name.casefold() == folded]
        matches = exact or [device for device in devices if folded in device.name.casefold()]
    if len(matches) == 1:
        return matches[0]
    problem = "could be several audio devices" if matches else "is no audio device"
    raise AudioError(f"{wanted!r} {problem}; choose from: {listing}")


class RingSpeaker:
    """Plays a ring on a device until closed, and the metronome's clicks over it."""

    def __init__(self, device: Device, ring: Ring, block: int = BLOCK) -> None:
        """block: samples a callback is asked for. Raises AudioError if the device refuses."""
        sounddevice = portaudio()
        self.device = device
        self.clicks = clicks = Clicks(ring.rate)
        latency = 0.0

        def fill(out: Any, frames: int, stream_time: Any, status: Any) -> None:
            ring.read_into(out)
            clicks.mix_into(out, time.monotonic() + latency)

        try:
            with LOCK, quiet():
                self._stream = sounddevice.OutputStream(
                    samplerate=ring.rate,
                    blocksize=block,
                    device=device.index,
                    channels=min(2, device.channels),
                    dtype="float32",
                    latency="low",
                    callback=fill,
                )
                latency = float(self._stream.latency)
                self._stream.start()
        except sounddevice.PortAudioError as error:
            raise AudioError(
                f"{device.name}: the audio device refuses ({error}); try another with --audio"
            ) from error

    @property
    def latency(self) -> float:
        """Seconds between the callback and the sound, as the device tells."""
        return float(self._stream.latency)

    @property
    def active(self) -> bool:
        """False once the device or its server has died."""
        return bool(self._stream.active)

    def close(self) -> None:
        """Stop. A dead sound server may never let go, so that is waited for only a second."""
        closing = threading.Thread(target=self._close, name="audio-close", daemon=True)
        closing.start()
        closing.join(timeout=1.0)

    def _close(self) -> None:
        with contextlib.suppress(Exception), quiet():
            self._stream.close()


def play_file(samples: Any, rate: int, tell: Callable[[str], None]) -> None:
    """Play a finished sound on the default device and wait; say in a line why if there is none."""
    try:
        device = choose_device(None)
        sounddevice = portaudio()
        with quiet():
            at_device_rate = soxr.resample(samples, rate, device.rate)
            sounddevice.play(at_device_rate, device.rate, device=device.index, blocking=True)
    except AudioError as error:
        tell(f"not heard: {error}")
    except sounddevice.PortAudioError as error:
        tell(f"not heard: {device.name} refuses ({error})")
