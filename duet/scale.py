"""Scales by name, and the scale of what was played.

A name is a tonic and a kind: "C major", "F# minor", "E flat dorian", "A natural minor"; case and "-" do not
matter, "C" alone is major and "Am" is minor. The key of what was played is found by correlating how long
each pitch class was struck with the profiles of Krumhansl and Kessler (1982).
"""

import math
from collections.abc import Iterable, Sequence

LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1, "s": 1}
KINDS = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10, 11),
    "natural minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones above the tonic; "minor" has both sevenths, as pieces in minor do."""
SHORT = {"": "major", "maj": "major", "m": "minor", "min": "minor", "aeolian": "natural minor"}
SHORT |= {"ionian": "major", "pentatonic": "major pentatonic", "wholetone": "whole tone"}
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
CALL = "call"
"""The name that stands for the key of what was played."""

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def pitch_classes(name: str) -> frozenset[int]:
    """The pitch classes of a named scale. Raises ValueError, naming what is known."""
    text = " ".join(name.strip().lower().replace("-", " ").replace("_", " ").split())
    text = text.replace(" flat", "b").replace(" sharp", "#")
    letter, rest = text[:1], text[1:]
    for length in (1, 0):  # "bb minor" before "b ..."
        sign, kind = rest[:length], rest[length:].strip()
        kind = SHORT.get(kind, kind)
        if letter in LETTERS and sign in ACCIDENTALS and kind in KINDS:
            tonic = LETTERS[letter] + ACCIDENTALS[sign]
            return frozenset((tonic + step) % 12 for step in KINDS[kind])
    raise ValueError(
        f"no scale {name!r}: say a tonic and a kind, such as C major or F# minor, or {CALL}; "
        f"kinds: {', '.join(KINDS)}"
    )


def key_of_pitches(pitches: Iterable[int]) -> str:
    """The name of the major or minor key that some struck pitches are in, each counting once."""
    counts = [0.0] * 12
    for pitch in pitches:
        counts[pitch % 12] += 1
    if min(counts) == max(counts):
        return "C chromatic"
    fits = {
        f"{NAMES[tonic]} {kind}": _correlation(counts, profile[-tonic:] + profile[:-tonic])
        for kind, profile in (("major", MAJOR), ("minor", MINOR))
        for tonic in range(12)
    }
    return max(fits, key=fits.__getitem__)


def classes_allowed(name: str, pitches: Iterable[int]) -> frozenset[int] | None:
    """What a `Character.key` allows after some struck pitches: pitch classes, or None for all."""
    if not name:
        return None
    return pitch_classes(key_of_pitches(pitches) if name == CALL else name)


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Pearson's, of two lists of twelve that are not constant."""
    mean_a, mean_b = sum(a) / 12, sum(b) / 12
    product = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return product / math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))
