"""How alike two stretches of playing are, and how much of one is copied from the other.

Overlap is the sum of the minima of two normalised histograms: 1 where they are the same. Bins: 12 pitch
classes; octaves; velocities 8 apart; durations and inter-onset intervals two to an octave (factor 1.41).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from duet.note import Note

ROWS = ("pitch_class", "register", "velocity", "log_duration", "log_ioi")


def histograms(notes: Sequence[Note]) -> dict[str, NDArray[np.float64]]:
    """The five normalised histograms of some notes, at least two of them."""
    pitch = np.array([note.pitch for note in notes])
    velocity = np.array([note.velocity for note in notes])
    duration = np.array([note.duration for note in notes])
    ioi = np.diff(np.sort([note.onset for note in notes]))
    bins = {
        "pitch_class": (pitch % 12, 12),
        "register": (pitch // 12, 11),
        "velocity": (velocity // 8, 16),
        "log_duration": (_octave_halves(duration), 16),
        "log_ioi": (_octave_halves(ioi), 16),
    }
    return {row: np.bincount(values, minlength=size) / len(values) for row, (values, size) in bins.items()}


def _octave_halves(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bin 0 up to 0.025 s, bin 15 from 4.5 s on."""
    return np.clip(np.ceil(2 * np.log2(np.maximum(seconds, 1e-4) / 0.025)), 0, 15).astype(np.int64)


def overlaps(a: Sequence[Note], b: Sequence[Note]) -> dict[str, float]:
    """The overlap of each histogram, and the density: the size of the log2 of the ratio of note counts."""
    first, second = histograms(a), histograms(b)
    result = {row: float(np.minimum(first[row], second[row]).sum()) for row in ROWS}
    result["density"] = abs(float(np.log2(len(a) / len(b))))
    return result


def shingles(notes: Sequence[Note], length: int = 8) -> list[tuple[int, ...]]:
    """The pitches of every `length` notes in a row, in playing order."""
    pitches = [note.pitch for note in sorted(notes, key=lambda note: (note.onset, note.pitch))]
    return [tuple(pitches[start : start + length]) for start in range(len(pitches) - length + 1)]


def copied(answer: Sequence[Note], call: Sequence[Note]) -> float:
    """The share of the answer's 8-note shingles that are in the call as well."""
    known = set(shingles(call))
    said = shingles(answer)
    return sum(shingle in known for shingle in said) / len(said) if said else 0.0
