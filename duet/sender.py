"""Sends MIDI on time: one thread that sleeps until a millisecond before an event is due and spins the rest.

Measured against sleeping all the way it is five times as punctual (`docs/live.md`). It keeps the list of
what really sounds at the other end, so `silence` ends exactly that.
"""

import contextlib
import heapq
import os
import threading
import time
from collections.abc import Callable
from itertools import count

import rtmidi

from duet.errors import MidiError
from duet.midi import message_of
from duet.midi_ports import OURS, Port, is_there, list_ports, quiet, working_apis
from duet.note import Event, Sounding, order

SPIN = 0.001
"""Seconds before an event is due from which the thread no longer sleeps."""
KEPT = 10_000
"""How many latenesses are kept for the benchmark."""


class Sender:
    """A `MidiOut` over any function that sends the bytes of one message at once."""

    def __init__(self, write: Callable[[list[int]], None]) -> None:
        self._write = write
        self._waiting: list[tuple[tuple[float, int], int, Event]] = []
        self._count = count()
        self._condition = threading.Condition()
        self._sounding = Sounding()
        self._closed = False
        self.lateness: list[float] = []
        """Seconds by which each event left late, for `duet bench live`."""
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def send(self, event: Event) -> None:
        """Send the event at its time (`time.monotonic()`); at once if that is past."""
        with self._condition:
            heapq.heappush(self._waiting, (order(event), next(self._count), event))
            self._condition.notify()

    def silence(self) -> None:
        """Drop what waits; end what sounds, now, from the calling thread."""
        with self._condition:
            self._waiting.clear()
            for event in self._sounding.let_go(time.monotonic()):
                self._write(message_of(event))
            self._sounding = Sounding()

    def close(self) -> None:
        """Silence, and tell the other end so in every way MIDI has (CC 64, CC 123); end the thread."""
        self.silence()
        with self._condition:
            self._closed = True
            self._condition.notify()
            self._write([0xB0, 64, 0])
            self._write([0xB0, 123, 0])
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        with contextlib.suppress(AttributeError, PermissionError, OSError):  # real time where it is allowed
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))
        with self._condition:
            while not self._closed:
                if not self._waiting:
                    self._condition.wait()
                    continue
                event = self._waiting[0][2]
                ahead = event.time - time.monotonic()
                if ahead > SPIN:
                    self._condition.wait(ahead - SPIN)
                    continue
                heapq.heappop(self._waiting)
                while time.monotonic() < event.time:
                    pass
                self._send_now(event)

    def _send_now(self, event: Event) -> None:
        self._sounding.follow(event)
        self._write(message_of(event))
        if len(self.lateness) < KEPT:
            self.lateness.append(time.monotonic() - event.time)


class MidiPort:
    """An rtmidi output: a port of another program, or a virtual one of ours when `port` is None."""

    def __init__(self, port: Port | None, virtual_name: str) -> None:
        """Raises MidiError."""
        self._port = port
        self._virtual_name = virtual_name
        self._lost = False
        self.name = port.name if port else f"{virtual_name} (virtual)"
        self._midi = self._open(port)

    def write(self, message: list[int]) -> None:
        """Send the bytes of one message at once."""
        self._midi.send_message(message)

    def check(self) -> str | None:
        """Look whether the other end is still there, and take it again when it is back; return the news."""
        if self._port is None:
            return None
        if not self._lost:
            self._lost = not is_there(self._port, self._midi)
            return f"{self.name} is gone: start it again, Duet will find it" if self._lost else None
        found = [port for port in list_ports(rtmidi.MidiOut) if port.name == self._port.name]
        if not found:
            return None
        old, self._midi = self._midi, self._open(found[0])
        self._port, self._lost = found[0], False
        with quiet():
            old.close_port()
            old.delete()
        return f"{self.name} is back"

    def close(self) -> None:
        """Give the port back."""
        with quiet():
            self._midi.close_port()
            self._midi.delete()

    def _open(self, port: Port | None) -> rtmidi.MidiOut:
        api = port.api if port else working_apis()[0]
        with quiet():
            try:
                midi = rtmidi.MidiOut(api, name=OURS)
                if port:
                    midi.open_port(port.place, "out")
                else:
                    midi.open_virtual_port(self._virtual_name)
            except NotImplementedError:
                raise MidiError(
                    f"{self._virtual_name}: no such MIDI output, and this system has no virtual ports; "
                    "`duet ports` lists what there is (on Windows loopMIDI makes ports)"
                ) from None
            except (rtmidi.RtMidiError, OSError) as error:
                raise MidiError(
                    f"{self.name}: the port cannot be opened ({error}); is another program using it?"
                ) from error
        return midi
