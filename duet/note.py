"""The vocabulary: keys going down and up, the sustain pedal, and the notes they make.

Conventions: a pitch is a MIDI note number 0..127 (60 = middle C); a velocity is 1..127, never 0;
a time is in seconds on the clock of whoever speaks (the session clock live, the file's own in files).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace


def _check_pitch(pitch: int) -> None:
    if not 0 <= pitch <= 127:
        raise ValueError(f"pitch must be 0..127, got {pitch}")


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A key goes down."""

    time: float
    """Seconds."""
    pitch: int
    """MIDI note number, 0..127."""
    velocity: int
    """1..127; a MIDI note-on of velocity 0 is a NoteOff here."""

    def __post_init__(self) -> None:
        _check_pitch(self.pitch)
        if not 1 <= self.velocity <= 127:
            raise ValueError(f"velocity must be 1..127, got {self.velocity}")


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A key comes up."""

    time: float
    """Seconds."""
    pitch: int
    """MIDI note number, 0..127."""

    def __post_init__(self) -> None:
        _check_pitch(self.pitch)


@dataclass(frozen=True, slots=True)
class Pedal:
    """The sustain pedal (CC 64) moves."""

    time: float
    """Seconds."""
    value: int
    """0..127, as the controller sends it."""

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 127:
            raise ValueError(f"pedal value must be 0..127, got {self.value}")

    @property
    def down(self) -> bool:
        """True from 64 up, as MIDI has it."""
        return self.value >= 64


Event = NoteOn | NoteOff | Pedal
"""What a player or a partner does, one at a time."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note with both its ends."""

    onset: float
    """Seconds."""
    pitch: int
    """MIDI note number, 0..127."""
    velocity: int
    """1..127."""
    offset: float
    """Seconds; later than the onset."""

    def __post_init__(self) -> None:
        _check_pitch(self.pitch)
        if not 1 <= self.velocity <= 127:
            raise ValueError(f"velocity must be 1..127, got {self.velocity}")
        if self.offset <= self.onset:
            raise ValueError(f"a note must end after it starts: {self.onset} .. {self.offset}")

    @property
    def duration(self) -> float:
        """Seconds from onset to offset."""
        return self.offset - self.onset


def at(event: Event, time: float) -> Event:
    """The same event at another time."""
    return replace(event, time=time)


def order(event: Event) -> tuple[float, int]:
    """Sort key for events: by time; at equal times releases, then pedal, then key presses."""
    rank = 0 if isinstance(event, NoteOff) else 1 if isinstance(event, Pedal) else 2
    return event.time, rank


def events_of(notes: Iterable[Note]) -> list[Event]:
    """Notes as key presses and releases in playing order."""
    events: list[Event] = []
    for note in notes:
        events.append(NoteOn(note.onset, note.pitch, note.velocity))
        events.append(NoteOff(note.offset, note.pitch))
    return sorted(events, key=order)


def notes_of(events: Iterable[Event], end: float | None = None) -> list[Note]:
    """Pair key presses with releases; the pedal is left out.

    events: in time order.  A key struck again while down ends its earlier note.  A key never released
    ends at `end`, or at the last event's time if `end` is None.  Notes come in onset order, each at
    least a millisecond long.
    """
    open_notes: dict[int, NoteOn] = {}
    notes: list[Note] = []
    last = 0.0

    def close(press: NoteOn, time: float) -> None:
        notes.append(Note(press.time, press.pitch, press.velocity, max(time, press.time + 0.001)))

    for event in events:
        last = max(last, event.time)
        if isinstance(event, Pedal):
            continue
        press = open_notes.pop(event.pitch, None)
        if press is not None:
            close(press, event.time)
        if isinstance(event, NoteOn):
            open_notes[event.pitch] = event
    for press in open_notes.values():
        close(press, last if end is None else end)
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


class Sounding:
    """What is down after the events so far: keys, and the sustain pedal."""

    def __init__(self) -> None:
        self.keys: set[int] = set()
        self.pedal_down = False

    def follow(self, event: Event) -> None:
        """Take one more event."""
        match event:
            case NoteOn(_, pitch, _):
                self.keys.add(pitch)
            case NoteOff(_, pitch):
                self.keys.discard(pitch)
            case Pedal():
                self.pedal_down = event.down

    @property
    def is_down(self) -> bool:
        """Whether anything is."""
        return bool(self.keys) or self.pedal_down

    def let_go(self, time: float) -> list[Event]:
        """What would end all of it at `time`: releases from the lowest key up, and the pedal if it is down."""
        ends: list[Event] = [NoteOff(time, pitch) for pitch in sorted(self.keys)]
        return [*ends, Pedal(time, 0)] if self.pedal_down else ends


def let_go(events: Iterable[Event], time: float) -> list[Event]:
    """What ends, at `time`, all that these events leave sounding."""
    sounding = Sounding()
    for event in events:
        sounding.follow(event)
    return sounding.let_go(time)


def cut(events: Iterable[Event], time: float) -> list[Event]:
    """The same events, interrupted: nothing after `time`, and what sounds then ends then."""
    kept = [event for event in events if event.time <= time]
    return kept + let_go(kept, time)
