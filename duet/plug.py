"""One MIDI port of ours: joined to a port of another program by name, or a virtual one that others join.

What is at the other end may not be there yet when Duet starts, may go, and may come back under another
number. `look`, called about once a second by one thread (`duet/watch.py`), finds out and joins it again;
whoever sends or receives meanwhile is held up for no longer than the swap of two clients.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import rtmidi

from duet.errors import MidiError, PortNotFound
from duet.midi_ports import Port, choose, quiet, working_apis
from duet.wake import Wake

FLUSH = 0.1
"""Seconds until a message that was sent has surely left: some long periods of JACK, which else drops it."""
Wanted = Callable[[Sequence[Port]], Port | None]
"""Picks the port meant from those there are; None if it is not among them."""


def named(wanted: str) -> Wanted:
    """The port of that name; while it is not there, nobody."""

    def pick(ports: Sequence[Port]) -> Port | None:
        with contextlib.suppress(PortNotFound):
            return choose(wanted, list(ports), "MIDI port")
        return None

    return pick


def only_keyboard(ports: Sequence[Port]) -> Port | None:
    """The keyboard that is plugged in, if there is just one."""
    keyboards = [port for port in ports if port.is_device]
    return keyboards[0] if len(keyboards) == 1 else None


class Plug:
    """A port of ours. direction: rtmidi.MidiIn or rtmidi.MidiOut."""

    def __init__(
        self, direction: type, own: tuple[str, str], wanted: Wanted | None, ports: Sequence[Port]
    ) -> None:
        """own: our client's and port's names, as others see them. wanted: None is a virtual port. Raises MidiError."""
        self.direction = direction
        self.losses = 0
        """How often the other end has gone; whoever held keys there has let go of them."""
        self._own = own
        self._wanted = wanted
        self._awaited = wanted
        self._met = False
        self._wake: Wake | None = None
        self._port = wanted(ports) if wanted else None
        self._lock = threading.Lock()
        """Held for one message, or to swap the clients."""
        self._midi: Any = self._open(self._port) if self._port or not wanted else None

    @property
    def name(self) -> str:
        """What is at the other end; empty while that is awaited."""
        if self._wanted is None:
            return f"{':'.join(self._own)} (virtual)"
        return self._port.name if self._port else ""

    def send(self, message: Sequence[int]) -> None:
        """Send the bytes of one message at once; what nobody can hear is dropped."""
        with self._lock:
            if self._midi is not None:
                self._midi.send_message(message)

    def receive(self) -> list[int] | None:
        """The bytes of the next message that has come, if one has."""
        with self._lock:
            item = self._midi.get_message() if self._midi is not None else None
        return item[0] if item else None

    def wake(self) -> None:
        """Hear again what follows a message that a sender left open; to be called about once a second."""
        with self._lock:
            if self._wake:
                self._wake.send()

    def look(self, ports: Sequence[Port]) -> str | None:
        """Compare with the ports there are now; join or let go accordingly; return the news in plain words."""
        if self._wanted is None or self._awaited is None:
            return None
        if self._port is not None:
            if any(port.system_name == self._port.system_name for port in ports):
                return None
            gone, self._port = self._port.name, None
            self._awaited, self._met = named(gone), True
            self.losses += 1
            if not self._join(ports):  # else it only has another number now
                return f"{gone} is gone: plug it in or start it again, Duet will take it"
            return f"{self.name} is back"
        if self._join(ports):
            return f"{self.name} is {'back' if self._met else 'there'}"
        return None

    def close(self) -> None:
        """Give the port back, once what was sent has left."""
        with self._lock:
            midi, self._midi = self._midi, None
            wake, self._wake = self._wake, None
        if wake:
            wake.close()
        if midi is not None and self.direction is rtmidi.MidiOut:
            time.sleep(FLUSH)
        _free(midi)

    def _join(self, ports: Sequence[Port]) -> bool:
        """Take the port if it is there. The old client is kept until then: its server may be dead, and it with it."""
        assert self._wanted and self._awaited
        port = self._awaited(ports) or self._wanted(ports)
        if port is None:
            return False
        try:
            midi = self._open(port)
        except MidiError:
            return False  # listed and not ready yet: the next look tries again
        with self._lock:
            old, self._midi = self._midi, midi
            if self.direction is rtmidi.MidiOut and self._met:
                _let_go(midi)
        self._port = port
        _free(old)
        return True

    def _open(self, port: Port | None) -> Any:
        client, own = self._own
        with quiet():
            try:
                api = port.api if port else working_apis()[0]
                midi = self._client(api)
                if port:
                    midi.open_port(port.place, own)
                else:
                    self._open_virtual(midi, api)
            except NotImplementedError:
                raise MidiError(no_virtual_ports(own, self.direction)) from None
            except (rtmidi.RtMidiError, OSError) as error:
                name = port.name if port else f"{client}:{own}"
                raise MidiError(
                    f"{name}: the port cannot be opened ({error}); is another program using it?"
                ) from error
        return midi

    def _open_virtual(self, midi: Any, api: int) -> None:
        client, own = self._own
        if api == rtmidi.API_UNIX_JACK and self.direction is rtmidi.MidiIn:
            self._wake = Wake(api)
        midi.open_virtual_port(own)
        if self._wake:
            self._wake.join(client)

    def _client(self, api: int) -> Any:
        if self.direction is rtmidi.MidiOut:
            return rtmidi.MidiOut(api, name=self._own[0])
        midi = rtmidi.MidiIn(api, name=self._own[0], queue_size_limit=4096)
        midi.ignore_types(sysex=True, timing=False, active_sense=True)
        return midi


def _free(midi: Any) -> None:
    if midi is not None:
        with quiet():
            midi.close_port()
            midi.delete()


def no_virtual_ports(name: str, direction: type, system: str = sys.platform) -> str:
    """What to do where programs cannot make MIDI ports: on Windows, whose WinMM knows devices only."""
    if direction is rtmidi.MidiIn:
        what, option = (
            "no MIDI keyboard is plugged in, and Duet cannot make an input port of its own",
            "--port",
        )
    else:
        what, option = f"there is no MIDI output {name!r}, and Duet cannot make one", "--out"
    if system == "win32":
        return (
            f"{what} on Windows: make a port with loopMIDI (tobias-erichsen.de), choose it in your DAW, "
            f"and name it with {option}; `duet ports` lists what there is"
        )
    return f"{what} on this system; name one with {option} (`duet ports` lists what there is)"


def _let_go(midi: Any) -> None:
    """End whatever the other end still sounds from before it went: our note-offs did not reach it."""
    for channel in range(16):
        for controller in (64, 123):
            midi.send_message([0xB0 | channel, controller, 0])
