"""The MIDI ports of this machine, and how a person names one.

rtmidi speaks to one system at a time (ALSA, JACK, CoreMIDI, WinMM) and does not fall through from one to
the next, so each that was compiled in is tried. Native libraries print to file descriptor 2 whatever
happens; `quiet` keeps that away from the person's terminal.
"""

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import rtmidi

from duet.errors import MidiError, PortNotFound

NO_MIDI = (
    "no MIDI system answers (tried {}): on Linux start JACK or PipeWire-JACK, or load the ALSA sequencer "
    "(`sudo modprobe snd-seq`); `duet demo` needs none"
)
OURS = "Duet"
"""Our ports' client name; they are left out of lists and never connected to themselves."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of another program or device that we can connect to."""

    name: str
    """As the system tells it, without the client numbers that change from day to day."""
    index: int
    """Its number in the list a person sees."""
    api: int
    """The rtmidi API it is found in."""
    place: int
    """Its number in that API."""
    system_name: str
    """Exactly as the system tells it."""

    @property
    def is_device(self) -> bool:
        """Probably a keyboard someone plugged in, rather than another program's port."""
        if self.api == rtmidi.API_UNIX_JACK:
            return self.name.startswith(("system:", "a2j:"))
        return "through" not in self.name.casefold()


_stderr = threading.RLock()
"""Descriptor 2 belongs to the whole process: of two threads that swap it at once one would lose it for good."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What native code prints to file descriptor 2 meanwhile is dropped."""
    with _stderr:
        sys.stderr.flush()
        saved = os.dup(2)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)
        os.close(sink)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def aloud() -> Iterator[None]:
    """What is printed to standard error meanwhile is not dropped by another thread's `quiet`."""
    with _stderr:
        yield


def working_apis() -> list[int]:
    """The rtmidi APIs that answer here, best first. Raises MidiError if none does."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    compiled = [api for api in rtmidi.get_compiled_api() if api != rtmidi.API_RTMIDI_DUMMY]
    working = []
    for api in compiled:
        with quiet(), contextlib.suppress(rtmidi.RtMidiError, OSError):
            probe = rtmidi.MidiIn(api, name=f"{OURS}-probe")
            probe.get_ports()
            probe.delete()
            working.append(api)
    if not working:
        tried = ", ".join(rtmidi.get_api_display_name(api) for api in compiled)
        raise MidiError(NO_MIDI.format(tried))
    return working


class Lookout:
    """Lists ports again and again through clients it keeps: one that came and went would disturb the patchbay."""

    def __init__(self) -> None:
        self._clients: dict[type, list[tuple[int, Any]]] = {}
        self._dead: list[Any] = []
        """Clients of a server that has died: their library would abort if they were freed."""

    def ports(self, direction: type) -> list[Port]:
        """All ports to connect to: rtmidi.MidiIn for keyboards, rtmidi.MidiOut for synths. Raises MidiError."""
        if direction not in self._clients:
            apis = working_apis()
            try:
                with quiet():
                    self._clients[direction] = [(api, direction(api, name=f"{OURS}-list")) for api in apis]
            except (rtmidi.RtMidiError, OSError) as error:  # it has gone, or come, between two looks
                raise MidiError(f"the MIDI system is not ready ({error})") from error
        ports: list[Port] = []
        for api, client in self._clients[direction]:
            try:
                with quiet():
                    names = client.get_ports()
            except (rtmidi.RtMidiError, OSError) as error:
                self._dead += [client for _, client in self._clients.pop(direction)]
                raise MidiError(f"the MIDI system has stopped ({error})") from error
            for place, name in enumerate(names):
                clean = lasting_name(name, api, place)
                if not clean.startswith(OURS):
                    ports.append(Port(clean, len(ports), api, place, name))
        return _number_duplicates(ports)

    def close(self) -> None:
        """Give the clients back."""
        with quiet():
            for clients in self._clients.values():
                for _, client in clients:
                    client.delete()
        self._clients.clear()


def lasting_name(name: str, api: int, place: int) -> str:
    """A port's name without what changes when it is plugged in again: ALSA's client numbers, WinMM's place."""
    if api == rtmidi.API_WINDOWS_MM:
        return name.removesuffix(f" {place}")
    return re.sub(r" \d+:\d+$", "", name)


def list_ports(direction: type) -> list[Port]:
    """All ports to connect to, once. Raises MidiError."""
    lookout = Lookout()
    try:
        return lookout.ports(direction)
    finally:
        lookout.close()


def _number_duplicates(ports: list[Port]) -> list[Port]:
    seen: dict[str, int] = {}
    numbered = []
    for port in ports:
        seen[port.name] = seen.get(port.name, 0) + 1
        name = port.name if seen[port.name] == 1 else f"{port.name} ({seen[port.name]})"
        numbered.append(replace(port, name=name))
    return numbered


def choose(wanted: str, ports: list[Port], kind: str) -> Port:
    """The port a person means by a number or a name: exact beats a unique part. Raises PortNotFound."""
    listing = "; ".join(f"{port.index}: {port.name}" for port in ports) or "there is none"
    if wanted.isdecimal():
        if int(wanted) < len(ports):
            return ports[int(wanted)]
        raise PortNotFound(f"no {kind} has the number {wanted}; choose from: {listing}")
    folded = wanted.casefold()
    exact = [port for port in ports if port.name.casefold() == folded]
    partial = [port for port in ports if folded in port.name.casefold()]
    match exact or partial:
        case [port]:
            return port
        case []:
            raise PortNotFound(f"no {kind} is called {wanted!r}; choose from: {listing}")
        case several:
            names = "; ".join(f"{port.index}: {port.name}" for port in several)
            raise PortNotFound(f"{wanted!r} could be any of {len(several)} {kind}s: {names}; say the number")
