"""What Duet is plugged into: finds the keyboard, the clock, the port for answers and the sound device; changes them."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import rtmidi

from duet.audio import list_devices
from duet.errors import DuetError, MidiError, PortNotFound
from duet.keyboard import Ears, Keyboard
from duet.live_options import Studio
from duet.midi_ports import OURS, Lookout, Port, choose
from duet.news import Plugged
from duet.plug import Plug, named, only_keyboard
from duet.route import Bytes, Echoes, Router
from duet.sender import Sender
from duet.sound import Sound
from duet.watch import Names, Watch

logger = logging.getLogger(__name__)

KEYS, CLOCK = (f"{OURS}-in", "in"), (f"{OURS}-clock", "clock")
"""Our input ports, client and port, as others see them."""
CLICK, CLICK_FIRST = 77, 76
"""Low and high wood block of General MIDI's drums: the metronome where there is no sound of ours."""


class Devices:
    """All of them, open. On the loop, `say(text, is_error)` is called when one goes or comes back."""

    def __init__(
        self,
        wanted: tuple[str | None, str | None, str | None],
        studio: Studio,
        say: Callable[[str, bool], None],
        plugged: Callable[[Plugged], None],
    ) -> None:
        """wanted: keyboard, MIDI out and audio device as on the command line; None is "you choose".

        `plugged(news)` is called when the list of what could be plugged in changes, or what is plugged in does.
        Raises MidiError or AudioError.
        """
        port, out, audio = wanted
        self._say = say
        self._plugged = plugged
        self._state_cc = studio.state_cc
        self._closing = ExitStack()
        self.names: Names = ((), ())
        self.waiting: list[str] = []
        """Lines to say when somebody listens: what is not there yet."""
        self.on_moved: Callable[[Bytes, float], None] = lambda message, when: None
        self.on_clock: Callable[[Bytes, float], None] = lambda message, when: None
        """Called on the loop with what knobs and the clock send."""
        self.sound = Sound(audio, studio.buffer, say)
        self._closing.callback(self.sound.close)
        with ExitStack() as undo:
            undo.callback(self.close)
            self._lookout = Lookout()
            self._closing.callback(self._unless_dead, self._lookout.close)
            echoes = Echoes()
            self.router = Router(studio.route, studio.controls, echoes)
            self.midi = self._open_out(out)
            self._closing.callback(self._unless_dead, lambda: self.midi.close())
            self.sender = Sender(lambda message: self.midi.send(message), studio.channel_out, echoes)
            self._closing.callback(self.sender.close)  # after the keyboard: nothing goes through any more
            keys = self._open_keys(port)
            clock = self._open_clock(studio.clock)
            ears = Ears(
                self.sender.through,
                lambda *heard: self.on_moved(*heard),
                lambda *heard: self.on_clock(*heard),
            )
            self.keyboard = Keyboard(
                keys, clock, self.router, ears, studio.latency_in, studio.clock == "keyboard"
            )
            self._closing.callback(self._unless_dead, self._close_keyboard)
            self._watch = Watch(self._heard_of, self._ports_changed)
            self._closing.callback(self._watch.close)
            self._look_after()
            undo.pop_all()

    @property
    def keyboard_name(self) -> str:
        """The port played on, or what is awaited."""
        return self.keyboard.name or "no keyboard yet"

    @property
    def underruns(self) -> int:
        """Times the audio ring ran empty, since the start."""
        return self.sound.ring.underruns if self.sound.ring else 0

    def change_port(self, name: str | None) -> None:
        """Play on another keyboard; None is a port of our own that others join. Raises MidiError."""
        old = self.keyboard.keys
        keys = [Plug(rtmidi.MidiIn, KEYS, None, ())] if name is None else self._open_keys(name)
        self.keyboard.play_on(keys)
        for plug in old:
            plug.close()
        self._look_after()

    def change_out(self, name: str | None) -> None:
        """Send answers somewhere else; what sounds at the old place ends there. Raises MidiError."""
        new = self._open_out(name)
        self.sender.panic()
        old, self.midi = self.midi, new
        asyncio.get_running_loop().run_in_executor(None, old.close)  # it waits until the note-offs have left
        self._look_after()

    def close(self) -> None:
        """Every note off, and all given back."""
        self._closing.close()

    def _unless_dead(self, close: Callable[[], None]) -> None:
        """Close a device at the end, unless its server is dead: then its library would crash in closing it."""
        if not self.sound.server_died:
            close()

    def _close_keyboard(self) -> None:
        self.keyboard.close()
        for plug in {*self.keyboard.keys, self.keyboard.clock} - {None}:
            assert plug
            plug.close()

    def click(self, when: float, accent: bool) -> None:
        """A metronome's click: heard where Duet sounds, else on the drum channel of the MIDI out."""
        if self.sound.speaker:
            self.sound.speaker.clicks.add(when, accent)
            return
        pitch, drums = (CLICK_FIRST if accent else CLICK), 9
        self.sender.schedule((0x90 | drums, pitch, 100), when)
        self.sender.schedule((0x80 | drums, pitch, 64), when + 0.05)

    def tell_state(self, value: int) -> None:
        """Whose turn it is, as a control change, for lights and pedals that want to know."""
        if self._state_cc is not None:
            self.sender.schedule((0xB0 | self.sender.channel, self._state_cc, value), time.monotonic())

    def _look_after(self) -> None:
        plugs = [*self.keyboard.keys, self.midi]
        if self.keyboard.clock and self.keyboard.clock not in plugs:
            plugs.append(self.keyboard.clock)
        self._watch.plugs = tuple(plugs)

    def _heard_of(self, text: str, is_error: bool) -> None:
        self._say(text, is_error)
        self._plugged(self.could_be_plugged())

    def _ports_changed(self, names: Names) -> None:
        self.names = names
        self._plugged(self.could_be_plugged())

    def could_be_plugged(self) -> Plugged:
        """All ports and devices there are, as far as is known."""
        try:
            devices = [] if self.sound.ring is None else [device.name for device in list_devices()]
        except DuetError:
            devices = []
        return Plugged(*self.names, tuple(devices))

    def _open_keys(self, wanted: str | None) -> list[Plug]:
        """The port asked for, there or not yet; else the keyboard that is or will be there, and our own port."""
        ports = self._lookout.ports(rtmidi.MidiIn)
        if wanted is not None:
            return [self._named_plug(rtmidi.MidiIn, KEYS, wanted, ports)]
        keyboard = Plug(rtmidi.MidiIn, KEYS, only_keyboard, ports)
        if keyboard.name:
            return [keyboard]
        try:
            return [Plug(rtmidi.MidiIn, KEYS, None, ports), keyboard]
        except MidiError as error:
            self.waiting.append(str(error))
            return [keyboard]

    def _open_clock(self, wanted: str) -> Plug | None:
        if wanted in ("internal", "keyboard"):
            return None
        ports = self._lookout.ports(rtmidi.MidiIn)
        if wanted == "virtual":
            return Plug(rtmidi.MidiIn, CLOCK, None, ports)
        return self._named_plug(rtmidi.MidiIn, CLOCK, wanted, ports)

    def _named_plug(self, direction: type, own: tuple[str, str], wanted: str, ports: Sequence[Port]) -> Plug:
        """A plug to the port of that name or number; a name that nobody has may still turn up. Raises PortNotFound."""
        try:
            name = choose(wanted, list(ports), "MIDI input").name
        except PortNotFound as error:
            if wanted.isdecimal() or "could be any" in str(error):
                raise
            self.waiting.append(f"{error}; Duet takes it when it is plugged in")
            name = wanted
        return Plug(direction, own, named(name), ports)

    def _open_out(self, wanted: str | None) -> Plug:
        """The port asked for; a name that nobody has is a virtual port of ours."""
        ports = self._lookout.ports(rtmidi.MidiOut)
        if wanted is None or wanted.casefold() == OURS.casefold():  # our own name is always our own port
            return Plug(rtmidi.MidiOut, (OURS, wanted or OURS), None, ports)
        try:
            name = choose(wanted, ports, "MIDI output").name
        except PortNotFound as error:
            if wanted.isdecimal() or "could be any" in str(error):
                raise
            return Plug(rtmidi.MidiOut, (OURS, wanted), None, ports)
        return Plug(rtmidi.MidiOut, (OURS, "out"), named(name), ports)
