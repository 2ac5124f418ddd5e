"""What Duet is plugged into: finds the keyboard, the port for answers and the sound device, and watches them."""

import logging
from collections.abc import Callable
from contextlib import ExitStack

import rtmidi

from duet.audio import RingSpeaker, choose_device
from duet.errors import AudioError, MidiError, PortNotFound
from duet.keyboard import Keyboard
from duet.midi_ports import OURS, Port, choose, list_ports, working_apis
from duet.ring import Ring
from duet.sender import MidiPort, Sender

logger = logging.getLogger(__name__)


class Devices:
    """All of them, open. `say(text, is_error)` is called on the loop when one goes or comes back."""

    def __init__(
        self, port: str | None, out: str | None, audio: str | None, say: Callable[[str, bool], None]
    ) -> None:
        """Each as on the command line; None is "you choose". Raises MidiError or AudioError."""
        self._say = say
        self._closing = ExitStack()
        self.sound_died = False
        """True once the device or the sound server has gone away."""
        self.ring: Ring | None = None
        self.speaker: RingSpeaker | None = None
        with ExitStack() as undo:
            undo.callback(self.close)
            self.keyboard = Keyboard(find_keyboard(port), say)
            self._on_exit(self.keyboard.close)
            self.midi = open_midi_out(out)
            self.sender = Sender(self.midi.write)
            self._on_exit(self.midi.close)
            self._closing.callback(self.sender.close)
            self.audio_name, self.audio_problem = self._open_audio(audio)
            undo.pop_all()

    @property
    def underruns(self) -> int:
        """Times the audio ring ran empty, since the start."""
        return self.ring.underruns if self.ring else 0

    def watch(self) -> None:
        """Look whether all is still there; to be called about once a second."""
        try:
            if change := self.midi.check():
                self._say(change, "gone" in change)
        except MidiError as error:
            logger.debug("no MIDI system for now: %s", error)
        if self.speaker and not self.speaker.active and not self.sound_died:
            self.sound_died = True
            self._say(self._what_died(self.speaker.device.name), True)

    def close(self) -> None:
        """Every note off, and all given back."""
        self._closing.close()

    def _on_exit(self, close: Callable[[], None]) -> None:
        """Close a device at the end, unless its server is dead: then its library would crash in closing it."""
        self._closing.callback(lambda: None if self.sound_died else close())

    def _open_audio(self, wanted: str | None) -> tuple[str, str]:
        """Open the device; return its name and, where there is none, why."""
        if wanted == "none":
            return "off", ""
        try:
            device = choose_device(wanted)
            self.ring = Ring(device.rate)
            self._closing.callback(self.ring.close)
            self.speaker = RingSpeaker(device, self.ring)
            self._on_exit(self.speaker.close)
        except AudioError as error:
            self.ring = None
            if wanted is not None:
                raise
            return "none", f"playing MIDI without sound: {error}"
        return device.name, ""

    @staticmethod
    def _what_died(device: str) -> str:
        try:
            working_apis()
        except MidiError:
            return f"{device} has stopped, and MIDI with it: restart the sound server, then Duet"
        return f"{device} has stopped: MIDI goes on; restart Duet for sound"


def find_keyboard(wanted: str | None) -> Port | None:
    """The port asked for; else the only keyboard there is; else None: open a port to be connected to."""
    ports = list_ports(rtmidi.MidiIn)
    if wanted is not None:
        return choose(wanted, ports, "MIDI input")
    keyboards = [port for port in ports if port.is_device]
    return keyboards[0] if len(keyboards) == 1 else None


def open_midi_out(wanted: str | None) -> MidiPort:
    """The port asked for; a name that nobody has is a virtual port of ours."""
    if wanted is None or wanted.casefold() == OURS.casefold():  # our own name is always our own port
        return MidiPort(None, wanted or OURS)
    try:
        return MidiPort(choose(wanted, list_ports(rtmidi.MidiOut), "MIDI output"), wanted)
    except PortNotFound as error:
        if wanted.isdecimal() or "could be any" in str(error):
            raise
        return MidiPort(None, wanted)
