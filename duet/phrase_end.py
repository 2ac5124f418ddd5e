"""How long a silence says that a phrase is over: policies, all pure.

A policy takes the call so far (key and pedal events in order) and returns the seconds of silence, counted
from the moment no key and no pedal is held, that end it. Held keys and a held pedal veto any of them; that
is the turn's business (`duet/turn.py`), not a policy's.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from duet.note import Event, NoteOff, NoteOn

Policy = Callable[[Sequence[Event]], float]

CHORD = 0.03
"""Onsets closer than this many seconds are one chord."""


def fixed(seconds: float) -> Policy:
    """The same silence for everybody."""
    if seconds <= 0:
        raise ValueError(f"a fixed silence must be above 0 s, got {seconds}")
    return lambda call: seconds


def adaptive(
    call: Sequence[Event], shortest: float = 0.3, longest: float = 1.2, cautious: float = 0.7
) -> float:
    """A silence fitted to this player's own pace: clearly longer than any they have made in this phrase.

    At least the phrase's median inter-onset interval and one and a half times its longest gap between
    keys so far, within `shortest` .. `longest`; a phrase of fewer than four onsets says little about
    pace, so it gets `cautious` seconds or more.
    """
    onsets: list[float] = []
    gaps: list[float] = [0.0]
    held: set[int] = set()
    released = None
    for event in call:
        match event:
            case NoteOn(time, pitch, _):
                if released is not None and not held:
                    gaps.append(time - released)
                if not onsets or time - onsets[-1] > CHORD:
                    onsets.append(time)
                held.add(pitch)
            case NoteOff(time, pitch):
                held.discard(pitch)
                released = time
    recent = onsets[-12:]
    intervals = [later - earlier for earlier, later in pairwise(recent)]
    pace = median(intervals) if intervals else 0.0
    least = shortest if len(onsets) >= 4 else cautious
    return min(longest, max(least, pace, 1.5 * max(gaps[-12:])))
