"""What has been played and what is planned, as notes with two ends; pure, no clock.

Times are the session clock's. A note that is still held, or planned without its release, has no offset.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from duet.news import Who
from duet.note import Event, NoteOff, NoteOn, Pedal


@dataclass(slots=True)
class Span:
    """Something that lasts: a key held, or the pedal."""

    who: Who
    onset: float
    """Seconds."""
    offset: float | None = None
    """Seconds; None while held."""
    pitch: int = 0
    """MIDI note number; 0 for the pedal."""
    velocity: int = 0
    """1..127; 0 for the pedal."""

    def sounds(self, now: float) -> bool:
        """Whether it is down at this moment."""
        return self.onset <= now and (self.offset is None or now < self.offset)


class Score:
    """The notes and pedal of both players over the last while and the planned next while."""

    def __init__(self) -> None:
        self.notes: list[Span] = []
        """In the order in which they were told."""
        self.pedals: list[Span] = []
        self.version = 0
        """Grows with every change, so that a drawing knows whether it is stale."""
        self._held: dict[tuple[Who, int], Span] = {}
        self._pedal: dict[Who, Span] = {}

    def feed(self, who: Who, event: Event) -> None:
        """Take one event, in its player's order of time."""
        self.version += 1
        match event:
            case NoteOn():
                self._release(who, event.pitch, event.time)
                span = Span(who, event.time, None, event.pitch, event.velocity)
                self._held[who, event.pitch] = span
                self.notes.append(span)
            case NoteOff():
                self._release(who, event.pitch, event.time)
            case Pedal():
                if event.down and who not in self._pedal:
                    self._pedal[who] = Span(who, event.time)
                    self.pedals.append(self._pedal[who])
                elif not event.down and who in self._pedal:
                    self._pedal.pop(who).offset = event.time

    def cut(self, time: float) -> None:
        """The partner stops at `time`: what it had planned after it goes, what sounds ends there."""
        self.version += 1
        self.notes = [span for span in self.notes if _survives(span, time)]
        self.pedals = [span for span in self.pedals if _survives(span, time)]
        for span in self.notes + self.pedals:
            if span.who is Who.PARTNER and (span.offset is None or span.offset > time):
                span.offset = time
        self._held = {key: span for key, span in self._held.items() if key[0] is not Who.PARTNER}
        self._pedal.pop(Who.PARTNER, None)

    def forget(self, before: float) -> None:
        """Let go of what ended before this time."""
        self.notes = [span for span in self.notes if span.offset is None or span.offset >= before]
        self.pedals = [span for span in self.pedals if span.offset is None or span.offset >= before]

    def held(self, now: float) -> dict[int, Who]:
        """The keys that are down at this moment and whose they are; where both hold one, the player's."""
        keys: dict[int, Who] = {}
        for span in self.notes:
            if span.sounds(now) and keys.get(span.pitch) is not Who.PLAYER:
                keys[span.pitch] = span.who
        return keys

    def between(self, start: float, end: float) -> Iterator[Span]:
        """The notes of which something lies between two times."""
        for span in self.notes:
            if span.onset < end and (span.offset is None or span.offset >= start):
                yield span

    def _release(self, who: Who, pitch: int, time: float) -> None:
        span = self._held.pop((who, pitch), None)
        if span is not None:
            span.offset = max(time, span.onset)


def _survives(span: Span, time: float) -> bool:
    return span.who is Who.PLAYER or span.onset < time
