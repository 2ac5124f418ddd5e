"""How long a silence says that a phrase is over: policies, all pure.

A policy takes the call so far (key and pedal events in order) and returns the seconds of silence, counted
from the moment no key and no pedal is held, that end it. Held keys and a held pedal veto any of them; that
is the turn's business (`duet/turn.py`), not a policy's.
"""

from collections.abc import Callable, Sequence

from duet.note import Event, NoteOff, NoteOn, Pedal

Policy = Callable[[Sequence[Event]], float]

CHORD = 0.03
"""Onsets closer than this many seconds are one chord."""


def fixed(seconds: float) -> Policy:
    """The same silence for everybody."""
    if seconds <= 0:
        raise ValueError(f"a fixed silence must be above 0 s, got {seconds}")
    return lambda call: seconds


def adaptive(
    call: Sequence[Event], shortest: float = 0.36, longest: float = 1.2, cautious: float = 0.7
) -> float:
    """A silence fitted to this player: twice the longest they have left in this phrase so far.

    Silences between chords played without the pedal, that is; who plays legato or with the pedal leaves none,
    and is answered after `shortest` seconds. Never more than `longest`. A phrase of fewer than four onsets says
    little about its player, so it gets `cautious` seconds or more. Chosen by `duet eval turns` on the corpus's
    validation split, against rules from inter-onset intervals (docs/results.md, "Turn-taking").
    """
    onsets, last_onset = 0, float("-inf")
    gaps: list[float] = []
    held: set[int] = set()
    pedal_down, quiet_since = False, None
    for event in call:
        match event:
            case NoteOn(time, pitch, _):
                if quiet_since is not None and not held and not pedal_down:
                    gaps.append(time - quiet_since)
                if time - last_onset > CHORD:
                    onsets, last_onset = onsets + 1, time
                held.add(pitch)
            case NoteOff(time, pitch):
                held.discard(pitch)
                quiet_since = time
            case Pedal(time, _):
                pedal_down, quiet_since = event.down, time
    least = shortest if onsets >= 4 else cautious
    return min(longest, max(least, 2 * max(gaps[-12:], default=0.0)))
