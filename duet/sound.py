"""The sound of one evening: the ring, the device that plays it, and the device again when it has gone and come back."""

import asyncio
import threading
from collections.abc import Callable

from duet.audio import RingSpeaker, choose_device
from duet.errors import AudioError, DuetError, MidiError
from duet.midi_ports import working_apis
from duet.portaudio import look_anew
from duet.ring import Ring

JACK = "JACK"
"""Part of the name of the system whose server takes its devices along when it dies."""


class Sound:
    """`ring` is None where there is no sound. `say(text, is_error)` is called on the loop, as are all methods."""

    def __init__(self, wanted: str | None, block: int, say: Callable[[str, bool], None]) -> None:
        """wanted: a device's name or number, "none", or None for the default. Raises AudioError for one not there."""
        self.ring: Ring | None = None
        self.speaker: RingSpeaker | None = None
        self.name = "off"
        """The device's, or that there is none."""
        self.problem = ""
        """Why there is no sound, where some was wanted."""
        self.server_died = False
        """True once a sound server has died: its libraries abort in closing what was open."""
        self.came_back: Callable[[], None] = lambda: None
        """Called when the device plays again: what was to sound meanwhile is to be dropped."""
        self._block = block
        self._say = say
        self._lost = ""
        """The device that has gone and is awaited."""
        self._looking = False
        self._midi_died = False
        self._loop = asyncio.get_running_loop()
        if wanted == "none":
            return
        try:
            device = choose_device(wanted)
            self.ring = Ring(device.rate)
            self.speaker = RingSpeaker(device, self.ring, block)
            self.name = device.name
        except AudioError as error:
            self._free()
            if wanted is not None:
                raise
            self.name, self.problem = "none", f"playing MIDI without sound: {error}"

    def change(self, name: str | None) -> None:
        """Sound on another device, at the rate the voice is already made for; None is no sound. Raises AudioError."""
        if self.ring is None:
            raise AudioError("Duet was started without sound: start it again with --audio")
        self._lost = ""
        if name is None or name == "none":
            self.stop()
            self.name = "off"
            return
        device = choose_device(name)
        self.stop()
        self.speaker = RingSpeaker(device, self.ring, self._block)
        self.name = device.name

    def check(self) -> None:
        """Look whether the device still plays, or whether it is back; to be called about once a second."""
        if self.speaker and not self.speaker.active:
            self._lose(self.speaker)
        elif self._lost and not self._looking:
            self._looking = True
            threading.Thread(target=self._look, args=(self._lost,), name="sound", daemon=True).start()

    def stop(self) -> None:
        """Close the device."""
        speaker, self.speaker = self.speaker, None
        if speaker and not self.server_died:
            speaker.close()

    def close(self) -> None:
        """Give all back."""
        self._lost = ""
        self.stop()
        self._free()

    def _free(self) -> None:
        if self.ring:
            self.ring.close()
            self.ring = None

    def _lose(self, speaker: RingSpeaker) -> None:
        assert self.ring
        self._lost = speaker.device.name
        self.server_died = self.server_died or JACK in speaker.device.host
        self._midi_died = _midi_has_died()
        rest = "; for MIDI restart Duet then" if self._midi_died else "; MIDI goes on"
        self._say(f"{self._lost} has stopped: Duet opens it again when it is back{rest}", True)
        self.stop()
        self.ring.cut()

    def _look(self, name: str) -> None:
        """On a thread of its own: open the device if it is there again."""
        speaker: RingSpeaker | None = None
        try:
            look_anew(self.server_died)
            if self.ring and self._lost == name:
                self.ring.restart_clock()
                speaker = RingSpeaker(choose_device(name), self.ring, self._block)
        except DuetError:
            pass  # not yet; `check` looks again
        finally:
            try:
                self._loop.call_soon_threadsafe(self._looked, name, speaker)
            except RuntimeError:  # the loop has ended
                self._looking = False

    def _looked(self, name: str, speaker: RingSpeaker | None) -> None:
        self._looking = False
        if speaker is None:
            return
        if self._lost != name:  # another was chosen meanwhile, or all is over
            speaker.close()
            return
        self._lost, self.speaker = "", speaker
        self.came_back()
        rest = "; for MIDI restart Duet" if self._midi_died else ""
        self._say(f"{name} is back, and the sound with it{rest}", False)


def _midi_has_died() -> bool:
    try:
        working_apis()
    except MidiError:
        return True
    return False
