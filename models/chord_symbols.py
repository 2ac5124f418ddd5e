"""Playing as a sequence of chord symbols: what the note/chord-token composers read and write.

A symbol is the keys struck within 35 ms: the wait since the symbol before it, the lowest key, and the shape
above it, one of the commonest of a training set. A chord of an unknown shape is split at its widest gap, as
between two hands, until its parts are known; the later parts wait 0. Each key of a symbol has its own delay,
velocity and length, so that nothing is lost but the pedal and what quantising loses; waits and lengths have
the bins of `models/events.py`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.events import GAPS, KEYS, OFF, PEDAL_DOWN, Metre, bin_of, velocity_of

CHORD = 0.035
"""Seconds within which key strokes are one chord."""
MOST = 6
"""Keys of a shape at most."""
BEGIN = len(GAPS)
"""The wait of a turn's first symbol, which waits for nothing."""
WAITS, LENGTHS, DELAYS, VELOCITIES = BEGIN + 1, len(GAPS), 4, 32
DELAY = 0.01
"""Seconds of one step of delay after the chord's first key."""

Shape = tuple[int, ...]
"""Semitones above the lowest key, rising from 0."""
SYMBOL = np.dtype(
    [
        ("wait", "u1"),
        ("root", "u1"),
        ("shape", "u2"),
        ("delay", "u1", MOST),
        ("velocity", "u1", MOST),
        ("length", "u1", MOST),
    ]
)
NOTE = np.dtype([("onset", "f8"), ("key", "i8"), ("velocity", "i8"), ("duration", "f8")])


@dataclass(frozen=True, slots=True)
class Played:
    """One key of a symbol, as it is to be played."""

    delay: float
    """Seconds after the symbol."""
    key: int
    velocity: int
    duration: float
    """Seconds."""


def notes_of_tokens(tokens: NDArray[np.void]) -> NDArray[np.void]:
    """The notes of a piece's tokens (`models.events.TOKEN_TYPE`), in onset order. NOTE."""
    began: dict[int, int] = {}
    rows: list[list[float]] = []
    for time, token, velocity in tokens.tolist():
        if token < OFF:
            began[token] = len(rows)
            rows.append([time, token, velocity, 0.0])
        elif token < PEDAL_DOWN and token - OFF in began:
            row = rows[began.pop(token - OFF)]
            row[3] = time - row[0]
    return np.array([tuple(row) for row in rows], NOTE)


def chords_of_notes(notes: NDArray[np.void]) -> list[list[tuple[float, int, int, float]]]:
    """Notes, in onset order, in groups that begin within CHORD, each from its lowest key up."""
    groups: list[list[tuple[float, int, int, float]]] = []
    for note in notes.tolist():
        if groups and note[0] - groups[-1][0][0] <= CHORD:
            groups[-1].append(note)
        else:
            groups.append([note])
    return [sorted(group, key=lambda note: note[1]) for group in groups]


def shape_of(keys: Sequence[int]) -> Shape:
    """The shape of rising keys."""
    return tuple(key - keys[0] for key in keys)


def common_shapes(chords: Iterable[Sequence[int]], number: int) -> list[Shape]:
    """The commonest shapes of some chords' keys, a single key always among them."""
    counts = Counter(shape_of(keys) for keys in chords if len(keys) <= MOST)
    counts[(0,)] += 1
    found = [shape for shape, _ in counts.most_common(number)]
    return found if (0,) in found else [*found[:-1], (0,)]


def known_parts(keys: Sequence[int], known: dict[Shape, int]) -> list[slice]:
    """How a chord is split into known shapes, from its lowest keys up."""
    if shape_of(keys) in known:
        return [slice(0, len(keys))]
    gaps = [after - before for before, after in pairwise(keys)]
    cut = 1 + gaps.index(max(gaps))
    low, high = known_parts(keys[:cut], known), known_parts(keys[cut:], known)
    return low + [slice(part.start + cut, part.stop + cut) for part in high]


def symbols_of(notes: NDArray[np.void], known: dict[Shape, int]) -> NDArray[np.void]:
    """Notes, in onset order, as symbols; the first one's wait is BEGIN."""
    metre = Metre()
    rows = []
    for group in chords_of_notes(notes):
        began = min(onset for onset, _, _, _ in group)
        wait = BEGIN if metre.now is None else 0
        wait = max(wait, metre.gap(began))
        delay = [min(DELAYS - 1, round((onset - began) / DELAY)) for onset, _, _, _ in group]
        keys = [key for _, key, _, _ in group]
        velocity = [velocity // 4 for _, _, velocity, _ in group]
        length = [bin_of(duration) for _, _, _, duration in group]
        for part in known_parts(keys, known):
            padding = [0] * (MOST - part.stop + part.start)
            touch = ([*values[part], *padding] for values in (delay, velocity, length))
            rows.append((wait, keys[part.start], known[shape_of(keys[part])], *touch))
            wait = 0
    return np.array(rows, SYMBOL)


def played(symbol: np.void, shapes: Sequence[Shape]) -> list[Played]:
    """The keys of a symbol; those beyond the keyboard are left out."""
    keys = [int(symbol["root"]) + step for step in shapes[symbol["shape"]]]
    return [
        Played(
            DELAY * int(symbol["delay"][place]),
            key,
            velocity_of(int(symbol["velocity"][place])),
            max(0.03, float(GAPS[symbol["length"][place]])),
        )
        for place, key in enumerate(keys)
        if key < KEYS
    ]
