"""A continuator in pure Python: it learns the calls it hears and goes on from the longest context it knows.

After Pachet, "The Continuator: Musical Interaction with Style" (2003): phrases are sequences of symbols, a
symbol's next one is drawn from what followed the same context before, and the longest context wins. A symbol
is a chord: all keys struck within 35 ms, with their touch, lengths and the wait until the next chord, taken
whole from the playing. Contexts match on pitches first, then on pitch classes, then on the top note's
direction, so that a short call has continuations too.
"""

import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from duet.note import Event, Note, NoteOff, NoteOn, Pedal, notes_of, order
from duet.request import Request

CHORD = 0.035
"""Seconds within which key strokes are one chord."""
LONGEST_CONTEXT = 5
REMEMBERED = 20_000
"""Chords that are kept; when there are more, the older half is forgotten."""
CONSIDERED = 300
"""Places in the memory that one draw looks at, the latest."""
LONGEST_NOTE = 6.0
DEFAULT_WAIT = 0.4


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


class MarkovPartner:
    """The partner `markov`: no weights, no training; the more it hears, the more it has to say."""

    styles: Sequence[str] = ()

    def __init__(self) -> None:
        self._memory: list[Chord | None] = []
        self._places: dict[Hashable, list[int]] = {}
        self._call: list[Event] = []
        self._last_call: list[Chord] = []

    def hear(self, event: Event) -> None:
        """Keep an event of the call."""
        self._call.append(event)

    def cut(self, seconds: float) -> None:
        """Nothing to take back: it learns from the player, never from itself."""

    def forget(self) -> None:
        """Forget every phrase."""
        self.__init__()  # type: ignore[misc]

    def respond(self, request: Request) -> Iterator[Event]:
        """Continue the call; before anything was ever heard, say nothing."""
        self._learn()
        phrase = list(self._compose(request)) if self._last_call else []
        yield from perform(phrase, longest=1.2 * request.seconds)

    def _learn(self) -> None:
        """Take the call that has just ended into memory."""
        events = sorted(self._call, key=order)
        self._call = []
        chords = chords_of(notes_of(events), [event for event in events if isinstance(event, Pedal)])
        if not chords:
            return
        self._last_call = chords
        if len(self._memory) > REMEMBERED:
            self._memory, self._places = self._memory[REMEMBERED // 2 :], {}
            for place in range(1, len(self._memory)):
                self._index(place)
        self._memory.append(None)
        for chord in chords:
            self._memory.append(chord)
            self._index(len(self._memory) - 1)

    def _index(self, place: int) -> None:
        """Note what came before a place, in every view."""
        if self._memory[place] is None or self._memory[place - 1] is None:
            return
        for view in VIEWS:
            self._places.setdefault((view, view(self._memory, place - 1)), []).append(place)

    def _compose(self, request: Request) -> Iterator[Chord]:
        """Draw chords until about the wanted length, ending on one that ended a phrase if one comes up."""
        draw = random.Random(f"{request.seed} {request.character.temperature}")
        waits = sorted(chord.wait for chord in self._last_call if chord.wait)
        usual = waits[len(waits) // 2] if waits else DEFAULT_WAIT
        context: list[Chord | None] = [None, *self._last_call]
        time = 0.0
        while time < request.seconds:
            chord = self._next(context, request.character.temperature, draw)
            if not chord.wait or chord.wait > 4 * usual:
                if not chord.wait and time + usual >= 0.8 * request.seconds:
                    yield chord
                    return
                chord = Chord(chord.notes, usual, chord.pedal)
            yield chord
            context.append(chord)
            time += max(chord.wait, 0.02)

    def _next(self, context: list[Chord | None], temperature: float, draw: random.Random) -> Chord:
        """Draw what follows the longest context known; the hotter, the more shorter ones count."""
        here = len(context) - 1
        for view in VIEWS:
            weights: dict[int, float] = {}
            for place in self._places.get((view, view(context, here)), [])[-CONSIDERED:]:
                shared = _shared(view, context, here, self._memory, place - 1)
                weights[place] = 8.0 ** (shared / temperature)
            if weights:
                chord = self._memory[draw.choices(list(weights), list(weights.values()))[0]]
                assert chord is not None
                return chord
        return draw.choice(self._last_call)


Memory = Sequence[Chord | None]
"""Phrases one after another, each with a None before it."""


def _shared(view: "View", context: Memory, here: int, memory: Memory, place: int) -> int:
    """How many chords back two pasts, whose last chords are alike, go on being alike."""
    for back in range(1, LONGEST_CONTEXT):
        if min(here, place) < back or context[here - back] is None or memory[place - back] is None:
            return back
        if view(context, here - back) != view(memory, place - back):
            return back
    return LONGEST_CONTEXT


def by_pitches(chords: Memory, place: int) -> Hashable:
    """Alike if the very same keys were struck."""
    chord = chords[place]
    return chord and tuple(sorted(note.pitch for note in chord.notes))


def by_classes(chords: Memory, place: int) -> Hashable:
    """Alike if the same keys were struck, whatever the octave."""
    chord = chords[place]
    return chord and frozenset(note.pitch % 12 for note in chord.notes)


def by_contour(chords: Memory, place: int) -> Hashable:
    """Alike if the top voice went the same way."""
    here, before = chords[place], chords[place - 1] if place else None
    if here is None or before is None:
        return 0
    top, top_before = (max(note.pitch for note in chord.notes) for chord in (here, before))
    return (top > top_before) - (top < top_before)


View = Callable[[Memory, int], Hashable]
VIEWS: tuple[View, ...] = (by_pitches, by_classes, by_contour)
"""The ways to compare, the closest first."""


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
