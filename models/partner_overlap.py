"""How alike two stretches of playing are, and how much of one is copied from the other.

Overlap is the sum of the minima of two normalised histograms: 1 where they are the same. Bins: 12 pitch
classes; octaves; velocities 8 apart; durations and inter-onset intervals two to an octave (factor 1.41).
"""

from collections.abc import Sequence
from typing import Any

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


NATURAL = (0.28, 0.405, 0.50, 0.59, 0.70, 0.97)
"""Closeness as measured of the next phrase of a piece (5, 25, 50, 75, 95 %), and of the same phrase again ..."""
KNOB = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""... and where the knob stands for it."""


def closeness(
    pitch: NDArray[Any], onset: NDArray[Any], other_pitch: NDArray[Any], other_onset: NDArray[Any]
) -> float:
    """How much a phrase takes up another, 0 .. 1: the mean overlap of pitch classes, waits and steps.

    Steps are the two intervals between three notes in a row, chords from the bottom up. (N,) and (M,) each,
    in the order of onsets.
    """
    a, b = _traits(pitch, onset), _traits(other_pitch, other_onset)
    return float(np.mean([_shared(x, y) for x, y in zip(a, b, strict=True)]))


def closeness_of(call: Sequence[Note], answer: Sequence[Note]) -> float:
    """The same for notes."""
    sides = [sorted(notes, key=lambda note: note.onset) for notes in (call, answer)]
    arrays = [
        np.array(part) for side in sides for part in zip(*((n.pitch, n.onset) for n in side), strict=True)
    ]
    return closeness(*arrays)


def closeness_knob(measured: float) -> float:
    """The knob's place, 0 .. 1, for a closeness as measured."""
    return float(np.interp(measured, NATURAL, KNOB))


def _traits(pitch: NDArray[Any], onset: NDArray[Any]) -> tuple[NDArray[np.int64], ...]:
    pitch = pitch.astype(np.int64)
    apart = np.diff(onset)
    chord = np.concatenate([[0], np.cumsum(apart > 0.035)])
    steps = np.diff(pitch[np.lexsort((pitch, chord))])
    return pitch % 12, _octave_halves(apart), steps[:-1] * 256 + steps[1:]


def _shared(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """The overlap of the histograms of two lists of numbers."""
    if not len(a) or not len(b):
        return 0.0
    values, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    first = np.bincount(place[: len(a)], minlength=len(values)) / len(a)
    second = np.bincount(place[len(a) :], minlength=len(values)) / len(b)
    return float(np.minimum(first, second).sum())
