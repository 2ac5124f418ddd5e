"""When an answer comes in, by a beat: the silence that ends a phrase is rounded to the beat its strokes keep. Pure.

Deciding first and then waiting for the beat costs up to a whole step of it. So where a place on the beat lies near
the end of that silence, the answer is asked for just in time to begin there: a little later, and then a stroke
that still comes cuts nothing off; or a little earlier, if by then the next stroke is clearly overdue.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import floor

from duet.beat import LATELY
from duet.tempo import Tempo

LONGEST_STEP = 0.35
"""Seconds between the places where an answer may begin on the beat; slower beats are halved."""
AHEAD = 0.05
"""Seconds before it begins that an answer is asked for, so that its first note is composed by then."""
EARLIER = 0.2
"""Seconds by which a silence is cut short at most ..."""
SHORTEST = 0.2
"""... though not below so many ..."""
OVERDUE = 1.5
"""... and not before the next stroke is so many times as late as any before."""
HARDLY = 0.02
"""Seconds by which a silence may always be cut short: composing seldom takes all of AHEAD."""


def entry(
    decided: float, quiet_since: float, strokes: Sequence[float], beat: Tempo
) -> tuple[float, float] | None:
    """(when to ask for the answer, when it begins), seconds: on the place nearest to when the silence is over.

    decided: when it is over without a beat. strokes: those of the phrase. None if no place is early or late enough.
    """
    step = beat.part_s(LONGEST_STEP)
    place = floor((decided - beat.start) / step)
    longest = max((later - earlier for earlier, later in pairwise(strokes[-LATELY:])), default=0.0)
    overdue = max(decided - EARLIER, quiet_since + SHORTEST, strokes[-1] + OVERDUE * longest)
    soonest = min(overdue, decided - HARDLY)
    places = [beat.start + step * (place + ahead) for ahead in (-1, 0, 1, 2)]
    begin = min(
        (each for each in places if each - AHEAD >= soonest),
        key=lambda each: abs(each - decided),
        default=None,
    )
    return None if begin is None else (begin - AHEAD, begin)
