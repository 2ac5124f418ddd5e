"""Playing as chords and back: keys struck together with their touch, lengths and the wait until the next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from duet.note import Event, Note, NoteOff, NoteOn, Pedal, order

CHORD = 0.035
"""Seconds within which key strokes are one chord."""
LONGEST_NOTE = 6.0


@dataclass(frozen=True, slots=True)
class Struck:
    """One note of a chord."""

    delay: float
    """Seconds after the chord's first key."""
    pitch: int
    velocity: int
    duration: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Chord:
    """Keys struck together: the symbol of the chain."""

    notes: tuple[Struck, ...]
    wait: float
    """Seconds until the next chord; 0 if the phrase ended here."""
    pedal: bool
    """The pedal is down when it sounds."""


def chords_of(notes: Sequence[Note], pedals: Sequence[Pedal]) -> list[Chord]:
    """Group notes, in onset order, into chords."""
    if not notes:
        return []
    groups: list[list[Note]] = []
    for note in notes:
        if groups and note.onset - groups[-1][0].onset <= CHORD:
            groups[-1].append(note)
        else:
            groups.append([note])
    onsets = [group[0].onset for group in groups]
    waits = [later - sooner for sooner, later in pairwise(onsets)] + [0.0]
    chords = []
    for group, onset, wait in zip(groups, onsets, waits, strict=True):
        before = [pedal.down for pedal in pedals if pedal.time <= onset + CHORD]
        struck = tuple(
            Struck(note.onset - onset, note.pitch, note.velocity, min(note.duration, LONGEST_NOTE))
            for note in group
        )
        chords.append(Chord(struck, wait, bool(before and before[-1])))
    return chords


def perform(phrase: Sequence[Chord], longest: float) -> Iterator[Event]:
    """The events of chords: a key struck again goes up first, nothing is left down.

    longest: seconds by which all is let go, or half a second after the last chord if that is later.
    """
    notes: list[Note] = []
    events: list[Event] = []
    time, pedal = 0.0, False
    for chord in phrase:
        if pedal:
            events.append(Pedal(time, 0))
        if chord.pedal:
            events.append(Pedal(time + 0.03, 127))
        pedal = chord.pedal
        first = min(note.delay for note in chord.notes)
        for note in chord.notes:
            onset = time + note.delay - first
            notes.append(Note(onset, note.pitch, note.velocity, onset + note.duration))
        time += max(chord.wait, 0.02)
    notes.sort(key=lambda note: (note.onset, note.pitch))
    limit = max(longest, notes[-1].onset + 0.5) if notes else 0.0
    struck_again: dict[int, float] = {}
    for note in reversed(notes):
        end = min(note.offset, limit, struck_again.get(note.pitch, limit))
        if end > note.onset:
            struck_again[note.pitch] = note.onset
            events += [NoteOn(note.onset, note.pitch, note.velocity), NoteOff(end, note.pitch)]
    events.sort(key=order)
    yield from events
    if pedal:
        yield Pedal(events[-1].time, 0)
