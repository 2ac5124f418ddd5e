"""Watches the MIDI ports of this machine: what goes and comes back is joined again.

A small process lists them, for rtmidi holds the interpreter while it asks, and JACK then reads through
64 MB of shared memory: on a virtual machine that took 30 ms, in which the engine could play nothing.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import rtmidi

from duet.errors import MidiError
from duet.midi_ports import Lookout, Port
from duet.plug import Plug
from duet.title import name_process

logger = logging.getLogger(__name__)

LOOK = 0.7
"""Seconds between looks; found, joined and told, a port is back within two."""
AGAIN = 3.0
"""Seconds until a list that died is begun anew."""

Names = tuple[tuple[str, ...], tuple[str, ...]]
"""All inputs and all outputs there are."""


def list_again_and_again(pipe: "Connection[Any, Any]") -> None:
    """Main of the ports' process: send (inputs, outputs), until anything comes back or the engine is gone."""
    name_process("duet-ports")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine says when it is over
    lookout = Lookout()
    with contextlib.suppress(OSError):
        while True:
            try:
                pipe.send((lookout.ports(rtmidi.MidiIn), lookout.ports(rtmidi.MidiOut)))
            except MidiError as error:
                logger.debug("no MIDI system for now: %s", error)
            if pipe.poll(LOOK):
                break
    lookout.close()


class Watch:
    """A thread that looks after plugs, by what the ports' process lists.

    On the loop `say(text, is_error)` is called when one is lost or found, `tell(ins, outs)` when the list of
    ports has changed.
    """

    def __init__(self, say: Callable[[str, bool], None], tell: Callable[[Names], None]) -> None:
        self._say = say
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self.plugs: Sequence[Plug] = ()
        """What is looked after; may be replaced at any time."""
        self._names: Names | None = None
        self._closing = threading.Event()
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._thread = threading.Thread(target=self._run, name="ports", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch, and its process."""
        self._closing.set()
        if self._pipe:
            with contextlib.suppress(OSError):
                self._pipe.send(None)
        self._thread.join(timeout=2.0)
        if self._process:
            self._process.join(timeout=1.0)
            self._process.kill()  # asking may hang where the server is dead

    def _run(self) -> None:
        while True:
            with contextlib.suppress(EOFError, OSError):  # it has died, or there is no room for a process now
                self._process, self._pipe = self._start()
                with self._pipe:
                    while not self._closing.is_set():
                        self._look(*self._pipe.recv())
            if self._closing.wait(AGAIN):
                return
            logger.warning("nobody lists the MIDI ports: starting a process for it again")

    @staticmethod
    def _start() -> "tuple[BaseProcess, Connection[Any, Any]]":
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=list_again_and_again, args=(theirs,), name="duet-ports", daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def _look(self, ins: Sequence[Port], outs: Sequence[Port]) -> None:
        for plug in self.plugs:
            plug.wake()
            if news := plug.look(ins if plug.direction is rtmidi.MidiIn else outs):
                self._hop(self._say, news, " is gone:" in news)
        names = (tuple(port.name for port in ins), tuple(port.name for port in outs))
        if names != self._names:
            self._names = names
            self._hop(self._tell, names)

    def _hop(self, call: Callable[..., None], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call, *values)
