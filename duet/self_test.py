"""Is this machine fast enough for this voice? A test of a second at most, before anything is played.

Its own time is what counts: a machine that is busy with something else for a moment is not called slow.
"""

import time
from collections.abc import Callable

from duet.inline import Score
from duet.note import NoteOn, Pedal
from duet.ports import Voice

ENOUGH = 1.3
"""Seconds of sound a second of computing below which a voice cannot be trusted to keep up."""


def measure_speed(voice: Voice, seconds: float = 1.0, clock: Callable[[], float] = time.thread_time) -> float:
    """Seconds of sound a second of computing, ten notes ringing; ends after `seconds` of either."""
    score = Score()
    score.add(Pedal(0.0, 127))
    for number in range(10):
        score.add(NoteOn(number * 0.01, 36 + 5 * number, 90))
    blocks = voice.render(score)
    next(blocks)
    began, made = clock(), 0.0
    while made < seconds and clock() - began < seconds:
        made += len(next(blocks)) / voice.sample_rate
    return made / max(clock() - began, 1e-6)


def advice(name: str, speed: float) -> str:
    """What to tell the player of a machine that is too slow; empty if it is not."""
    if speed >= ENOUGH:
        return ""
    others = {"piano-ar": "--voice piano or --voice sine"}.get(name, "--voice sine")
    return (
        f"this machine plays the voice {name} at {speed:.1f} times real time and it will crackle; "
        f"take {others}, or --audio none --out PORT for an instrument of your own"
    )
