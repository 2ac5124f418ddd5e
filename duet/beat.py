"""The player's own beat, where a phrase has a clear one: estimated from when its keys were struck. Pure.

Each pulse a person might tap is tried: how well do the strokes agree on its phase? The slowest on which they agree
clearly better than chance would is taken. Rubato, and most free playing, agrees on none, and has no beat.
"""

import cmath
import math
from collections.abc import Sequence
from functools import lru_cache

from duet.note import Event, NoteOn
from duet.tempo import Tempo

CHORD = 0.035
"""Onsets closer than this many seconds are one stroke."""
LATELY = 20
"""Strokes that count, the last ones: a player's tempo drifts."""
PULSES = [0.66 * 0.993**step for step in range(212)]
"""Seconds from pulse to pulse that are tried, the slow ones first: 0.66 down to 0.15."""
AGREEMENT = 0.8
"""Mean resultant length of the strokes' phases (0 none .. 1 all the same) that is clear ..."""
EVIDENCE = 7.0
"""... if strokes times its square is as much: chance alone reaches that about once in a hundred phrases."""
SLOWEST_HALF = 0.3
"""Seconds: a faster pulse is taken for half a beat."""


def beat_of(events: Sequence[Event]) -> Tempo | None:
    """The beat of a phrase, or None if it has no clear one. Where its bars begin is not known."""
    return _beat_of(tuple(strokes_of(events)[-LATELY:]))


@lru_cache(maxsize=8)
def _beat_of(strokes: tuple[float, ...]) -> Tempo | None:
    """The same of strokes; asked about one phrase several times in a row, it takes a millisecond only once."""
    agreed = [_agreement(strokes, pulse) for pulse in PULSES]
    clarity = [abs(each) for each in agreed]
    for place, pulse in enumerate(PULSES):
        here = clarity[place]
        is_peak = here == max(clarity[max(0, place - 5) : place + 6])
        if is_peak and here >= AGREEMENT and len(strokes) * here**2 >= EVIDENCE:
            start, beat = _fit(strokes, pulse)
            return Tempo(60.0 / (2 * beat if beat < SLOWEST_HALF else beat), start, 1)
    return None


def strokes_of(events: Sequence[Event]) -> list[float]:
    """When something was struck, seconds; a chord is one stroke."""
    strokes: list[float] = []
    for event in events:
        if isinstance(event, NoteOn) and (not strokes or event.time - strokes[-1] > CHORD):
            strokes.append(event.time)
    return strokes


def _agreement(strokes: Sequence[float], pulse: float) -> complex:
    """The mean of the strokes' phases on a pulse, as unit vectors, seen from the last stroke."""
    if not strokes:
        return 0j
    turns = (cmath.exp(2j * math.pi * (stroke - strokes[-1]) / pulse) for stroke in strokes)
    return sum(turns) / len(strokes)


def _fit(strokes: Sequence[float], pulse: float) -> tuple[float, float]:
    """(a pulse's time, seconds from pulse to pulse): least squares over the strokes, each on its nearest pulse."""
    last = strokes[-1] + cmath.phase(_agreement(strokes, pulse)) / math.tau * pulse
    places = [round((stroke - last) / pulse) for stroke in strokes]
    place, time = sum(places) / len(places), sum(strokes) / len(strokes)
    spread = sum((each - place) ** 2 for each in places)
    if not spread:
        return last, pulse
    pairs = zip(places, strokes, strict=True)
    slope = sum((each - place) * (stroke - time) for each, stroke in pairs) / spread
    return time - place * slope, slope
