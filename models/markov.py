"""A continuator in pure Python: it learns the calls it hears and goes on from the longest context it knows.

After Pachet, "The Continuator: Musical Interaction with Style" (2003): phrases are sequences of symbols, a
symbol's next one is drawn from what followed the same context before, and the longest context wins. A symbol
is a chord: all keys struck within 35 ms, with their touch, lengths and the wait until the next chord, taken
whole from the playing. Contexts match on pitches first, then on pitch classes, then on the top note's
direction, so that a short call has continuations too. Of what may be asked it honours temperature, length,
density (by its tempo), loudness, register (by octaves) and key; of styles and closeness it knows nothing.
"""

import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace

from duet.note import Event, Pedal, notes_of, order
from duet.request import Request
from models.chords import Chord, chords_of, perform
from models.fitting import fit, stretch_of

LONGEST_CONTEXT = 5
REMEMBERED = 20_000
"""Chords that are kept; when there are more, the older half is forgotten."""
CONSIDERED = 300
"""Places in the memory that one draw looks at, the latest."""
DEFAULT_WAIT = 0.4


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
        stretch = stretch_of(self._last_call, request.character)
        slower = replace(request, seconds=request.seconds / stretch)
        phrase = list(self._compose(slower)) if self._last_call else []
        heard = [note.pitch for chord in self._last_call for note in chord.notes]
        yield from perform(fit(phrase, request.character, stretch, heard), longest=1.2 * request.seconds)

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
