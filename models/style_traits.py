"""What ten seconds of playing are like, as numbers that an independent listener tells styles apart by.

Nothing in them depends on the key, and velocities are left out: some collections have none that are real.
Shares of histograms go in as their square roots, so that rare things count.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, Note, Pedal, notes_of
from duet.scale import NAMES, key_of_pitches

CHORD = 0.035
"""Seconds within which strokes are one chord."""
Floats = NDArray[np.float64]
LEAPS = np.arange(-12.5, 13.5)
"""Edges of the classes of melodic steps, in semitones; longer leaps count with the longest."""
HALVES = 0.025 * 2.0 ** (np.arange(16) / 2 - 0.25)
"""Seconds, half octaves apart: edges of the classes of times."""
RATIOS = np.array([-1.5, -0.8, -0.3, -0.1, 0.1, 0.3, 0.8, 1.5])
"""Edges of the classes of how much longer a wait is than the one before, in octaves."""


def traits(events: Sequence[Event]) -> Floats | None:
    """The numbers of a passage from time 0; None if it has fewer than four notes. -> (TRAITS,)."""
    notes = notes_of(events)
    if len(notes) < 4:
        return None
    chords = _chords(notes)
    onsets = np.array([chord[0].onset for chord in chords])
    waits = np.diff(onsets)
    pitches = np.array([note.pitch for note in notes])
    lengths = np.array([note.duration for note in notes])
    seconds = max(0.5, max(note.offset for note in notes) - onsets[0])
    tops, basses = (np.array([pick(note.pitch for note in chord) for chord in chords]) for pick in (max, min))
    above = [note.pitch - min(n.pitch for n in chord) for chord in chords for note in chord]
    ratios = np.diff(np.log2(np.maximum(waits, 0.02)))
    legato = [chord[0].duration / wait for chord, wait in zip(chords[:-1], waits, strict=True)]
    shares = [
        _shares(pitches, np.arange(20, 116, 6)),
        _shares(np.diff(tops), LEAPS),
        _shares(np.diff(basses), LEAPS),
        _shares(np.diff(pitches), LEAPS),
        np.bincount(np.array([step % 12 for step in above if step] or [0]), minlength=12) / len(above),
        _shares(np.array([len(chord) for chord in chords]), np.arange(1.5, 7.5)),
        _shares(waits, HALVES),
        _shares(lengths, HALVES),
        _shares(ratios, RATIOS),
        _shares(np.array(legato), np.array([0.3, 0.6, 0.9, 1.1, 1.5, 3.0])),
        _degrees(pitches),
        np.sort(np.bincount(pitches % 12, minlength=12) / len(pitches)),
    ]
    numbers = [
        np.log(len(notes) / seconds),
        np.log(len(chords) / seconds),
        pitches.mean() / 12,
        pitches.std() / 12,
        np.log(np.median(lengths)),
        lengths.sum() / seconds,
        float(np.mean([max(n.pitch for n in chord) - min(n.pitch for n in chord) for chord in chords])) / 12,
        float(np.corrcoef(pitches, lengths)[0, 1]) if pitches.std() * lengths.std() > 0 else 0.0,
        *_pedalling(events, seconds),
        *_polyphony(notes, seconds),
    ]
    return np.concatenate([*(np.sqrt(share) for share in shares), np.array(numbers)])


def _chords(notes: Sequence[Note]) -> list[list[Note]]:
    """Notes struck together, in order."""
    chords: list[list[Note]] = []
    for note in notes:
        if chords and note.onset - chords[-1][0].onset <= CHORD:
            chords[-1].append(note)
        else:
            chords.append([note])
    return chords


def _shares(values: NDArray[np.generic], edges: NDArray[np.generic]) -> Floats:
    """The share of values in each class, those beyond the outermost edges in classes of their own."""
    return np.bincount(np.digitize(values, edges), minlength=len(edges) + 1) / max(1, len(values))


def _degrees(pitches: NDArray[np.int64]) -> Floats:
    """The share of each degree of the key that the passage is in, major and minor apart. -> (24,)."""
    tonic, kind = key_of_pitches(pitches.tolist()).split()
    result, first = np.zeros(24), 12 * (kind == "minor")
    moved = (pitches - NAMES.index(tonic)) % 12
    result[first : first + 12] = np.bincount(moved, minlength=12) / len(pitches)
    return result


def _pedalling(events: Sequence[Event], seconds: float) -> tuple[float, float]:
    """How often the pedal goes down a second, and the share of the time that it is down."""
    presses, down, since, pressed = 0, 0.0, 0.0, False
    for event in events:
        if isinstance(event, Pedal) and event.down != pressed:
            pressed = event.down
            presses += pressed
            down += 0.0 if pressed else event.time - since
            since = event.time
    return presses / seconds, min(1.0, down / seconds)


def _polyphony(notes: Sequence[Note], seconds: float) -> Floats:
    """The shares of the time that 0, 1, 2, 3, 4 or more keys are down."""
    moments = notes[0].onset + (np.arange(100) + 0.5) / 100 * seconds
    onsets, offsets = (np.array([getattr(note, end) for note in notes]) for end in ("onset", "offset"))
    down = ((onsets[:, None] <= moments) & (moments < offsets[:, None])).sum(0)
    return np.bincount(down.clip(max=4), minlength=5) / 100
