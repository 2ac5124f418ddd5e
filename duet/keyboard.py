"""The player's keyboard: a thread polls the port every millisecond, stamps, hands over, and does nothing else.

Polling costs 0.4 ms in the median and is immune to what the callback suffers from: a close that never
returns and a busy interpreter that stalls JACK (`docs/live.md`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable

import rtmidi

from duet.errors import MidiError
from duet.midi import event_of
from duet.midi_ports import OURS, Port, is_there, list_ports, quiet, working_apis
from duet.note import Event, Sounding

logger = logging.getLogger(__name__)

POLL = 0.001
"""Seconds between looks at the port."""
CHECK = 1.0
"""Seconds between looks at whether the port is still there."""


class Keyboard:
    """A MIDI input as a `Listener`. Opens a port, or a virtual one others connect to if `port` is None."""

    def __init__(self, port: Port | None, tell: Callable[[str, bool], None]) -> None:
        """`tell(text, is_error)` is called on the loop when the port goes or comes back. Raises MidiError."""
        self._port = port
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Event | None] = asyncio.Queue()
        self._closing = threading.Event()
        self._sounding = Sounding()
        self._midi = self._open(port)
        self.name = port.name if port else f"{OURS} in (virtual: connect a keyboard or DAW to it)"
        self._thread = threading.Thread(target=self._poll, name="keyboard", daemon=True)
        self._thread.start()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._inbox.get()) is not None:
            yield event

    def close(self) -> None:
        """End the listening; the iteration ends too."""
        self._closing.set()
        self._thread.join(timeout=2.0)
        self._inbox.put_nowait(None)

    @staticmethod
    def _open(port: Port | None) -> rtmidi.MidiIn:
        api = port.api if port else working_apis()[0]
        with quiet():
            try:
                midi = rtmidi.MidiIn(api, name=f"{OURS}-in", queue_size_limit=4096)
                if port:
                    midi.open_port(port.place, "in")
                else:
                    midi.open_virtual_port("in")
            except NotImplementedError:
                raise MidiError(
                    "this system has no virtual ports: name the keyboard with --port (`duet ports` lists them); "
                    "on Windows loopMIDI makes ports a DAW can share"
                ) from None
            except (rtmidi.RtMidiError, OSError) as error:
                name = port.name if port else "Duet's own input"
                raise MidiError(
                    f"{name}: the port cannot be opened ({error}); is another program using it?"
                ) from error
        midi.ignore_types(sysex=True, timing=True, active_sense=True)
        return midi

    def _poll(self) -> None:
        next_check = time.monotonic() + CHECK
        while not self._closing.is_set():
            message = self._midi.get_message()
            now = time.monotonic()
            if message:
                event = event_of(message[0], now)
                if event:
                    self._sounding.follow(event)
                    self._loop.call_soon_threadsafe(self._inbox.put_nowait, event)
                continue
            if now > next_check:
                next_check = now + CHECK
                if self._port and not is_there(self._port, self._midi):
                    self._wait_for_return(self._port)
            time.sleep(POLL)
        with quiet():
            self._midi.close_port()
            self._midi.delete()

    def _wait_for_return(self, port: Port) -> None:
        """The cable is out: let go of what was held, say so, and take the port again when it is back."""
        for event in self._sounding.let_go(time.monotonic()):
            self._sounding.follow(event)
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, event)
        self._say(f"{port.name} is gone: plug it in again, Duet is waiting for it", True)
        while not self._closing.wait(CHECK):
            try:
                found = [other for other in list_ports(rtmidi.MidiIn) if other.name == port.name]
                if found:
                    old, self._midi = self._midi, self._open(found[0])
                    self._port = found[0]
                    with quiet():
                        old.close_port()
                        old.delete()
                    self._say(f"{port.name} is back", False)
                    return
            except MidiError as error:
                logger.debug("still gone: %s", error)

    def _say(self, text: str, is_error: bool) -> None:
        self._loop.call_soon_threadsafe(self._tell, text, is_error)
