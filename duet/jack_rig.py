"""A real keyboard, ears and a real Duet on a private JACK server: what the live tests and `duet bench live` play on.

Needs jackd and the JACK-Client package (both are for development). One clock: JACK's own sample count.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from duet.errors import MissingExtra
from duet.midi_ports import quiet

RATE = 48000
SETTLE = 0.2
"""Seconds for a connection to carry: while its graph changes, JACK may drop what is sent."""
T = TypeVar("T")


def wait_for(condition: Callable[[], T], limit: float, what: str) -> T:
    """Poll until the condition holds; the real world has no virtual time."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.02)
    raise TimeoutError(what)


def stop(process: subprocess.Popen[Any], limit: float = 8.0) -> None:
    """Terminate, and kill what does not listen."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def jack_server(log: Path) -> Iterator[str]:
    """A private JACK server with the dummy driver; yields its name, which is also in the environment.

    Raises MissingExtra if jackd or the JACK-Client package is not installed.
    """
    try:
        import jack
    except (ImportError, OSError):
        raise MissingExtra("this needs JACK: `apt install jackd2` and `pip install JACK-Client`") from None
    if not shutil.which("jackd"):
        raise MissingExtra("jackd is not installed: `apt install jackd2`")
    _forget_dead_servers()
    name = "duet-" + uuid.uuid4().hex[:8]
    os.environ.update(JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1", JACK_NO_AUDIO_RESERVATION="1")
    realtime = subprocess.run(["chrt", "-f", "10", "true"], capture_output=True, check=False).returncode == 0
    options = ["-R", "-P70"] if realtime else ["-r"]  # without real time a long period, or notes are lost
    period = "256" if realtime else "1024"
    command = ["jackd", "-n", name, *options, "--no-mlock", "-d", "dummy", "-r", str(RATE), "-p", period]
    with log.open("wb") as sink:
        server = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)

    def up() -> bool:
        if server.poll() is not None:
            raise MissingExtra(f"jackd does not start: {log.read_text(errors='replace')[-300:]}")
        try:
            jack.Client("probe", no_start_server=True).close()
        except jack.JackOpenError:
            return False
        return True

    try:
        with quiet():
            wait_for(up, 8, "jackd")
        yield name
    finally:
        stop(server)
        for path in Path("/dev/shm").glob(f"jack_*{name}*"):
            path.unlink(missing_ok=True)


def _forget_dead_servers() -> None:
    """JACK keeps a register of eight servers in shared memory, and a killed one never leaves it."""
    if subprocess.run(["pgrep", "-x", "jackd"], capture_output=True, check=False).returncode == 0:
        return
    for path in [*Path("/dev/shm").glob("jack-shm-registry"), *Path("/dev/shm").glob("jack-*-*")]:
        with suppress(OSError):
            path.unlink()


class Rig:
    """A JACK client that is a keyboard, a MIDI recorder and a sound recorder on one sample clock.

    With `bpm` it is a MIDI clock too, on a port `clock` of its own, each tick on its exact sample.
    """

    def __init__(self, name: str = "rig", seconds: int = 90, bpm: float | None = None) -> None:
        import jack

        self.client = jack.Client(name, no_start_server=True)
        self.keys = self.client.midi_outports.register("keys")
        self.heard = self.client.midi_inports.register("heard")
        self.ears = [self.client.inports.register(f"ear{channel}") for channel in (0, 1)]
        self.sound = np.zeros((RATE * seconds, 2), np.float32)
        self.start: int | None = None
        self.length = 0
        self.sent: list[tuple[float, bytes]] = []
        self.received: list[tuple[float, bytes]] = []
        self.to_send: list[bytes] = []
        self.holes: list[tuple[float, float]] = []
        """What JACK lost of the sound, or had no time for: from, to, seconds."""
        self._next = 0
        """The sample that the next period begins with, if none is lost."""
        self.bpm = bpm
        self.pulse = self.client.midi_outports.register("clock") if bpm else None
        self.rolling = False
        self.beat_0: int | None = None
        """The sample that the clock's first tick lies on; None while it does not roll."""
        self._ticks = 0
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, frames: int) -> None:
        now = self.client.last_frame_time
        if self.start is None:
            self.start = now
        at = now - self.start
        if at > self._next:
            self.holes.append((self._next / RATE, at / RATE))
        self._next = at + frames
        self.keys.clear_buffer()
        offset = 0
        while self.to_send and offset < frames:
            message = self.to_send.pop(0)
            self.keys.write_midi_event(offset, message)
            self.sent.append(((at + offset) / RATE, message))
            offset += 1
        if self.pulse:
            self._tick(at, frames)
        for offset, data in self.heard.incoming_midi_events():
            self.received.append(((at + offset) / RATE, bytes(data)))
        count = min(frames, len(self.sound) - at)
        if count > 0:
            for channel, ear in enumerate(self.ears):
                self.sound[at : at + count, channel] = ear.get_array()[:count]
            self.length = at + count

    def _tick(self, at: int, frames: int) -> None:
        """Send what of the clock lies in this period; what lay in one that JACK has lost, at once."""
        assert self.pulse
        self.pulse.clear_buffer()
        if self.beat_0 is None and self.rolling:
            self.beat_0 = at + frames
            self.pulse.write_midi_event(0, b"\xfa")
        while self.beat_0 is not None and (due := self._sample(self._ticks / 24)) < at + frames:
            self.pulse.write_midi_event(max(0, due - at), b"\xf8")
            self._ticks += 1

    def _sample(self, beat: float) -> int:
        assert self.beat_0 is not None and self.bpm
        return self.beat_0 + round(beat * 60 * RATE / self.bpm)

    def beat_time(self, beat: float) -> float:
        """When that beat of the rig's own clock lies, on the rig's clock, seconds; it must roll."""
        return self._sample(beat) / RATE

    @property
    def now(self) -> float:
        """The rig's clock, seconds."""
        assert self.start is not None
        return float(self.client.frame_time - self.start) / RATE

    def play(self, *messages: Sequence[int]) -> None:
        self.to_send.extend(bytes(message) for message in messages)

    def play_phrase(self, pitches: Sequence[int], interval: float = 0.25, velocity: int = 80) -> float:
        """One key after another; return when the last came up, on the rig's clock, seconds."""
        for pitch in pitches:
            self.play([0x90, pitch, velocity])
            time.sleep(interval * 0.8)
            self.play([0x80, pitch, 0])
            time.sleep(interval * 0.2)
        wait_for(lambda: not self.to_send, 2, "the keys were played")
        return self.sent[-1][0]

    def ports(self, pattern: str, **kind: bool) -> list[Any]:
        return list(self.client.get_ports(pattern, **kind))

    def connect_keyboard(self, pattern: str) -> None:
        port = wait_for(
            lambda: self.ports(pattern, is_midi=True, is_input=True), 60, f"MIDI input {pattern}"
        )[0]
        self._join(self.keys, port)

    def listen_to(self, pattern: str) -> None:
        port = wait_for(
            lambda: self.ports(pattern, is_midi=True, is_output=True), 60, f"MIDI output {pattern}"
        )[0]
        self._join(port, self.heard)

    def hear(self, pattern: str) -> None:
        ports = wait_for(
            lambda: self.ports(pattern, is_audio=True, is_output=True), 60, f"audio output {pattern}"
        )
        for port, ear in zip(ports, self.ears, strict=False):
            self._join(port, ear)

    def _join(self, source: Any, sink: Any) -> None:
        self.client.connect(source, sink)
        time.sleep(SETTLE)

    def note_ons(self, after: float = 0.0) -> list[tuple[float, int, int]]:
        return [(t, m[1], m[2]) for t, m in self.received if m[0] & 0xF0 == 0x90 and m[2] and t >= after]

    def sounding(self) -> set[int]:
        """Keys that were pressed and not released, as a synth would count them."""
        down: set[int] = set()
        for _, message in list(self.received):
            if message[0] & 0xF0 == 0x90 and message[2]:
                down.add(message[1])
            elif message[0] & 0xF0 in {0x80, 0x90}:
                down.discard(message[1])
        return down

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


class Duet:
    """A real `duet --headless` in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.takes = folder / "takes"
        self.log = folder / "duet.log"
        command = [sys.executable, "-m", "duet", "--headless", "--takes", str(self.takes), *options]
        with self.log.open("wb") as sink:
            self.process = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until(self, pattern: str, limit: float = 90.0) -> None:
        def seen() -> bool:
            assert self.process.poll() is None, self.text
            return re.search(pattern, self.text) is not None

        wait_for(seen, limit, f"{pattern} in {self.text}")

    def end(self, number: int = signal.SIGTERM, limit: float = 15.0) -> int:
        self.process.send_signal(number)
        return self.process.wait(limit)


class FacedDuet(Duet):
    """The same with its face, on a terminal of its own."""

    def __init__(self, folder: Path, *options: str, size: tuple[int, int] = (120, 40)) -> None:
        from duet.terminal_rig import Terminal

        self.takes = folder / "takes"
        self.log = folder / "duet" / "log" / "duet.log"
        command = [sys.executable, "-m", "duet", "--takes", str(self.takes), *options]
        self.terminal = Terminal(command, *size, {"XDG_STATE_HOME": str(folder)})
        self.process = self.terminal.process

    @property
    def text(self) -> str:
        """What it has drawn, and then what it has logged."""
        logged = self.log.read_text(errors="replace") if self.log.exists() else ""
        return self.terminal.text + logged
