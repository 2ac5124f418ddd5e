"""The voice as a `MidiOut` that two hands share: the partner's, and the player's own where they are to be heard."""

import time
from collections.abc import Callable

from duet.note import Event, NoteOff, Pedal, Sounding, at
from duet.ports import MidiOut


class VoiceOut:
    """A voice that can be muted, and that sounds the player's keys too with `monitor`.

    It renders ahead of the device, so an event is heard some time after it is sent. An answer that waits for a bar
    line or a beat is sent early by that, and is heard on it.
    """

    def __init__(
        self,
        voice: MidiOut,
        monitor: bool = False,
        delay: Callable[[], float] = lambda: 0.0,
        tell_early: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """`delay()` is how much later, in seconds; it changes with the voice and the device.

        `tell_early(seconds)` is called before each answer with how much before its time it will be sent.
        """
        self.muted = False
        self._delay = delay
        self._tell_early = tell_early
        self._early = 0.0
        self._voice = voice
        self._monitor = monitor
        self._player = Sounding()
        """What the player has down."""

    @property
    def delay(self) -> float:
        """Seconds from an event's time to its sound."""
        return self._delay()

    def advance(self, spare: float) -> None:
        """The next answer begins `spare` seconds later than it could."""
        self._early = max(0.0, min(spare, self.delay))
        self._tell_early(self._early)

    def send(self, event: Event) -> None:
        """Sing an event of the partner's at its time; a key the player holds too stays down."""
        if self.muted or (isinstance(event, NoteOff) and event.pitch in self._player.keys):
            return
        if isinstance(event, Pedal) and self._player.pedal_down:
            return
        self._voice.send(at(event, event.time - self._early))

    def silence(self) -> None:
        """Fade out at once. The player's foot stays where it is."""
        self._voice.silence()
        self._player.keys.clear()
        if self._player.pedal_down and not self.muted:
            self._voice.send(Pedal(time.monotonic(), 127))

    def play(self, event: Event) -> None:
        """The player does this, now."""
        if self._monitor and not self.muted:
            self._player.follow(event)
            self._voice.send(at(event, time.monotonic()))

    def mute(self, muted: bool) -> None:
        """Fall silent, or sound again from the next note on."""
        self.muted = muted
        self._player = Sounding()
        if muted:
            self._voice.silence()
