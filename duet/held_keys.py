"""Which keys are down, and which of them nobody seems to hold: their note-off was lost on the way.

Pure. A cheap keyboard or a radio link loses a note-off now and then, and a key that is down keeps the turn. It cannot
be told from a held one but by what the player did since: who struck other keys after it, let go of these and has done
nothing for so long is not holding it. Who holds a last chord struck it last, and is given as long as a string can
ring. Striking a key again, or a release that comes late, heals it.
"""

from collections.abc import Sequence

from duet.note import Event, NoteOff, NoteOn
from duet.scale import NAMES

PATIENCE = 8.0
"""Seconds without any event after which a key that was left behind is given up, and others are asked after."""
LONGEST = 30.0
"""Seconds without any event after which keys struck last are given up as well."""
CHORD = 0.5
"""Seconds between strokes that may be of one chord, rolled."""


class HeldKeys:
    """The keys that are down, with when they were struck."""

    def __init__(self) -> None:
        self._down: dict[int, float] = {}
        self._released = float("-inf")
        """When the key was struck that was struck last of those let go."""

    def follow(self, event: Event) -> None:
        """Take one more event."""
        match event:
            case NoteOn(time, pitch, _):
                self._down[pitch] = time
            case NoteOff(_, pitch) if pitch in self._down:
                self._released = max(self._released, self._down.pop(pitch))

    def __bool__(self) -> bool:
        return bool(self._down)

    @property
    def pitches(self) -> tuple[int, ...]:
        """Those down, from the lowest up."""
        return tuple(sorted(self._down))

    @property
    def left_behind(self) -> bool:
        """Whether every key that is down was struck before others, no part of its chord, that are up again."""
        return bool(self._down) and max(self._down.values()) < self._released - CHORD

    def let_go(self) -> tuple[int, ...]:
        """Take all for released; return them."""
        pitches, self._down = self.pitches, {}
        return pitches


def in_words(pitches: Sequence[int], pedal: bool = False) -> str:
    """What is down, as the subject of a sentence."""
    names = [f"{NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in pitches] + ["the pedal"] * pedal
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
