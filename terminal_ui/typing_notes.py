"""The computer's keys as a keyboard: two rows of piano keys, as trackers lay them out; pure.

A terminal tells that a character was typed, never that a key came up, and repeats it while the key is held.
"""

from dataclasses import dataclass, field

_LOWER = "zsxdcvgbhnjm,l.;/"
"""From a C; the black keys are in the row above."""
_UPPER = "q2w3er5t6y7ui9o0p[=]"
"""From the C an octave higher."""
_STEPS = {character: step for step, character in enumerate(_LOWER)} | {
    character: step + 12 for step, character in enumerate(_UPPER)
}
LOWEST, HIGHEST = 0, 7
"""The octaves that the lower row may begin at."""
_REPEAT = 0.12
"""Seconds; a key typed again sooner is one that is held: nobody strikes it eight times a second."""


@dataclass(slots=True)
class Typist:
    """Turns characters into pitches."""

    octave: int = 4
    """Where the lower row begins; 4 is at middle C."""
    velocity: int = 80
    """1..127, the same for all keys: no keyboard of a computer tells how hard it was struck."""
    _typed: dict[str, float] = field(default_factory=dict)

    def pitch_of(self, character: str) -> int | None:
        """The pitch that a character plays, if it plays any."""
        step = _STEPS.get(character.lower())
        return None if step is None else 12 * (self.octave + 1) + step

    def strike(self, character: str, now: float) -> int | None:
        """The pitch to play for a character typed now; None if it is no piano key, or a held one repeating."""
        pitch = self.pitch_of(character)
        last, self._typed[character] = self._typed.get(character, now - 1.0), now
        return pitch if now - last >= _REPEAT else None

    def shift(self, by: int) -> None:
        """Move both rows by so many octaves."""
        self.octave = min(max(self.octave + by, LOWEST), HIGHEST)

    def press_harder(self, by: int) -> None:
        """Change the velocity of all keys."""
        self.velocity = min(max(self.velocity + by, 8), 127)

    def caps(self) -> dict[int, str]:
        """The character that plays each pitch; where two do, the upper row's."""
        return {12 * (self.octave + 1) + step: character for character, step in _STEPS.items()}
