"""Watches the MIDI ports of this machine from a thread of its own: what goes and comes back is joined again."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

import rtmidi

from duet.errors import MidiError
from duet.midi_ports import Lookout
from duet.plug import Plug

logger = logging.getLogger(__name__)

LOOK = 0.7
"""Seconds between looks; found, joined and told, a port is back within two."""

Names = tuple[tuple[str, ...], tuple[str, ...]]
"""All inputs and all outputs there are."""


class Watch:
    """A thread that looks after plugs.

    On the loop `say(text, is_error)` is called when one is lost or found, `tell(ins, outs)` when the list of
    ports has changed.
    """

    def __init__(self, say: Callable[[str, bool], None], tell: Callable[[Names], None]) -> None:
        self._say = say
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._lookout = Lookout()
        self.plugs: Sequence[Plug] = ()
        """What is looked after; may be replaced at any time."""
        self._names: Names | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ports", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch."""
        self._closing.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while not self._closing.wait(LOOK):
            try:
                self._look()
            except MidiError as error:
                logger.debug("no MIDI system for now: %s", error)

    def _look(self) -> None:
        ports = {direction: self._lookout.ports(direction) for direction in (rtmidi.MidiIn, rtmidi.MidiOut)}
        for plug in self.plugs:
            plug.wake()
            if news := plug.look(ports[plug.direction]):
                self._hop(self._say, news, " is gone:" in news)
        names = (
            tuple(port.name for port in ports[rtmidi.MidiIn]),
            tuple(port.name for port in ports[rtmidi.MidiOut]),
        )
        if names != self._names:
            self._names = names
            self._hop(self._tell, names)

    def _hop(self, call: Callable[..., None], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call, *values)
